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

// countsChunk is how many member counts one statement locks or changes. SQLite takes
// quadratic time to prepare a statement with many arguments, and a count has three.
const countsChunk = 256

// changeMembers changes member counts with at most two statements for each countsChunk of
// them, in the order of their key, to avoid a deadlock between two transactions. It skips
// a subtraction from a count that does not exist, because another transaction has deleted
// the group; a group that gains members must be locked against deletion.
func (t *Tx) changeMembers(storeKey string, changes memberChanges) error {
	maps.DeleteFunc(changes, func(_ memberSlot, n int64) bool { return n == 0 })
	slots := slices.SortedFunc(maps.Keys(changes), compareSlots)
	if len(slots) <= 2 { // those of one customer
		return t.changeFewMembers(storeKey, slots, changes)
	}
	loses := func(s memberSlot) bool { return changes[s] < 0 }
	if slices.ContainsFunc(slots, loses) {
		existing, err := t.lockCounts(storeKey, slots)
		if err != nil {
			return err
		}
		slots = slices.DeleteFunc(slots, func(s memberSlot) bool { return loses(s) && !existing[s] })
	}
	return t.addToCounts(storeKey, slots, changes)
}

// changeFewMembers is changeMembers with a statement for each slot. Unlike the statement
// that locks many counts, none of them has to be awaited.
func (t *Tx) changeFewMembers(storeKey string, slots []memberSlot, changes memberChanges) error {
	for i, s := range slots {
		var err error
		if n := changes[s]; n > 0 {
			err = t.addToCounts(storeKey, slots[i:i+1], changes)
		} else {
			err = t.Later("UPDATE member_counts SET members = members + $4 WHERE store_hash = $1 AND group_id = $2 AND slot = $3",
				storeKey, s.group, s.slot, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addToCounts adds the changes of the slots to their counts.
func (t *Tx) addToCounts(storeKey string, slots []memberSlot, changes memberChanges) error {
	for chunk := range slices.Chunk(slots, countsChunk) {
		if err := t.addChunkToCounts(storeKey, chunk, changes); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) addChunkToCounts(storeKey string, slots []memberSlot, changes memberChanges) error {
	w := &where{}
	w.text.WriteString("INSERT INTO member_counts (store_hash, group_id, slot, members) VALUES ")
	store := w.arg(storeKey)
	separator := "("
	for _, s := range slots {
		w.text.WriteString(separator + strings.Join([]string{store, w.arg(s.group), w.arg(s.slot), w.arg(changes[s])}, ", ") + ")")
		separator = ", ("
	}
	w.text.WriteString(" ON CONFLICT (store_hash, group_id, slot) DO UPDATE SET members = member_counts.members + excluded.members")
	return t.Later(w.text.String(), w.args...)
}

// lockCounts returns those of the rows that exist, and locks them until the transaction
// ends. The slots are in the order of their key.
func (t *Tx) lockCounts(storeKey string, slots []memberSlot) (existing map[memberSlot]bool, err error) {
	existing = make(map[memberSlot]bool, len(slots))
	for chunk := range slices.Chunk(slots, countsChunk) {
		locked, err := t.lockChunkOfCounts(storeKey, chunk)
		if err != nil {
			return nil, err
		}
		for _, s := range locked {
			existing[s] = true
		}
	}
	return existing, nil
}

func (t *Tx) lockChunkOfCounts(storeKey string, slots []memberSlot) ([]memberSlot, error) {
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
