package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

func saveSnapshot(t testing.TB, d *db.DB, store, name string) (s cohort.Snapshot) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		s, err = tx.SaveSnapshot(store, name, t0)
		return err
	})
	return s
}

func restoreSnapshot(t testing.TB, d *db.DB, store, name string) (s cohort.Snapshot) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		s, err = tx.RestoreSnapshot(store, name, t0)
		return err
	})
	return s
}

func clearStore(t testing.TB, d *db.DB, store string) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error { return tx.ClearStore(store, t0) })
}

// contentOf returns the rows of a store in the tables with its content, by table, and its
// counters and settings.
func contentOf(t *testing.T, d *db.DB, store string) map[string][]string {
	t.Helper()
	content := map[string][]string{}
	for name, rows := range dump(t, d) {
		if name != "counters" && !slices.Contains(db.ContentTables(), name) {
			continue
		}
		for _, row := range rows {
			if strings.HasPrefix(row, fmt.Sprintf("%q ", store)) && !strings.Contains(row, `"job"`) {
				content[name] = append(content[name], row)
			}
		}
	}
	return content
}

// wantContent fails unless a store has this content.
func wantContent(t *testing.T, d *db.DB, store string, want map[string][]string) {
	t.Helper()
	if diff := cmp.Diff(want, contentOf(t, d, store)); diff != "" {
		t.Errorf("store %s (-want +got):\n%s", store, diff)
	}
}

// wantCopies fails unless there are rows of n snapshots, and no more.
func wantCopies(t *testing.T, d *db.DB, n int) {
	t.Helper()
	copies := map[string]bool{}
	for name, rows := range dump(t, d) {
		for _, row := range rows {
			if name != "snapshots" && strings.HasPrefix(row, `".`) {
				key, _, _ := strings.Cut(row, " ")
				copies[key] = true
			}
		}
	}
	if len(copies) != n {
		t.Errorf("there are rows of %d snapshots, want %d: %v", len(copies), n, copies)
	}
}

// A restore brings back every row of the content, the counters and the settings, and
// changes nothing of other stores. What reads ignored at the save is gone.
func TestRestoreSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fillInstallation(t, d)
		var before cohort.Store
		view(t, d, func(tx *db.Tx) (err error) {
			before, err = tx.Store("b")
			return err
		})
		saved := saveSnapshot(t, d, "b", "full")
		want, other := contentOf(t, d, "b"), contentOf(t, d, "a")
		rows := 0
		for name, list := range want {
			if name != "counters" {
				rows += len(list)
			}
		}
		if int(saved.Rows) != rows || saved.Name != "full" || !saved.DateCreated.Equal(t0) {
			t.Errorf("saved %+v, want %d rows", saved, rows)
		}
		for _, name := range db.ContentTables() {
			if left := strings.HasPrefix(name, "departed_"); len(want[name]) > 0 == left {
				t.Errorf("table %s has %d rows after the save", name, len(want[name]))
			}
		}

		update(t, d, func(tx *db.Tx) error {
			st, err := tx.StoreForUpdate("b")
			if err != nil {
				return err
			}
			st.Profile, st.Catalog, st.Currency, st.Quota = fullProfile, cohort.CatalogManaged, "EUR", 7
			return tx.UpdateStore(st, st)
		})
		clearStore(t, d, "b")
		wantContent(t, d, "b", map[string][]string{})
		addGroups(t, d, "b", newGroup(1, "another"), newGroup(70, "later"))

		if got := restoreSnapshot(t, d, "b", "full"); got != saved {
			t.Errorf("restored %+v, want %+v", got, saved)
		}
		wantContent(t, d, "b", want)
		wantContent(t, d, "a", other)
		view(t, d, func(tx *db.Tx) error {
			after, err := tx.Store("b")
			before.Quota = 7 // limits stay
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the settings (-want +got):\n%s", diff)
			}
			return err
		})
	})
}

// After a restore ids continue as in the snapshot, however often it is restored. The versions
// of jobs never go back.
func TestIDsAfterRestore(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, other := dbtest.Open(t, url), dbtest.Open(t, url)
		addStores(t, d, "a")
		id := func(d *db.DB, kind string, want int64) {
			t.Helper()
			update(t, d, func(tx *db.Tx) error {
				got, err := tx.NextID("a", kind)
				if got != want {
					t.Errorf("the id of %s is %d, want %d", kind, got, want)
				}
				return err
			})
		}
		for want := range int64(3) {
			id(d, "customer_group", want+1)
		}
		id(d, "job", 1)
		saveSnapshot(t, d, "a", "base")
		for i := range int64(3) {
			id(d, "customer_group", 4)
			id(other, "customer_group", 5)
			id(other, "customer", 1)
			id(d, "job", i+2)
			restoreSnapshot(t, d, "a", "base")
		}
		clearStore(t, d, "a")
		id(other, "customer_group", 1)
		id(d, "job", 5)
	})
}

// A transaction can create a store, fill it and save it: the seed of a store.
func TestSnapshotOfANewStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed := func(key string, names ...string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				if key == "" {
					st, err := tx.CreateStore(cohort.Store{Hash: "a", DateCreated: t0}.WithDefaults())
					if err != nil {
						return err
					}
					key = st.Key
				}
				if err := tx.ClearStore(key, t0); err != nil {
					return err
				}
				for _, name := range names {
					id, err := tx.NextID(key, "customer_group")
					if err != nil {
						return err
					}
					if err := tx.InsertGroup(key, newGroup(id, name)); err != nil {
						return err
					}
				}
				_, err := tx.SaveSnapshot(key, "", t0)
				return err
			}
		}
		update(t, d, seed("", "one", "two"))
		want := []cohort.Group{newGroup(1, "one"), newGroup(2, "two")}
		wantGroups(t, d, "a", want...)
		clearStore(t, d, "a")
		wantGroups(t, d, "a")
		restoreSnapshot(t, d, "a", "")
		wantGroups(t, d, "a", want...)
		update(t, d, func(tx *db.Tx) error { return dbtest.AddNext(tx, "a", "three") })
		update(t, d, seed("a", "other"))
		restoreSnapshot(t, d, "a", "")
		wantGroups(t, d, "a", newGroup(1, "other"))
		wantCopies(t, d, 1)
		view(t, d, func(tx *db.Tx) error {
			list, err := tx.Snapshots("a")
			if len(list) != 0 {
				t.Errorf("the list has the snapshot of reset: %+v", list)
			}
			return err
		})
	})
}
