package db_test

import (
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSweepKnowsTheSchema fails when a migration adds a table with rows of stores
// that SweepStore does not sweep.
func TestSweepKnowsTheSchema(t *testing.T) {
	kept := []string{"receipts"} // deleted by age
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		view(t, d, func(tx *db.Tx) error {
			for name, columns := range tx.Schema(t) {
				ofStores := slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, "store_hash") })
				if swept := slices.Contains(db.SweptTables(), name) || slices.Contains(kept, name); swept != ofStores {
					t.Errorf("%s has rows of stores: %v, is swept: %v", name, ofStores, swept)
				}
			}
			return nil
		})
	})
}

// sweepInBatches sweeps a store in the smallest possible batches, at most maxBatches.
// It returns the number of batches.
func sweepInBatches(t *testing.T, d *db.DB, key string, maxBatches int) (batches int) {
	t.Helper()
	for more := true; more && batches < maxBatches; batches++ {
		update(t, d, func(tx *db.Tx) (err error) {
			_, more, err = tx.SweepStore(key, func(int64) bool { return true })
			return err
		})
	}
	return batches
}

// dumpWithout is dump without the rows of a store.
func dumpWithout(t *testing.T, d *db.DB, key string) map[string][]string {
	t.Helper()
	all := dump(t, d)
	for name, rows := range all {
		all[name] = slices.DeleteFunc(rows, func(row string) bool { return name != "store_generations" && strings.Contains(row, `"`+key+`" `) })
	}
	return all
}

// TestSweepStore checks that a store is invisible once it is marked as deleted, and
// that a new store with its hash begins empty. The sweep deletes the rows in
// batches, continues where another sweep stopped, and deletes no other rows.
func TestSweepStore(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		fillInstallation(t, d)
		rest := dumpWithout(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return tx.MarkStoreDeleted("a", t0) })
		wantStoresByKey(t, d, "b")
		wantTokens(t, d, "")
		var next cohort.Store
		update(t, d, func(tx *db.Tx) error {
			key, err := tx.NextStoreKey("a")
			if err != nil {
				return err
			}
			next = cohort.Store{Hash: "a", Key: key, DateCreated: t0}
			return tx.InsertStore(next)
		})
		if next.Key != "a~2" {
			t.Errorf("the next key is %q", next.Key)
		}
		wantStoresByKey(t, d, "a~2", "b")
		addGroups(t, d, next.Key, newGroup(1, "of the next"))

		const killedAfter = 4
		sweepInBatches(t, d, "a", killedAfter)
		another := dbtest.Open(t, url)
		if n := sweepInBatches(t, another, "a", 1000); n < len(db.SweptTables())/2 || n == 1000 {
			t.Errorf("%d batches", n)
		}
		sweepInBatches(t, d, "a", 1) // a further sweep deletes nothing
		wantGroups(t, d, next.Key, newGroup(1, "of the next"))
		view(t, d, func(tx *db.Tx) error {
			left, err := tx.DeletedStores()
			if len(left) != 0 {
				t.Errorf("stores left to sweep: %v", left)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore(next.Key) })
		got := dump(t, d)
		rest["store_generations"] = got["store_generations"]
		if diff := cmp.Diff(rest, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("rows after the sweep (-want +got):\n%s", diff)
		}
	})
}

// TestKeysAreNotReused checks that a recreated store never gets an earlier key,
// whichever way the earlier store was deleted.
func TestKeysAreNotReused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for i, want := range []string{"a", "a~2", "a~3", "a~4"} {
			update(t, d, func(tx *db.Tx) error {
				key, err := tx.NextStoreKey("a")
				if err != nil {
					return err
				}
				if key != want {
					t.Errorf("the key is %q, want %q", key, want)
				}
				return tx.InsertStore(cohort.Store{Hash: "a", Key: key, DateCreated: t0})
			})
			wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error {
				return tx.InsertStore(cohort.Store{Hash: "a", Key: "another"})
			}), cohort.KindConflict)
			update(t, d, func(tx *db.Tx) error {
				if i%2 == 0 {
					return tx.DeleteStore(want)
				}
				return tx.MarkStoreDeleted(want, t0)
			})
			wantStoresByKey(t, d)
			wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.MarkStoreDeleted(want, t0) }), cohort.KindNotFound)
		}
		// A store as an older version, without keys, creates it.
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("INSERT INTO stores (hash, plan, quota, at_once, date_created) VALUES ('old', 'unlimited', 0, 0, 1)")
			return err
		})
		wantStoresByKey(t, d, "old")
		view(t, d, func(tx *db.Tx) error {
			st, err := tx.StoreByHash("old")
			if st.Key != "old" || st.Hash != "old" {
				t.Errorf("the store of an older version is %+v", st)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("old") })
		update(t, d, func(tx *db.Tx) error {
			if key, err := tx.NextStoreKey("old"); key != "old~2" || err != nil {
				t.Errorf("the key after that of an older version is %q, error %v", key, err)
			}
			return nil
		})
	})
}

func wantStoresByKey(t *testing.T, d *db.DB, want ...string) {
	t.Helper()
	var got []string
	view(t, d, func(tx *db.Tx) error {
		stores, err := tx.ListStores()
		for _, s := range stores {
			got = append(got, s.Key)
			if byHash, err := tx.StoreByHash(s.Hash); byHash != s || err != nil {
				t.Errorf("StoreByHash returns %+v, error %v", byHash, err)
			}
			if byKey, err := tx.Store(s.Key); byKey != s || err != nil {
				t.Errorf("Store returns %+v, error %v", byKey, err)
			}
		}
		return err
	})
	if !slices.Equal(got, want) {
		t.Errorf("stores are %q, want %q", got, want)
	}
}

// TestDueJobsOfADeletedStore checks that a worker leases no job of a deleted store.
func TestDueJobsOfADeletedStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		putJob(t, d, "a", "7", "", jobTime)
		putJob(t, d, "b", "8", "", jobTime)
		update(t, d, func(tx *db.Tx) error { return tx.MarkStoreDeleted("a", t0) })
		later := jobTime.AddDate(1, 0, 0)
		update(t, d, func(tx *db.Tx) error {
			for store, want := range map[string]int{"a": 0, "b": 1} {
				jobs, err := tx.LeaseJobs(db.Lane{Kind: kind, StoreKey: store}, db.Times{System: later}, "worker", later.AddDate(1, 0, 0), 10)
				if err != nil {
					return err
				}
				if len(jobs) != want {
					t.Errorf("leased jobs of %s: %v, want %d", store, jobs, want)
				}
			}
			return nil
		})
		view(t, d, func(tx *db.Tx) error {
			if due, err := tx.HasDueJobs(kind, db.Times{System: later}); due || err != nil {
				t.Errorf("a job is due: %v, error %v", due, err)
			}
			return nil
		})
	})
}
