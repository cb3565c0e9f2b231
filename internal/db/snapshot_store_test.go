package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// Snapshots end with their store, and with the snapshot that replaces them. Those with many
// rows are left to the sweep.
func TestDeleteSnapshots(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const many = 501
		addStores(t, d, "small", "large", "gone")
		addGroups(t, d, "small", newGroup(1, "one"))
		addMembers(t, d, "large", 0, 1, many)
		sweep := func(want map[string]string) {
			t.Helper()
			var left []db.DeletedStore
			view(t, d, func(tx *db.Tx) (err error) {
				left, err = tx.DeletedStores()
				return err
			})
			for _, s := range left {
				if of, wanted := want[s.Key]; s.SnapshotOf != of && (wanted || of != "") {
					t.Errorf("the deleted %+v is a snapshot of %q", s, of)
				}
				sweepInBatches(t, d, s.Key, 1000)
			}
		}
		saveSnapshot(t, d, "small", "x")
		saveSnapshot(t, d, "small", "x")
		wantCopies(t, d, 1)
		update(t, d, func(tx *db.Tx) error { return tx.DeleteSnapshot("small", "x", t0) })
		wantCopies(t, d, 0)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.DeleteSnapshot("small", "x", t0) }), cohort.KindNotFound)

		saveSnapshot(t, d, "large", "x")
		saveSnapshot(t, d, "large", "x")
		saveSnapshot(t, d, "large", "")
		wantCopies(t, d, 3)
		view(t, d, func(tx *db.Tx) error {
			left, err := tx.DeletedStores()
			if len(left) != 1 || left[0].SnapshotOf != "large" {
				t.Errorf("the deleted stores are %+v, want a snapshot of large", left)
			}
			for most, want := range map[int]bool{many: false, 3*many + 2: true} {
				small, smallErr := tx.IsSmallStore("large", most)
				if small != want || smallErr != nil {
					t.Errorf("a store with its snapshots has at most %d rows: %v, error %v", most, small, smallErr)
				}
			}
			return err
		})
		sweep(nil)
		wantCopies(t, d, 2)

		saveSnapshot(t, d, "gone", "x")
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("gone") })
		wantCopies(t, d, 2)
		update(t, d, func(tx *db.Tx) error { return tx.MarkStoreDeleted("large", t0) })
		sweep(map[string]string{"large": ""})
		wantCopies(t, d, 0)
		for name, rows := range dump(t, d) {
			for _, row := range rows {
				if name != "store_generations" && strings.Contains(row, `"large"`) {
					t.Errorf("%s still has %s", name, row)
				}
			}
		}
	})
}

// Snapshots are no stores: nothing lists, finds, serves or expires them.
func TestSnapshotsAreHidden(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("UPDATE stores SET date_expires = 7 WHERE hash = 'a'")
			return err
		})
		saveSnapshot(t, d, "a", "x")
		var key string
		view(t, d, func(tx *db.Tx) error {
			if err := tx.QueryRow("SELECT hash FROM stores WHERE date_deleted = -1").Scan(&key); err != nil {
				return err
			}
			stores, err := tx.ListStores()
			if len(stores) != 1 || err != nil {
				t.Errorf("the stores are %+v, error %v", stores, err)
			}
			_, byHash := tx.StoreByHash(key)
			_, byKey := tx.Store(key)
			for _, err := range []error{byHash, byKey} {
				wantKind(t, err, cohort.KindNotFound)
			}
			if expired, err := tx.ExpiredStores(db.Times{System: t0}, 10); len(expired) != 1 || err != nil {
				t.Errorf("the expired stores are %q, error %v", expired, err)
			}
			left, err := tx.DeletedStores()
			if len(left) != 0 {
				t.Errorf("the deleted stores are %+v", left)
			}
			return err
		})
		for name, err := range map[string]error{
			"a write":            d.Update(db.ForStore(t.Context(), key), dbtest.Flush),
			"a deletion":         d.Update(t.Context(), func(tx *db.Tx) error { return tx.DeleteStore(key) }),
			"a snapshot":         d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.SaveSnapshot(key, "y", t0); return err }),
			"a reset":            d.Update(t.Context(), func(tx *db.Tx) error { return tx.ClearStore(key, t0) }),
			"an unknown restore": d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.RestoreSnapshot("a", "y", t0); return err }),
		} {
			if cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s of a snapshot: error %v", name, err)
			}
		}
	})
}

