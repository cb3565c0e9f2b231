package db

// memberSlots is over how many rows a group's member count is spread.
const memberSlots = 16

// countMember adds to the count of a group's members; in no group nobody counts.
func (t *Tx) countMember(storeHash string, groupID, customerID, add int64) error {
	if groupID == 0 {
		return nil
	}
	_, err := t.exec(`INSERT INTO member_counts (store_hash, group_id, slot, members) VALUES ($1, $2, $3, $4)
		ON CONFLICT (store_hash, group_id, slot) DO UPDATE SET members = member_counts.members + $4`,
		storeHash, groupID, customerID%memberSlots, add)
	return err
}

// MemberCounts returns how many members each group of the store has, without
// counting customers. A group without any may be missing.
func (t *Tx) MemberCounts(storeHash string) (map[int64]int64, error) {
	rows, err := t.query("SELECT group_id, CAST(sum(members) AS BIGINT) FROM member_counts WHERE store_hash = $1 GROUP BY group_id", storeHash)
	if err != nil {
		return nil, err
	}
	type count struct{ group, members int64 }
	list, err := collect(rows, func(row scanner) (c count, err error) { return c, row.Scan(&c.group, &c.members) })
	counts := make(map[int64]int64, len(list))
	for _, c := range list {
		counts[c.group] = c.members
	}
	return counts, err
}

// DefaultGroupID returns the id of the store's default group, or 0.
func (t *Tx) DefaultGroupID(storeHash string) (int64, error) {
	var id int64
	err := t.queryRow("SELECT coalesce(max(id), 0) FROM customer_groups WHERE store_hash = $1 AND is_default", storeHash).Scan(&id)
	return id, err
}

// HasGroup reports whether the store has a group with the id.
func (t *Tx) HasGroup(storeHash string, id int64) (bool, error) {
	var n int64
	err := t.queryRow("SELECT count(*) FROM customer_groups WHERE store_hash = $1 AND id = $2", storeHash, id).Scan(&n)
	return n > 0, err
}

// UnassignMembers takes every member out of a group that this transaction
// deletes. Up to slice of them are written now; if there are more, the group
// is noted as departed, so that the others are in no group either from the
// commit on, and it reports that SweepDeparted has rows left to write.
func (t *Tx) UnassignMembers(storeHash string, groupID, slice int64) (more bool, err error) {
	if _, err := t.exec("DELETE FROM member_counts WHERE store_hash = $1 AND group_id = $2", storeHash, groupID); err != nil {
		return false, err
	}
	n, err := t.unassignSlice(storeHash, groupID, slice)
	if err != nil || n < slice {
		return false, err
	}
	_, err = t.exec("INSERT INTO departed_groups (store_hash, group_id) VALUES ($1, $2)", storeHash, groupID)
	return true, err
}

// SweepDeparted writes up to slice of the rows that still name a departed
// group. It reports whether there may be more. It can be done twice, and by
// several nodes.
func (t *Tx) SweepDeparted(slice int64) (more bool, err error) {
	rows, err := t.query("SELECT store_hash, group_id FROM departed_groups LIMIT 1")
	if err != nil {
		return false, err
	}
	type group struct {
		store string
		id    int64
	}
	groups, err := collect(rows, func(row scanner) (g group, err error) { return g, row.Scan(&g.store, &g.id) })
	if err != nil || len(groups) == 0 {
		return false, err
	}
	g := groups[0]
	n, err := t.unassignSlice(g.store, g.id, slice)
	if err != nil || n == slice {
		return true, err
	}
	_, err = t.exec("DELETE FROM departed_groups WHERE store_hash = $1 AND group_id = $2", g.store, g.id)
	return true, err
}

func (t *Tx) unassignSlice(storeHash string, groupID, slice int64) (int64, error) {
	return t.exec(`UPDATE customers SET customer_group_id = 0 WHERE store_hash = $1 AND customer_group_id = $2 AND id IN (
		SELECT id FROM customers WHERE store_hash = $1 AND customer_group_id = $2 ORDER BY id LIMIT $3)`,
		storeHash, groupID, slice)
}
