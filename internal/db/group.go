package db

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const groupColumns = "id, name, category_access, discount_rules, is_default, is_group_for_guests, date_created, date_modified"

var groupRow = txn.NewRowInsert("customer_groups", "store_hash TEXT", "name_folded TEXT", "id BIGINT", "name TEXT", "category_access TEXT",
	"discount_rules TEXT", "is_default BOOLEAN", "is_group_for_guests BOOLEAN", "date_created BIGINT", "date_modified BIGINT")

// CreateGroup is InsertGroup with the next id of the store. It returns the group with
// the id.
func (t *Tx) CreateGroup(storeKey string, g cohort.Group) (cohort.Group, error) {
	var err error
	if g.ID, err = t.NextID(storeKey, "customer_group"); err != nil {
		return g, err
	}
	return g, t.InsertGroup(storeKey, g)
}

// InsertGroup adds a group under its id. The commit returns KindInvalid if another
// group has the name, and KindConflict if another group has one of its flags; see
// ClearDefaultGroup and ClearGuestGroup.
func (t *Tx) InsertGroup(storeKey string, g cohort.Group) error {
	access, rules := encodeGroup(g)
	folded := Fold(g.Name)
	err := t.InsertInOrder(nameOrder(storeKey, folded), groupRow, storeKey, folded, g.ID, g.Name, access, rules, g.IsDefault, g.IsGroupForGuests,
		g.DateCreated.UnixMilli(), g.DateModified.UnixMilli())
	if err == nil && t.records() {
		err = t.recordGroup(storeKey, cohort.GroupCreated, g.ID, nil, groupValues(g, access, rules))
	}
	return t.Note(err, txn.Change{Kind: txn.GroupInserted, StoreKey: storeKey, Group: g})
}

// Group returns a group of the store, or KindNotFound.
func (t *Tx) Group(storeKey string, id int64) (cohort.Group, error) {
	return t.group(storeKey, id, "")
}

// GroupForUpdate is Group with a row lock: no other transaction writes the
// row until this one ends.
func (t *Tx) GroupForUpdate(storeKey string, id int64) (cohort.Group, error) {
	return t.group(storeKey, id, t.SQL().ForUpdate)
}

// GroupForDelete is Group with a row lock against everything: no other transaction writes
// the row or refers to it until this one ends.
func (t *Tx) GroupForDelete(storeKey string, id int64) (cohort.Group, error) {
	return t.group(storeKey, id, t.SQL().ForDelete)
}

// HasGroupNamed reports whether a group of the store has the name, ignoring case.
func (t *Tx) HasGroupNamed(storeKey, name string) (bool, error) {
	found, err := t.findID("SELECT id FROM customer_groups WHERE store_hash = $1 AND name_folded = $2 LIMIT 1", storeKey, Fold(name))
	return found != 0, err
}

