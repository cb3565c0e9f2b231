package db

import (
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// bulkChunk is how many customers of a long list one statement finds or changes. It is a
// power of two, so that full chunks are one prepared statement; see placeholders.
const bulkChunk = 1024

// CustomerIDs returns the ids of up to limit customers that pass the filter, in no order.
func (t *Tx) CustomerIDs(storeKey string, f cohort.CustomerFilter, limit int) ([]int64, error) {
	dates, err := t.datesFor(storeKey, f, cohort.CustomerOrder{})
	if err != nil {
		return nil, err
	}
	w, err := t.fromCustomers(storeKey, f, dates)
	if err != nil {
		return nil, err
	}
	rows, err := t.Query("SELECT id"+w.text.String()+" LIMIT CAST("+w.arg(limit)+" AS BIGINT)", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// Members returns those of the customers that exist and pass the filter. The ids are
// distinct and in ascending order, and so are the customers. Only the fields ID, GroupID
// and Email are set: the notes of many customers are large.
func (t *Tx) Members(storeKey string, ids []int64, f cohort.CustomerFilter) ([]cohort.Customer, error) {
	w := &where{args: []any{storeKey, idText(ids)}}
	t.customersPass(w, f, t.unindexedDates())
	found := t.rowsOf(txn.LookupBy{Columns: "id, email, customer_group_id", Table: "customers", Column: "id", Condition: w.text.String()})
	rows, err := t.Query("SELECT "+groupInEffect+", id, email FROM ("+found+") AS customers ORDER BY id", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanMemberWithEmail)
}

// MembersForUpdate is Members, and locks the rows of all customers with the ids: no other
// transaction writes them until this one ends. A customer that another transaction has
// changed meanwhile is returned, and compared with the filter, as it is then.
func (t *Tx) MembersForUpdate(storeKey string, ids []int64, f cohort.CustomerFilter) ([]cohort.Customer, error) {
	if lock := t.SQL().ForUpdate; lock != "" {
		// As in CustomersForUpdate, the statement that locks does not read.
		lookup := t.rowsOf(txn.LookupBy{Columns: "id", Table: "customers", Column: "id", Condition: lock})
		if err := t.Later(lookup, storeKey, idText(ids)); err != nil {
			return nil, err
		}
	}
	return t.Members(storeKey, ids, f)
}

// MembersOfGroup returns up to limit members of a group that exists, ordered by id, with
// the fields of Members.
func (t *Tx) MembersOfGroup(storeKey string, groupID int64, limit int) ([]cohort.Customer, error) {
	return t.membersOfGroup(storeKey, groupID, limit, "")
}

// MembersOfGroupForUpdate is MembersOfGroup, and locks the rows. The caller holds the group
// against new members.
func (t *Tx) MembersOfGroupForUpdate(storeKey string, groupID int64, limit int) ([]cohort.Customer, error) {
	return t.membersOfGroup(storeKey, groupID, limit, t.SQL().ForUpdate)
}

func (t *Tx) membersOfGroup(storeKey string, groupID int64, limit int, lock string) ([]cohort.Customer, error) {
	w := whereStore(storeKey)
	w.and("customer_group_id = ?", groupID)
	return t.queryMembers(w, " ORDER BY id LIMIT CAST("+w.arg(limit)+" AS BIGINT)"+lock)
}

func (t *Tx) queryMembers(w *where, end string) ([]cohort.Customer, error) {
	rows, err := t.Query("SELECT "+groupInEffect+", id, email FROM customers"+w.text.String()+end, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanMemberWithEmail)
}

func scanMemberWithEmail(row txn.Scanner) (c cohort.Customer, err error) {
	return c, row.Scan(&c.GroupID, &c.ID, &c.Email)
}

// MemberCount returns the number of members of a group, from the stored counts.
func (t *Tx) MemberCount(storeKey string, groupID int64) (n int64, err error) {
	err = t.QueryRow("SELECT CAST(coalesce(sum(members), 0) AS BIGINT) FROM member_counts WHERE store_hash = $1 AND group_id = $2", storeKey, groupID).Scan(&n)
	return n, err
}

// MoveMembers puts customers into a group, or into none for group 0, as UpdateCustomers
// does. The customers must be locked by this transaction, and their GroupID is that in
// which they are. The group must be locked against deletion.
//
// Each customer takes a statement, which is not awaited. A planner without statistics about
// a store would run one with many ids as a search through all customers of the store.
func (t *Tx) MoveMembers(storeKey string, customers []cohort.Customer, groupID int64, modified time.Time) error {
	counts := memberChanges{}
	for _, c := range customers {
		counts.add(c.GroupID, c.ID, -1)
		counts.add(groupID, c.ID, 1)
		err := t.Later("UPDATE customers SET customer_group_id = $3, "+setModified+" WHERE store_hash = $1 AND id = $4",
			storeKey, modified.UnixMilli(), groupID, c.ID)
		if err != nil {
			return err
		}
	}
	if err := t.changeMembers(storeKey, counts); err != nil {
		return err
	}
	return t.recordMoves(storeKey, customers, groupID)
}

// CustomerIDsByManyEmails returns the ids of the customers that have the emails, ignoring
// case, in no order.
func (t *Tx) CustomerIDsByManyEmails(storeKey string, emails []string) (ids []int64, err error) {
	folded := foldAll(emails)
	slices.Sort(folded)
	for chunk := range slices.Chunk(slices.Compact(folded), bulkChunk) {
		w := whereStore(storeKey)
		in(w, "email_folded", chunk)
		rows, err := t.Query("SELECT id FROM customers"+w.text.String(), w.args...)
		if err != nil {
			return nil, err
		}
		found, err := txn.Collect(rows, scanID)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	return ids, nil
}
