package db

import (
	"errors"

	"cohort.example/cohort/internal/txn"
)

// memberSlots is over how many rows a group's member count is spread.
const memberSlots = 16

// addMember counts a customer as a member of a group; in no group nobody counts.
func (t *Tx) addMember(storeKey string, groupID, customerID int64) error {
	if groupID == 0 {
		return nil
	}
	return t.Later(`INSERT INTO member_counts (store_hash, group_id, slot, members) VALUES ($1, $2, $3, 1)
		ON CONFLICT (store_hash, group_id, slot) DO UPDATE SET members = member_counts.members + 1`,
		storeKey, groupID, customerID%memberSlots)
}

// dropMember takes a customer out of a group's count. The counts of a group that
// was deleted meanwhile are gone.
func (t *Tx) dropMember(storeKey string, groupID, customerID int64) error {
	if groupID == 0 {
		return nil
	}
	return t.Later("UPDATE member_counts SET members = members - 1 WHERE store_hash = $1 AND group_id = $2 AND slot = $3",
		storeKey, groupID, customerID%memberSlots)
}

// moveMember counts a customer in another group. The counts are written in the
// order of the groups, so that two who change places do not wait for each other.
func (t *Tx) moveMember(storeKey string, from, to, customerID int64) error {
	if from < to {
		if err := t.dropMember(storeKey, from, customerID); err != nil {
			return err
		}
		return t.addMember(storeKey, to, customerID)
	}
	if err := t.addMember(storeKey, to, customerID); err != nil {
		return err
	}
	return t.dropMember(storeKey, from, customerID)
}

// MemberCounts returns how many members each group of the store has, without
// counting customers. A group without any may be missing.
func (t *Tx) MemberCounts(storeKey string) (map[int64]int64, error) {
	rows, err := t.Query("SELECT group_id, CAST(sum(members) AS BIGINT) FROM member_counts WHERE store_hash = $1 GROUP BY group_id", storeKey)
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

// DefaultGroupID returns the id of the store's default group, or 0. Until the
// transaction ends the group is there, and no other becomes the default: like
// LockFlags it comes before any group is locked.
func (t *Tx) DefaultGroupID(storeKey string) (int64, error) {
	if err := t.ShareStore(flags, storeKey); err != nil {
		return 0, err
	}
	return t.findID("SELECT id FROM customer_groups WHERE store_hash = $1 AND is_default"+t.SQL().ForKeyShare, storeKey)
}

// HasGroup reports whether the store has a group with the id, and will until the
// transaction ends.
func (t *Tx) HasGroup(storeKey string, id int64) (bool, error) {
	found, err := t.findID("SELECT id FROM customer_groups WHERE store_hash = $1 AND id = $2"+t.SQL().ForKeyShare, storeKey, id)
	return found != 0, err
}

// findID returns the id that a query finds, or 0.
func (t *Tx) findID(query string, args ...any) (id int64, err error) {
	err = t.Lookup(query, args...).Scan(&id)
	if errors.Is(err, txn.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// UnassignMembers takes every member out of a group that this transaction has
// deleted. Up to slice of them are written now; if there are more, the group
// is noted as departed, so that the others are in no group either from the
// commit on, and it reports that SweepTombstones has rows left to write.
func (t *Tx) UnassignMembers(storeKey string, groupID, slice int64) (more bool, err error) {
	// The customers come before the counts, as they do for who moves one of them.
	if more, err = t.unassignSlice(storeKey, groupID, slice); err != nil {
		return false, err
	}
	if err := t.Later("DELETE FROM member_counts WHERE store_hash = $1 AND group_id = $2", storeKey, groupID); err != nil || !more {
		return false, err
	}
	return true, t.Later("INSERT INTO departed_groups (store_hash, group_id) VALUES ($1, $2)", storeKey, groupID)
}

// SweepTombstones writes up to slice of the rows that still name a departed
// group. It reports whether there may be more. It can be done twice, and by
// several nodes.
func (t *Tx) SweepTombstones(slice int64) (more bool, err error) {
	var store string
	var group int64
	err = t.Lookup("SELECT store_hash, group_id FROM departed_groups LIMIT 1").Scan(&store, &group)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if more, err = t.unassignSlice(store, group, slice); err != nil || more {
		return more, err
	}
	// There may be another departed group.
	return true, t.Later("DELETE FROM departed_groups WHERE store_hash = $1 AND group_id = $2", store, group)
}

// unassignSlice takes up to slice customers out of a group that nobody can join
// any more. It reports whether others are left in it.
func (t *Tx) unassignSlice(storeKey string, groupID, slice int64) (more bool, err error) {
	// Up to the last of the slice, rather than one of it, is a piece of an index
	// for every planner, whatever it knows about the table.
	_, err = t.Exec(`UPDATE customers SET customer_group_id = 0 WHERE store_hash = $1 AND customer_group_id = $2 AND id <= (
		SELECT max(id) FROM (SELECT id FROM customers WHERE store_hash = $1 AND customer_group_id = $2
			ORDER BY id LIMIT CAST($3 AS BIGINT)) AS slice)`,
		storeKey, groupID, slice)
	if err != nil {
		return false, err
	}
	// How many there were says nothing: some of the slice may have left by
	// themselves meanwhile, or been taken out by another node.
	left, err := t.findID("SELECT id FROM customers WHERE store_hash = $1 AND customer_group_id = $2 LIMIT 1", storeKey, groupID)
	return left != 0, err
}
