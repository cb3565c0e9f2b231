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

// Whoever adds a table that holds rows of stores has to have it swept.
func TestSweepKnowsTheSchema(t *testing.T) {
	kept := []string{"receipts"} // they go by their age
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

// sweepSlices sweeps a store in slices that are as small as can be, so many at most. It
// returns how many slices there were.
func sweepSlices(t *testing.T, d *db.DB, key string, most int) (slices int) {
	t.Helper()
	for more := true; more && slices < most; slices++ {
		update(t, d, func(tx *db.Tx) (err error) {
			_, more, err = tx.SweepStore(key, func(int64) bool { return true })
			return err
		})
	}
	return slices
}

// dumpWithout is what a database holds but for a store, by table.
func dumpWithout(t *testing.T, d *db.DB, key string) map[string][]string {
	t.Helper()
	all := dump(t, d)
	for name, rows := range all {
		all[name] = slices.DeleteFunc(rows, func(row string) bool { return name != "store_generations" && strings.Contains(row, `"`+key+`" `) })
	}
	return all
}

// A deleted store is gone at once, and a new one of its hash begins empty, whatever
// is left of the earlier one. The sweep takes that away bit by bit, goes on where
// another was stopped, and touches nothing else.
func TestSweepStore(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		fillInstallation(t, d)
		rest := dumpWithout(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return tx.EndStore("a", t0) })
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
		sweepSlices(t, d, "a", killedAfter)
		another := dbtest.Open(t, url)
		if n := sweepSlices(t, another, "a", 1000); n < len(db.SweptTables())/2 || n == 1000 {
			t.Errorf("%d slices", n)
		}
		sweepSlices(t, d, "a", 1) // it is done; to do it again does nothing
		wantGroups(t, d, next.Key, newGroup(1, "of the next"))
		view(t, d, func(tx *db.Tx) error {
			left, err := tx.DeletedStores()
			if len(left) != 0 {
				t.Errorf("left are %v", left)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore(next.Key) })
		got := dump(t, d)
		rest["store_generations"] = got["store_generations"]
		if diff := cmp.Diff(rest, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	})
}

// A key never comes back, however often a store is made and deleted, and in whatever
// way.
func TestKeysNeverComeBack(t *testing.T) {
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
				return tx.EndStore(want, t0)
			})
			wantStoresByKey(t, d)
			wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.EndStore(want, t0) }), cohort.KindNotFound)
		}
		// As an older version makes them, which knows nothing of keys.
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("INSERT INTO stores (hash, plan, quota, at_once, date_created) VALUES ('old', 'unlimited', 0, 0, 1)")
			return err
		})
		wantStoresByKey(t, d, "old")
		view(t, d, func(tx *db.Tx) error {
			st, err := tx.StoreByHash("old")
			if st.Key != "old" || st.Hash != "old" {
				t.Errorf("an older version's store is %+v", st)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("old") })
		update(t, d, func(tx *db.Tx) error {
			if key, err := tx.NextStoreKey("old"); key != "old~2" || err != nil {
				t.Errorf("the key after an older version's is %q, error %v", key, err)
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
				t.Errorf("by its hash it is %+v, error %v", byHash, err)
			}
			if byKey, err := tx.Store(s.Key); byKey != s || err != nil {
				t.Errorf("by its key it is %+v, error %v", byKey, err)
			}
		}
		return err
	})
	if !slices.Equal(got, want) {
		t.Errorf("stores are %q, want %q", got, want)
	}
}

// A worker claims no job of a deleted store.
func TestDueJobsOfADeletedStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		putJob(t, d, "a", "7", "", jobTime)
		putJob(t, d, "b", "8", "", jobTime)
		update(t, d, func(tx *db.Tx) error { return tx.EndStore("a", t0) })
		later := jobTime.AddDate(1, 0, 0)
		update(t, d, func(tx *db.Tx) error {
			for store, want := range map[string]int{"a": 0, "b": 1} {
				jobs, err := tx.LeaseJobs(db.Lane{Kind: kind, StoreHash: store}, later, "worker", later.AddDate(1, 0, 0), 10)
				if err != nil {
					return err
				}
				if len(jobs) != want {
					t.Errorf("leased of %s: %v", store, jobs)
				}
			}
			return nil
		})
		view(t, d, func(tx *db.Tx) error {
			if due, err := tx.HasDueJobs(kind, later); due || err != nil {
				t.Errorf("a job is due: %v, error %v", due, err)
			}
			return nil
		})
	})
}
