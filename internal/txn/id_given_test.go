package txn_test

import (
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// The ids that a transaction is given come first, and then those after the last one.
func TestGiveIDs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		var got []int64
		take := func(id int64, err error) error {
			got = append(got, id)
			return err
		}
		update(t, d, func(tx *db.Tx) error {
			if err := tx.LockWriters("a"); err != nil {
				return err
			}
			if err := tx.ReplaceIDs("a", map[string]int64{"customer_group": 9}); err != nil {
				return err
			}
			return tx.GiveIDs("a", map[string][]int64{"customer_group": {7, 3, 4}}, func() error {
				for _, do := range []func() error{
					func() error { return take(tx.NextID("a", "customer_group")) },
					func() error { return take(tx.ReserveIDs("a", "customer_group", 0, 2)) },
					func() error { return take(tx.NextID("a", "customer_group")) },
					func() error { return take(tx.ReserveIDs("a", "channel", 1, 3)) },
					func() error { return take(tx.NextID("b", "customer_group")) },
				} {
					if err := do(); err != nil {
						return err
					}
				}
				return nil
			})
		})
		wantEqual(t, "ids", []int64{7, 3, 10, 2, 1}, got)
		view(t, d, func(tx *db.Tx) error {
			for kind, want := range map[string]int64{"customer_group": 10, "channel": 4} {
				if last, err := tx.LastID("a", kind); err != nil || last != want {
					t.Errorf("last id of %s: %d, %v, want %d", kind, last, err, want)
				}
			}
			return nil
		})
	})
}

// A batch for which the given ids are not consecutive fails.
func TestGivenIDsOfABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		for _, next := range [][]int64{{1, 3}, {2, 1}, {5}} {
			err := d.Update(t.Context(), func(tx *db.Tx) error {
				return tx.GiveIDs("a", map[string][]int64{"customer": next}, func() error {
					_, err := tx.ReserveIDs("a", "customer", 0, 2)
					return err
				})
			})
			if err == nil {
				t.Errorf("%v were given as two ids in a row", next)
			}
		}
	})
}
