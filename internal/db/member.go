package db

import (
	"errors"
	"time"

	"cohort.example/cohort/internal/txn"
)

// memberSlots is the number of rows that share a group's member count, so that
// concurrent writers rarely wait for the same row.
const memberSlots = 16

// MemberCounts returns the number of members of groups of the store, or of all groups if
// none is given, from the stored counts. A group without members may be missing.
func (t *Tx) MemberCounts(storeKey string, groups ...int64) (map[int64]int64, error) {
	w := whereStore(storeKey)
	in(w, "group_id", groups)
	rows, err := t.Query("SELECT group_id, CAST(sum(members) AS BIGINT) FROM member_counts"+w.text.String()+" GROUP BY group_id", w.args...)
	if err != nil {
		return nil, err
	}
	type count struct{ group, members int64 }
	list, err := txn.Collect(rows, func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.group, &c.members) })
	counts := make(map[int64]int64, len(list))
	for _, c := range list {
		counts[c.group] = c.members
	}
	return counts, err
}

// HasGroup reports whether the store has a group with the id, and locks the group
// against deletion until the transaction ends.
func (t *Tx) HasGroup(storeKey string, id int64) (bool, error) {
	found, err := t.findID("SELECT id FROM customer_groups WHERE store_hash = $1 AND id = $2"+t.SQL().ForKeyShare, storeKey, id)
	return found != 0, err
}

// HasGroups returns which of the groups exist, and locks them against deletion until the
// transaction ends. Group 0 does not exist.
func (t *Tx) HasGroups(storeKey string, ids []int64) (map[int64]bool, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT id FROM customer_groups"+w.text.String()+" ORDER BY id"+t.SQL().ForKeyShare, w.args...)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanID)
	found := make(map[int64]bool, len(list))
	for _, id := range list {
		found[id] = true
	}
	return found, err
}

// findID returns the id that a query finds, or 0.
func (t *Tx) findID(query string, args ...any) (id int64, err error) {
	err = t.Lookup(query, args...).Scan(&id)
	if errors.Is(err, txn.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// findIDs returns the ids that a query finds.
func (t *Tx) findIDs(query string, args ...any) ([]int64, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// UnassignMembers removes every member from a group that this transaction deletes.
// It updates the rows of up to limit customers. If there are more, it inserts a
// tombstone, so that from the commit on the other members count as in no group,
// and returns true: SweepTombstones must update their rows.
func (t *Tx) UnassignMembers(storeKey string, groupID, limit int64) (more bool, err error) {
	told := false
	if t.records() {
		if told, err = t.hasHookOfRemovals(storeKey); err != nil {
			return false, err
		}
	}
	// Customers are locked before counts, as in transactions that move a customer.
	gone, more, err := t.unassignBatch(storeKey, groupID, limit, told)
	if err != nil {
		return false, err
	}
	if err := t.deleteCounts(storeKey, groupID); err != nil {
		return false, err
	}
	if err := t.recordRemovals(storeKey, groupID, gone); err != nil || !more {
		return false, err
	}
	return true, t.Later("INSERT INTO departed_groups (store_hash, group_id) VALUES ($1, $2)", storeKey, groupID)
}

// deleteCounts deletes the member counts of a deleted group, and records the deletion.
func (t *Tx) deleteCounts(storeKey string, groupID int64) error {
	const deleteAll = "DELETE FROM member_counts WHERE store_hash = $1 AND group_id = $2"
	if !t.records() || t.deletedGroup.ID != groupID {
		return t.Later(deleteAll, storeKey, groupID)
	}
	// The counts wait for customers that another transaction is moving, so they are exact.
	rows, err := t.Query(deleteAll+" RETURNING members", storeKey, groupID)
	if err != nil {
		return err
	}
	members := int64(0)
	if err := txn.Each(rows, scanID, func(n int64) bool { members += n; return true }); err != nil {
		return err
	}
	return t.recordDeletedGroup(storeKey, t.deletedGroup, members)
}

// SweepTombstones updates up to limit customers' rows that still name a deleted
// group, and deletes the tombstone after the last one. It reports whether there
// may be more to do. Several nodes may call it concurrently.
//
// If the store has a webhook for that, it records that the customers left the group, as a
// change of the one who deleted it. now returns the time of a store.
func (t *Tx) SweepTombstones(limit int64, now func(storeKey string) time.Time) (more bool, err error) {
	store, numbers, found, err := t.takeForSweep("departed_groups", "TRUE", "group_id")
	if err != nil || !found {
		return false, err
	}
	group := numbers[0]
	told, err := t.hasHookOfRemovals(store)
	if err != nil {
		return false, err
	}
	gone, more, err := t.unassignBatch(store, group, limit, told)
	if err != nil {
		return false, err
	}
	if err := t.recordSweep(store, group, gone, now); err != nil || more {
		return more, err
	}
	// There may be another tombstone.
	return true, t.Later("DELETE FROM departed_groups WHERE store_hash = $1 AND group_id = $2", store, group)
}

// unassignBatch removes up to limit customers from a deleted group. If told, it returns their
// ids. It reports whether rows are left that name the group.
func (t *Tx) unassignBatch(storeKey string, groupID, limit int64, told bool) (gone []int64, more bool, err error) {
	// The condition "id <= last id of the batch" is an index range scan for every
	// planner, even without statistics; "id IN (batch)" is not.
	const unassign = `UPDATE customers SET customer_group_id = 0 WHERE store_hash = $1 AND customer_group_id = $2 AND id <= (
		SELECT max(id) FROM (SELECT id FROM customers WHERE store_hash = $1 AND customer_group_id = $2
			ORDER BY id LIMIT CAST($3 AS BIGINT)) AS batch)`
	if told {
		gone, err = t.findIDs(unassign+" RETURNING id", storeKey, groupID, limit)
	} else {
		_, err = t.Exec(unassign, storeKey, groupID, limit)
	}
	if err != nil {
		return nil, false, err
	}
	// The number of updated rows does not show whether rows are left: other
	// transactions may have moved customers of the batch to other groups.
	left, err := t.findID("SELECT id FROM customers WHERE store_hash = $1 AND customer_group_id = $2 LIMIT 1", storeKey, groupID)
	return gone, left != 0, err
}
