package db_test

import (
	"context"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// t0 is the moment at which everything in these tests is created.
var t0 = time.Date(2024, 2, 29, 12, 30, 45, 678_000_000, time.UTC)

// everything selects and shows all groups of a store.
var (
	everything = cohort.GroupFilter{}
	onePage    = cohort.Page{Number: 1, Size: 1000}
)

type door = func(context.Context, func(*db.Tx) error) error

// doorsOf returns the ways into a database, for what holds of both.
func doorsOf(d *db.DB) map[string]door { return map[string]door{"Update": d.Update, "View": d.View} }

// update runs fn, which must succeed.
func update(t testing.TB, d *db.DB, fn func(*db.Tx) error) {
	t.Helper()
	if err := d.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// view runs fn, which must succeed.
func view(t testing.TB, d *db.DB, fn func(*db.Tx) error) {
	t.Helper()
	if err := d.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func addStores(t testing.TB, d *db.DB, hashes ...string) {
	t.Helper()
	for _, hash := range hashes {
		update(t, d, func(tx *db.Tx) error {
			return tx.InsertStore(cohort.Store{Hash: hash, Plan: cohort.PlanUnlimited, DateCreated: t0})
		})
	}
}

// newGroup returns a group that needs nothing else to be inserted.
func newGroup(id int64, name string) cohort.Group {
	return cohort.Group{
		ID: id, Name: name, CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll},
		DateCreated: t0, DateModified: t0,
	}
}

func addGroups(t testing.TB, d *db.DB, store string, groups ...cohort.Group) {
	t.Helper()
	for _, g := range groups {
		update(t, d, func(tx *db.Tx) error { return tx.InsertGroup(store, g) })
	}
}

// addNext is what creating a group comes to: the next id, and a row under it.
func addNext(tx *db.Tx, store, name string) error {
	id, err := tx.NextGroupID(store)
	if err != nil {
		return err
	}
	return tx.InsertGroup(store, newGroup(id, name))
}

// addGroup adds a group under the next id, which it returns.
func addGroup(t testing.TB, d *db.DB, store, name string) (id int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		if id, err = tx.NextGroupID(store); err != nil {
			return err
		}
		return tx.InsertGroup(store, newGroup(id, name))
	})
	return id
}

func listGroups(t testing.TB, d *db.DB, store string, f cohort.GroupFilter, p cohort.Page) (groups []cohort.Group) {
	t.Helper()
	view(t, d, func(tx *db.Tx) (err error) {
		groups, err = tx.ListGroups(store, f, p)
		return err
	})
	return groups
}

func countGroups(t testing.TB, d *db.DB, store string, f cohort.GroupFilter) (n int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) (err error) {
		n, err = tx.CountGroups(store, f)
		return err
	})
	return n
}

// settled returns once the statements before it have been carried out, which
// may otherwise be sent as late as with the commit.
func settled(tx *db.Tx) error {
	_, err := tx.Exec("UPDATE stores SET plan = plan WHERE FALSE")
	return err
}

// idsOf returns the ids of groups in their order.
func idsOf(groups []cohort.Group) []int64 {
	ids := make([]int64, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids
}

// wantGroups fails unless the store has exactly these groups.
func wantGroups(t testing.TB, d *db.DB, store string, want ...cohort.Group) {
	t.Helper()
	if diff := cmp.Diff(want, listGroups(t, d, store, everything, onePage), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("groups of %s (-want +got):\n%s", store, diff)
	}
}

func wantKind(t testing.TB, err error, want cohort.Kind) {
	t.Helper()
	if err == nil || cohort.KindOf(err) != want {
		t.Errorf("got error %v of kind %v, want kind %v", err, cohort.KindOf(err), want)
	}
}
