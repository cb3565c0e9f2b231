package db

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"cohort.example/cohort/internal/txn"
)

// memberSlot is a row of member_counts of a store.
type memberSlot struct{ group, slot int64 }

func compareSlots(a, b memberSlot) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.slot, b.slot))
}

// memberChanges are the changes of member counts by a transaction.
type memberChanges map[memberSlot]int64

// add adds n to the count of a group, in the slot of the customer. Group 0, which means
// no group, has no count.
func (m memberChanges) add(groupID, customerID, n int64) {
	if groupID != 0 {
		m[memberSlot{groupID, customerID % memberSlots}] += n
	}
}

// changeMembers changes member counts with at most two statements. It writes the rows in
// the order of their key, to avoid a deadlock between two transactions. It skips a
// subtraction from a count that does not exist, because another transaction has deleted
// the group; a group that gains members must be locked against deletion.
func (t *Tx) changeMembers(storeKey string, changes memberChanges) error {
	maps.DeleteFunc(changes, func(_ memberSlot, n int64) bool { return n == 0 })
	loses := false
	for _, n := range changes {
		loses = loses || n < 0
	}
	if loses {
		existing, err := t.lockCounts(storeKey, slices.SortedFunc(maps.Keys(changes), compareSlots))
		if err != nil {
			return err
		}
		maps.DeleteFunc(changes, func(s memberSlot, n int64) bool { return n < 0 && !slices.Contains(existing, s) })
	}
	if len(changes) == 0 {
		return nil
	}
	w := &where{}
	w.text.WriteString("INSERT INTO member_counts (store_hash, group_id, slot, members) VALUES ")
	store := w.arg(storeKey)
	separator := "("
	for _, s := range slices.SortedFunc(maps.Keys(changes), compareSlots) {
		w.text.WriteString(separator + strings.Join([]string{store, w.arg(s.group), w.arg(s.slot), w.arg(changes[s])}, ", ") + ")")
		separator = ", ("
	}
	w.text.WriteString(" ON CONFLICT (store_hash, group_id, slot) DO UPDATE SET members = member_counts.members + excluded.members")
	return t.Later(w.text.String(), w.args...)
}

// lockCounts returns those of the rows that exist, and locks them until the transaction
// ends.
func (t *Tx) lockCounts(storeKey string, slots []memberSlot) ([]memberSlot, error) {
	w := whereStore(storeKey)
	w.text.WriteString(" AND (group_id, slot) IN (VALUES ")
	separator := "("
	for i := range placeholders(len(slots)) {
		s := slots[min(i, len(slots)-1)]
		w.text.WriteString(separator + "CAST(" + w.arg(s.group) + " AS BIGINT), CAST(" + w.arg(s.slot) + " AS BIGINT))")
		separator = ", ("
	}
	rows, err := t.Query("SELECT group_id, slot FROM member_counts"+w.text.String()+") ORDER BY group_id, slot"+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (s memberSlot, err error) { return s, row.Scan(&s.group, &s.slot) })
}
