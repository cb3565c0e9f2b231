package db_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// Members of a group that was deleted right before the save are in no group after a restore,
// though their rows still named it.
func TestSnapshotOfUnfinishedSweeps(t *testing.T) {
	members := testenv.Times[int64](5000, 600)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "leaves"), newGroup(2, "stays"))
		addMembers(t, d, "a", 1, 1, members)
		addMembers(t, d, "a", 2, 6000, 6001)
		update(t, d, func(tx *db.Tx) error {
			more, err := deleteGroup(tx, "a", 1, 5)
			if !more {
				t.Error("the deletion has left nothing to the sweep")
			}
			return err
		})
		saveSnapshot(t, d, "a", "base")
		addGroups(t, d, "a", newGroup(3, "later"))
		restoreSnapshot(t, d, "a", "base")
		wantGroups(t, d, "a", newGroup(2, "stays"))
		if left := contentOf(t, d, "a")["departed_groups"]; len(left) > 0 {
			t.Errorf("tombstones are left: %v", left)
		}
		view(t, d, func(tx *db.Tx) error {
			var all, left int64
			err := tx.QueryRow("SELECT count(*), coalesce(sum(CASE WHEN customer_group_id = 1 THEN 1 ELSE 0 END), 0) FROM customers WHERE store_hash = 'a'").Scan(&all, &left)
			if all != members+2 || left != 0 {
				t.Errorf("%d of %d customers are in the deleted group", left, all)
			}
			return err
		})
	})
}

// A sweep that has begun before a restore does not go on with what the restore brings back.
func TestSweepsOfARestoredStore(t *testing.T) {
	for name, sweep := range map[string]struct {
		leave func(tx *db.Tx) error
		run   func(tx *db.Tx) error
		step  string // begins the statement that would see the restored rows
	}{
		"groups": {
			func(tx *db.Tx) error { _, err := deleteGroup(tx, "a", 1, 5); return err },
			func(tx *db.Tx) error { _, err := tx.SweepTombstones(10, nil); return err },
			"UPDATE customers",
		},
		"attributes": {
			func(tx *db.Tx) error { return tx.DeleteAttributes("a", []int64{1}, t0) },
			func(tx *db.Tx) error { _, err := tx.SweepAttributes(10); return err },
			"SELECT id FROM customer_attribute_values",
		},
		"members": {
			func(tx *db.Tx) error { return tx.EmptySegments("a", nil) },
			func(tx *db.Tx) error { _, err := tx.SweepSegments(10); return err },
			"DELETE FROM segment_members",
		},
		"profiles": {
			func(tx *db.Tx) error {
				if err := tx.DeleteAllShopperProfiles("a"); err != nil {
					return err
				}
				_, err := tx.Exec("DELETE FROM departed_members WHERE store_hash = 'a'")
				return err
			},
			func(tx *db.Tx) error { _, err := tx.SweepSegments(10); return err },
			"SELECT generation + 1 FROM shopper_profiles",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addStores(t, d, "a")
				addGroups(t, d, "a", newGroup(1, "again"))
				addMembers(t, d, "a", 1, 1, 30)
				addSegments(t, d, "a", 1)
				addProfiles(t, d, "a", 1, 30)
				join(t, d, "a", 1, 1, 30)
				update(t, d, func(tx *db.Tx) error {
					if _, err := tx.CreateAttributes("a", []cohort.Attribute{newAttribute("Size", cohort.AttributeString)}); err != nil {
						return err
					}
					return tx.PutAttributeValues("a", []cohort.AttributeValue{newAttributeValue(0, 1, 1, "L")}, nil)
				})
				saveSnapshot(t, d, "a", "base")
				want := contentOf(t, d, "a")
				update(t, d, sweep.leave)

				restored := make(chan error, 1)
				restore := func() {
					go func() {
						restored <- d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.RestoreSnapshot("a", "base", t0); return err })
					}()
					waitForLock(t, d, restored)
				}
				begun := false
				update(t, d, func(tx *db.Tx) error {
					tx.Trace(func(query string, _ []any) {
						if !begun && strings.HasPrefix(query, sweep.step) {
							begun = true
							restore()
						}
					})
					return sweep.run(tx)
				})
				if !begun {
					t.Fatal("the sweep has found nothing to do")
				}
				if err := <-restored; err != nil {
					t.Error(err)
				}
				wantContent(t, d, "a", want)
			})
		})
	}
}

// waitForLock waits until a transaction on PostgreSQL waits for a lock, or something is
// done. On SQLite it returns: transactions wait for each other anyway.
func waitForLock(t *testing.T, d *db.DB, done chan error) {
	t.Helper()
	for waiting := 0; waiting == 0; {
		view(t, d, func(tx *db.Tx) error {
			if tx.SQL().ForUpdate == "" {
				waiting = 1
				return nil
			}
			return tx.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		})
		select {
		case err := <-done:
			done <- err
			return
		default:
		}
	}
}