func (t *Tx) group(storeKey string, id int64, lock string) (cohort.Group, error) {
	g, err := scanGroup(t.Lookup("SELECT "+groupColumns+
		" FROM customer_groups WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return g, cohort.NotFound(groupName(id))
	}
	return g, err
}

// GroupsForUpdate returns the groups that exist, ordered by id, and locks
// their rows until the transaction ends. It locks them in the order of their ids
// to avoid a deadlock between transactions that lock several groups.
func (t *Tx) GroupsForUpdate(storeKey string, ids []int64) ([]cohort.Group, error) {
	ids = slices.Sorted(slices.Values(ids))
	var all []cohort.Group
	for chunk := range slices.Chunk(ids, inChunk) {
		w := whereStore(storeKey)
		in(w, "id", chunk)
		rows, err := t.Query("SELECT "+groupColumns+" FROM customer_groups"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
		if err != nil {
			return nil, err
		}
		groups, err := txn.Collect(rows, scanGroup)
		if err != nil {
			return nil, err
		}
		all = append(all, groups...)
	}
	return all, nil
}

// ReadGroups calls fn with the groups of a page that pass the filter, ordered by
// id, until fn returns false. The database scans all rows before the page.
func (t *Tx) ReadGroups(storeKey string, f cohort.GroupFilter, p cohort.Page, fn func(cohort.Group) (more bool)) error {
	return listing[cohort.Group]{
		columns: groupColumns, table: "customer_groups", where: func() *where { return whereGroups(storeKey, f) },
		keys: byID, scan: scanGroup,
	}.each(t, p, p.Size, fn)
}

// ListGroups returns the rows that ReadGroups reads.
func (t *Tx) ListGroups(storeKey string, f cohort.GroupFilter, p cohort.Page) ([]cohort.Group, error) {
	return all(func(fn func(cohort.Group) bool) error { return t.ReadGroups(storeKey, f, p, fn) })
}

// ReadGroupsByID calls fn with the groups that have the ids and pass the filter,
// in the order of ids, until fn returns false.
func (t *Tx) ReadGroupsByID(storeKey string, f cohort.GroupFilter, ids []int64, fn func(cohort.Group) (more bool)) error {
	for _, id := range ids {
		w := whereGroups(storeKey, f)
		w.and("id = ?", id)
		g, err := scanGroup(t.Lookup("SELECT "+groupColumns+" FROM customer_groups"+w.text.String(), w.args...))
		if errors.Is(err, txn.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		if !fn(g) {
			return nil
		}
	}
	return nil
}

// EachGroup calls fn with up to limit groups of a store, ordered by id. It reads
// only the fields that filters use, not the discount rules and category access.
func (t *Tx) EachGroup(storeKey string, limit int, fn func(cohort.Group)) error {
	rows, err := t.Query(`SELECT id, name, is_default, is_group_for_guests, date_created, date_modified
		FROM customer_groups WHERE store_hash = $1 ORDER BY id LIMIT CAST($2 AS BIGINT)`, storeKey, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var g cohort.Group
		var created, modified int64
		if err := rows.Scan(&g.ID, &g.Name, &g.IsDefault, &g.IsGroupForGuests, &created, &modified); err != nil {
			return err
		}
		g.DateCreated, g.DateModified = fromMillis(created), fromMillis(modified)
		fn(g)
	}
	return rows.Err()
}

// CountGroups returns how many groups pass the filter.
func (t *Tx) CountGroups(storeKey string, f cohort.GroupFilter) (int64, error) {
	w := whereGroups(storeKey, f)
	var n int64
	err := t.QueryRow("SELECT count(*) FROM customer_groups"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// UpdateGroup overwrites the group with the same id, except its creation date, or
// returns KindNotFound. before is the group as read in this transaction. It returns
// KindInvalid and KindConflict as InsertGroup does.
func (t *Tx) UpdateGroup(storeKey string, before, g cohort.Group) error {
	access, rules := encodeGroup(g)
	was, folded := Fold(before.Name), Fold(g.Name)
	n, err := t.Exec(`UPDATE customer_groups SET name = $3, name_folded = $4, category_access = $5,
		discount_rules = $6, is_default = $7, is_group_for_guests = $8, date_modified = $9,
		name_copy = CASE WHEN name_folded = $4 THEN name_copy ELSE 0 END
		WHERE store_hash = $1 AND id = $2`,
		storeKey, g.ID, g.Name, folded, access, rules, g.IsDefault, g.IsGroupForGuests,
		g.DateModified.UnixMilli())
	if err == nil && was != folded {
		err = t.releaseName(storeKey, was)
	}
	err = requireRow(n, err, groupName(g.ID))
	if err == nil && t.records() {
		err = t.recordGroup(storeKey, cohort.GroupUpdated, g.ID, valuesOfGroup(before), groupValues(g, access, rules))
	}
	return t.Note(err, txn.Change{Kind: txn.GroupUpdated, StoreKey: storeKey, Group: g})
}

// setModified sets the modification date to $2 unless the stored one is later.
const setModified = "date_modified = CASE WHEN date_modified > $2 THEN date_modified ELSE $2 END"

// LockFlags takes the exclusive lock on the flags of the store's groups until the
// transaction ends. A transaction that moves a flag calls it before it locks any
// group.
func (t *Tx) LockFlags(storeKey string) error { return t.LockStore(flags, storeKey) }

// ClearDefaultGroup clears the default flag of the group that has it, and updates
// that group's modification date.
func (t *Tx) ClearDefaultGroup(storeKey string, modified time.Time) error {
	return t.clearFlag("is_default", storeKey, modified)
}

// ClearGuestGroup clears the guest flag of the group that has it, and updates
// that group's modification date.
func (t *Tx) ClearGuestGroup(storeKey string, modified time.Time) error {
	return t.clearFlag("is_group_for_guests", storeKey, modified)
}

func (t *Tx) clearFlag(column, storeKey string, modified time.Time) error {
	rows, err := t.Query("UPDATE customer_groups SET "+column+" = FALSE, "+setModified+" WHERE store_hash = $1 AND "+column+
		" RETURNING "+groupColumns, storeKey, modified.UnixMilli())
	if err != nil {
		return err
	}
	groups, err := txn.Collect(rows, scanGroup)
	for _, g := range groups {
		if err == nil && t.records() {
			err = t.recordClearedFlag(storeKey, column, g)
		}
		err = t.Note(err, txn.Change{Kind: txn.GroupUpdated, StoreKey: storeKey, Group: g})
	}
	return err
}

// recordClearedFlag records that a group has lost the flag in a column.
func (t *Tx) recordClearedFlag(storeKey, column string, g cohort.Group) error {
	var c eventChanges
	c.add(column, "true", "false")
	return t.record(storeKey, cohort.Event{Kind: cohort.GroupUpdated, EventIDs: cohort.EventIDs{GroupID: g.ID}, Changes: c.json()})
}

// DeleteGroup deletes a group, or returns KindNotFound. UnassignMembers has to follow, and
// records the deletion with the number of members.
func (t *Tx) DeleteGroup(storeKey string, id int64) error {
	if err := t.releaseChannels(storeKey, id); err != nil {
		return err
	}
	g, err := scanGroup(t.QueryRow("DELETE FROM customer_groups WHERE store_hash = $1 AND id = $2 RETURNING "+groupColumns, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return cohort.NotFound(groupName(id))
	}
	if err == nil {
		err = t.releaseName(storeKey, Fold(g.Name))
	}
	t.deletedGroup = g
	return t.Note(err, txn.Change{Kind: txn.GroupDeleted, StoreKey: storeKey, Group: cohort.Group{ID: id}})
}

func groupName(id int64) string { return fmt.Sprintf("customer group %d", id) }

func scanGroup(row txn.Scanner) (cohort.Group, error) {
	var g cohort.Group
	var access, rules string
	var created, modified int64
	if err := row.Scan(&g.ID, &g.Name, &access, &rules, &g.IsDefault, &g.IsGroupForGuests, &created, &modified); err != nil {
		return g, err
	}
	g.DateCreated, g.DateModified = fromMillis(created), fromMillis(modified)
	return g, decodeGroup(&g, access, rules)
}
