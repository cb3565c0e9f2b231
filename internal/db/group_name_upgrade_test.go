package db

import (
	"database/sql"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

// insertOldGroup is the statement with which versions before the migration
// 0011_group_names.sql insert a group, also while they run beside a newer node.
const insertOldGroup = `INSERT INTO customer_groups (store_hash, name_folded, id, name, category_access, discount_rules, is_default, is_group_for_guests, date_created, date_modified)
	VALUES ($1, $2, $3, $4, '{"type":"all"}', '[]', FALSE, FALSE, 1, 1)`

// oldGroups are groups of a database from before names were unique.
var oldGroups = []struct {
	store string
	id    int64
	name  string
}{
	{"a", 1, "VIP"}, {"a", 2, "vip"}, {"a", 5, "Vip"}, {"a", 7, "Straße"}, {"a", 8, "STRASSE"}, {"a", 9, "other"},
	{"b", 3, "vip"}, {"b", 4, "other"},
}

// withOldNames runs fn with a database of each engine that had oldGroups before it was
// upgraded.
func withOldNames(t *testing.T, fn func(t *testing.T, d *DB)) {
	t.Helper()
	atSchema(t, 10, func(t *testing.T, url string, old *sql.DB) {
		for _, store := range []string{"a", "b"} {
			run(t, old, "INSERT INTO stores (hash, plan, quota, at_once, date_created) VALUES ($1, 'unlimited', 0, 0, 1)", store)
		}
		for _, g := range oldGroups {
			run(t, old, insertOldGroup, g.store, Fold(g.name), g.id, g.name)
		}
		fn(t, openAt(t, url))
	})
}

// wantNames fails unless the store has exactly groups of these names, by id.
func wantNames(t *testing.T, d *DB, store string, want map[int64]string) {
	t.Helper()
	got := map[int64]string{}
	err := d.View(t.Context(), func(tx *Tx) error {
		groups, err := tx.ListGroups(store, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 100})
		for _, g := range groups {
			got[g.ID] = g.Name
		}
		return err
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("groups of %s, error %v (-want +got):\n%s", store, err, diff)
	}
}

// tryName inserts a group under an id, or renames the group that has it, and fails
// unless the database accepts the name or not.
func tryName(t *testing.T, d *DB, store string, id int64, name string, accepted bool) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *Tx) error {
		g, err := tx.GroupForUpdate(store, id)
		if cohort.KindOf(err) == cohort.KindNotFound {
			return tx.InsertGroup(store, cohort.Group{ID: id, Name: name})
		}
		if err != nil {
			return err
		}
		before := g
		g.Name = name
		return tx.UpdateGroup(store, before, g)
	})
	switch {
	case accepted && err != nil:
		t.Errorf("group %d, name %q: %v", id, name, err)
	case !accepted && cohort.KindOf(err) != cohort.KindInvalid:
		t.Errorf("group %d, name %q: got error %v, want KindInvalid", id, name, err)
	}
}

func deleteGroups(t *testing.T, d *DB, store string, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		if err := d.Update(t.Context(), func(tx *Tx) error { return tx.DeleteGroup(store, id) }); err != nil {
			t.Errorf("delete group %d: %v", id, err)
		}
	}
}

// A database that has groups of one name opens and works. It accepts every write except
// one that would make another group of a name.
func TestOldNamesStay(t *testing.T) {
	withOldNames(t, func(t *testing.T, d *DB) {
		wantNames(t, d, "a", map[int64]string{1: "VIP", 2: "vip", 5: "Vip", 7: "Straße", 8: "STRASSE", 9: "other"})
		wantNames(t, d, "b", map[int64]string{3: "vip", 4: "other"})
		for _, g := range oldGroups {
			tryName(t, d, g.store, g.id, g.name, true) // an update that keeps the name
		}
		tryName(t, d, "a", 2, "viP", true) // another case
		tryName(t, d, "a", 10, "vip", false)
		tryName(t, d, "a", 10, "strasse", false)
		tryName(t, d, "a", 10, "OTHER", false)
		tryName(t, d, "a", 9, "vip", false)
		tryName(t, d, "a", 8, "VIP", false) // of one old name to another
		tryName(t, d, "b", 10, "straße", true)
		wantNames(t, d, "a", map[int64]string{1: "VIP", 2: "viP", 5: "Vip", 7: "Straße", 8: "STRASSE", 9: "other"})
	})
}

// The name stays taken until the last group that has it is deleted or renamed, in
// whatever order that happens.
func TestOldNameIsFreedWithItsLastGroup(t *testing.T) {
	withOldNames(t, func(t *testing.T, d *DB) {
		deleteGroups(t, d, "a", 1) // the first
		tryName(t, d, "a", 10, "vip", false)
		tryName(t, d, "a", 2, "two", true) // the first of the rest
		tryName(t, d, "a", 10, "vip", false)
		tryName(t, d, "a", 2, "vip", false) // it cannot go back
		deleteGroups(t, d, "a", 5)
		tryName(t, d, "a", 10, "VIP", true)
		tryName(t, d, "a", 2, "vip", false)
		tryName(t, d, "a", 11, "TWO", false)

		tryName(t, d, "a", 8, "Gasse", true) // the last
		tryName(t, d, "a", 12, "strasse", false)
		deleteGroups(t, d, "a", 8)
		tryName(t, d, "a", 12, "strasse", false)
		tryName(t, d, "a", 7, "Weg", true)
		tryName(t, d, "a", 12, "strasse", true)
		tryName(t, d, "a", 7, "strasse", false)
		wantNames(t, d, "a", map[int64]string{2: "two", 7: "Weg", 9: "other", 10: "VIP", 12: "strasse"})
		wantNames(t, d, "b", map[int64]string{3: "vip", 4: "other"})
	})
}

// Two transactions delete groups of one old name at once. On PostgreSQL the first has
// not committed when the second looks for a group that is left.
func TestOldNameDuringConcurrentDeletions(t *testing.T) {
	withOldNames(t, func(t *testing.T, d *DB) {
		second := make(chan error, 1)
		err := d.Update(t.Context(), func(tx *Tx) error {
			if err := tx.DeleteGroup("a", 2); err != nil {
				return err
			}
			go func() { second <- d.Update(t.Context(), func(tx *Tx) error { return tx.DeleteGroup("a", 1) }) }()
			for waiting := int64(0); !d.SeesAllWrites() && waiting == 0; {
				if err := tx.QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() AND locktype = 'transactionid'").Scan(&waiting); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-second; err != nil {
			t.Fatal(err)
		}
		tryName(t, d, "a", 10, "vip", false)
		wantTexts(t, d.View, []string{"5 0"}, "SELECT CAST(id AS TEXT) || ' ' || CAST(name_copy AS TEXT) FROM customer_groups WHERE store_hash = 'a' AND name_folded = 'vip'")
		deleteGroups(t, d, "a", 5)
		tryName(t, d, "a", 10, "vip", true)
	})
}

// During an upgrade, nodes of an older version insert groups with their own statement.
// The index rejects their duplicates too.
func TestOlderVersionInsertsGroups(t *testing.T) {
	withOldNames(t, func(t *testing.T, d *DB) {
		insert := func(id int64, name string) error {
			return d.Update(t.Context(), func(tx *Tx) error {
				_, err := tx.Exec(insertOldGroup, "a", Fold(name), id, name)
				return err
			})
		}
		if err := insert(10, "new"); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"New", "vip"} {
			if err := insert(11, name); err == nil {
				t.Errorf("another group with the name %q is inserted", name)
			}
		}
		tryName(t, d, "a", 11, "NEW", false)
	})
}
