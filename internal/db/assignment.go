package db

import (
	"errors"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const assignmentColumns = "id, price_list_id, customer_group_id, channel_id"

// A transaction that writes assignments of a group locks the group's row, so that the
// assignments and the group's rules change together.

// CreateAssignment is InsertAssignment with the next id of the store. It returns the assignment with
// the id.
func (t *Tx) CreateAssignment(storeKey string, a cohort.PriceListAssignment) (cohort.PriceListAssignment, error) {
	var err error
	if a.ID, err = t.NextID(storeKey, "price_list_assignment"); err != nil {
		return a, err
	}
	return a, t.InsertAssignment(storeKey, a)
}

// InsertAssignment adds an assignment under its id. The commit returns
// KindConflict if the group already has an assignment in the channel.
func (t *Tx) InsertAssignment(storeKey string, a cohort.PriceListAssignment) error {
	err := t.Later("INSERT INTO price_list_assignments (store_hash, "+assignmentColumns+") VALUES ($1, $2, $3, $4, $5)",
		storeKey, a.ID, a.PriceListID, a.GroupID, a.ChannelID)
	if err != nil || !t.records() {
		return err
	}
	return t.record(storeKey, assignmentEvent(cohort.AssignmentCreated, a, nil, assignmentValues(a)))
}

// UpdateAssignment sets the price list of an assignment. before is the assignment as read in
// this transaction.
func (t *Tx) UpdateAssignment(storeKey string, before cohort.PriceListAssignment, listID int64) error {
	if before.PriceListID == listID {
		return nil
	}
	after := before
	after.PriceListID = listID
	err := t.Later("UPDATE price_list_assignments SET price_list_id = $3 WHERE store_hash = $1 AND id = $2", storeKey, before.ID, listID)
	if err != nil || !t.records() {
		return err
	}
	return t.record(storeKey, assignmentEvent(cohort.AssignmentUpdated, after, assignmentValues(before), assignmentValues(after)))
}

// ReadAssignments calls fn with the assignments of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadAssignments(storeKey string, f cohort.AssignmentFilter, p cohort.Page, fn func(cohort.PriceListAssignment) (more bool)) error {
	return listing[cohort.PriceListAssignment]{
		columns: assignmentColumns, table: "price_list_assignments",
		where: func() *where { return whereAssignments(storeKey, f) }, keys: byID, scan: scanAssignment,
	}.each(t, p, p.Size, fn)
}

// CountAssignments returns how many assignments pass the filter.
func (t *Tx) CountAssignments(storeKey string, f cohort.AssignmentFilter) (n int64, err error) {
	w := whereAssignments(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM price_list_assignments"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// AssignmentsForUpdate returns all assignments that pass the filter, ordered by
// id, and locks their rows until the transaction ends.
func (t *Tx) AssignmentsForUpdate(storeKey string, f cohort.AssignmentFilter) ([]cohort.PriceListAssignment, error) {
	return t.assignments(whereAssignments(storeKey, f), " ORDER BY id"+t.SQL().ForUpdate)
}

// AssignmentsOfGroup returns all assignments of a group, ordered by id. They do not change
// while the transaction holds the group's row.
func (t *Tx) AssignmentsOfGroup(storeKey string, groupID int64) ([]cohort.PriceListAssignment, error) {
	return t.assignments(whereAssignments(storeKey, cohort.AssignmentFilter{GroupIDs: []int64{groupID}}), " ORDER BY id")
}

// GroupsAssigned returns the ids of the groups whose assignments pass the filter,
// in ascending order.
func (t *Tx) GroupsAssigned(storeKey string, f cohort.AssignmentFilter) ([]int64, error) {
	w := whereAssignments(storeKey, f)
	rows, err := t.Query("SELECT DISTINCT customer_group_id FROM price_list_assignments"+w.text.String()+
		" AND customer_group_id > 0 ORDER BY customer_group_id", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// Assignment returns the assignment of a group in a channel, and false if there is
// none. Group 0 means all shoppers, channel 0 all channels.
func (t *Tx) Assignment(storeKey string, groupID, channelID int64) (a cohort.PriceListAssignment, ok bool, err error) {
	return found(scanAssignment(t.Lookup("SELECT "+assignmentColumns+
		" FROM price_list_assignments WHERE store_hash = $1 AND customer_group_id = $2 AND channel_id = $3",
		storeKey, groupID, channelID)))
}

// FirstAssignment returns the assignment that a group's price_list rule shows: the
// one for all channels, otherwise the one with the lowest channel id. It returns
// false if the group has none.
func (t *Tx) FirstAssignment(storeKey string, groupID int64) (a cohort.PriceListAssignment, ok bool, err error) {
	return found(scanAssignment(t.Lookup("SELECT "+assignmentColumns+
		" FROM price_list_assignments WHERE store_hash = $1 AND customer_group_id = $2 ORDER BY channel_id LIMIT 1",
		storeKey, groupID)))
}

// DeleteAssignments deletes assignments, which AssignmentsForUpdate has returned.
func (t *Tx) DeleteAssignments(storeKey string, list []cohort.PriceListAssignment) error {
	for chunk := range slices.Chunk(list, inChunk) {
		ids := make([]int64, len(chunk))
		for i, a := range chunk {
			ids[i] = a.ID
		}
		w := whereStore(storeKey)
		in(w, "id", ids)
		if err := t.Later("DELETE FROM price_list_assignments"+w.text.String(), w.args...); err != nil {
			return err
		}
	}
	return t.recordDeletedAssignments(storeKey, list)
}

// DeleteAssignmentsOfGroup deletes all assignments of a group.
func (t *Tx) DeleteAssignmentsOfGroup(storeKey string, groupID int64) error {
	if on, err := t.recordsFor(storeKey); err != nil || on {
		if err != nil {
			return err
		}
		return t.takeAssignmentsOfGroup(storeKey, groupID)
	}
	return t.Later("DELETE FROM price_list_assignments WHERE store_hash = $1 AND customer_group_id = $2", storeKey, groupID)
}

func (t *Tx) assignments(w *where, end string) ([]cohort.PriceListAssignment, error) {
	rows, err := t.Query("SELECT "+assignmentColumns+" FROM price_list_assignments"+w.text.String()+end, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanAssignment)
}

func whereAssignments(storeKey string, f cohort.AssignmentFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	in(w, "price_list_id", f.PriceListIDs)
	in(w, "customer_group_id", f.GroupIDs)
	in(w, "channel_id", f.ChannelIDs)
	return w
}

func scanAssignment(row txn.Scanner) (cohort.PriceListAssignment, error) {
	var a cohort.PriceListAssignment
	err := row.Scan(&a.ID, &a.PriceListID, &a.GroupID, &a.ChannelID)
	return a, err
}

// found turns ErrNoRows into false.
func found[T any](v T, err error) (T, bool, error) {
	if errors.Is(err, txn.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}