// A store has a number of snapshots at most; that of reset does not count. Replacing one is
// always possible.
func TestNumberOfSnapshots(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for i := range cohort.MaxSnapshots {
			saveSnapshot(t, d, "a", fmt.Sprint(i))
		}
		err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.SaveSnapshot("a", "more", t0); return err })
		wantKind(t, err, cohort.KindInvalid)
		saveSnapshot(t, d, "a", "7")
		saveSnapshot(t, d, "a", "")
		saveSnapshot(t, d, "b", "more")
		wantCopies(t, d, cohort.MaxSnapshots+2)
		view(t, d, func(tx *db.Tx) error {
			list, err := tx.Snapshots("a")
			if len(list) != cohort.MaxSnapshots || !slices.IsSortedFunc(list, func(a, b cohort.Snapshot) int { return strings.Compare(a.Name, b.Name) }) {
				t.Errorf("the list is %+v", list)
			}
			return err
		})
	})
}

// During an import a store is neither saved nor restored nor cleared. Pending deliveries are
// dropped by a restore, except those that are under way.
func TestSnapshotsBesideImportsAndJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		saveSnapshot(t, d, "a", "x")
		putJob(t, d, "a", "waits", "", t0)
		putJob(t, d, "a", "runs", "a worker", t0)
		restoreSnapshot(t, d, "a", "x")
		view(t, d, func(tx *db.Tx) error {
			jobs, err := tx.ListJobs("a", "")
			if len(jobs) != 1 || jobs[0].Subject != "runs" {
				t.Errorf("the jobs are %+v", jobs)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.BeginImport(db.ImportLease{StoreKey: "a", Owner: "an import", Now: t0, Until: t0.Add(time.Minute)})
			return err
		})
		for name, fn := range map[string]func(tx *db.Tx) error{
			"save":    func(tx *db.Tx) error { _, err := tx.SaveSnapshot("a", "y", t0); return err },
			"restore": func(tx *db.Tx) error { _, err := tx.RestoreSnapshot("a", "x", t0); return err },
			"clear":   func(tx *db.Tx) error { return tx.ClearStore("a", t0) },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindUnavailable {
				t.Errorf("%s during an import: error %v", name, err)
			}
		}
	})
}

// A store with too many rows is neither saved nor cleared.
func TestSnapshotOfALargeStore(t *testing.T) {
	testenv.Long(t, "it fills a store with 200 000 rows")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fill := func(until int) {
			t.Helper()
			update(t, d, func(tx *db.Tx) error {
				_, err := tx.Exec(`WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < CAST($1 AS BIGINT))
					INSERT INTO member_counts SELECT 'a', i, 0, 1 FROM n WHERE TRUE ON CONFLICT DO NOTHING`, until)
				return err
			})
		}
		fill(cohort.MaxSnapshotRows)
		saveSnapshot(t, d, "a", "most")
		fill(cohort.MaxSnapshotRows + 1)
		for name, fn := range map[string]func(tx *db.Tx) error{
			"save":    func(tx *db.Tx) error { _, err := tx.SaveSnapshot("a", "y", t0); return err },
			"restore": func(tx *db.Tx) error { _, err := tx.RestoreSnapshot("a", "most", t0); return err },
			"clear":   func(tx *db.Tx) error { return tx.ClearStore("a", t0) },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("%s of a large store: error %v", name, err)
			}
		}
	})
}
