package txn_test

import (
	"maps"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// wantLastIDs fails unless the transaction has these last ids of store a.
func wantLastIDs(t *testing.T, tx *db.Tx, want map[string]int64) {
	t.Helper()
	if last, err := tx.LastIDs("a"); !maps.Equal(last, want) || err != nil {
		t.Errorf("the last ids are %v, error %v, want %v", last, err, want)
	}
}

// take allocates an id of store a in a transaction.
func take(t *testing.T, tx *db.Tx, kind string, want int64) {
	t.Helper()
	if id, err := tx.NextID("a", kind); id != want || err != nil {
		t.Errorf("the id of %s is %d, error %v, want %d", kind, id, err, want)
	}
}

// A transaction that replaces the ids of a store allocates them itself. Other nodes continue
// after it.
func TestReplaceIDs(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, other := dbtest.Open(t, url), dbtest.Open(t, url)
		update(t, d, func(tx *db.Tx) error { // on PostgreSQL another connection would not see the store
			if err := tx.InsertStore(cohort.Store{Hash: "a"}); err != nil {
				return err
			}
			if err := tx.ReplaceIDs("a", nil); err != nil {
				return err
			}
			take(t, tx, "group", 1)
			if first, err := tx.ReserveIDs("a", "product", 40, 2); first != 41 || err != nil {
				t.Errorf("reserved from %d on, error %v, want 41", first, err)
			}
			wantLastIDs(t, tx, map[string]int64{"group": 1, "product": 42})
			return nil
		})
		addStores(t, d, "b")
		wantNextID(t, other, "a", "group", 2)
		wantNextID(t, other, "a", "job", 1)
		wantNextID(t, d, "b", "group", 1)
		wantNextID(t, d, "a", "product", 43)

		update(t, d, func(tx *db.Tx) error {
			if err := tx.ReplaceIDs("b", map[string]int64{"group": 6}); err != nil {
				return err
			}
			if err := tx.ReplaceIDs("a", map[string]int64{"group": 9}, "job"); err != nil {
				return err
			}
			if err := tx.ReplaceIDs("a", map[string]int64{"group": 7, "job": 5}, "job"); err != nil { // the last one counts
				return err
			}
			take(t, tx, "group", 8)
			take(t, tx, "job", 2)
			return nil
		})
		wantNextID(t, other, "a", "group", 9)
		wantNextID(t, other, "a", "product", 1)
		wantNextID(t, other, "a", "job", 3)
		wantNextID(t, d, "b", "group", 7)
	})
}

// A transaction that fails leaves the ids as they were.
func TestReplacedIDsAreRolledBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		wantNextID(t, d, "a", "group", 1)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			if err := tx.ReplaceIDs("a", map[string]int64{"group": 50}); err != nil {
				return err
			}
			take(t, tx, "group", 51)
			return errTest
		})
		if err == nil {
			t.Fatal("the update succeeded")
		}
		wantNextID(t, d, "a", "group", 2)
	})
}
