package txn_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

func nextID(t testing.TB, d *db.DB, store, kind string) (id int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		id, err = tx.NextID(store, kind)
		return err
	})
	return id
}

func raiseID(t testing.TB, d *db.DB, store, kind string, to int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.ReserveIDs(store, kind, to, 0)
		return err
	})
}

func wantNextID(t testing.TB, d *db.DB, store, kind string, want int64) {
	t.Helper()
	if id := nextID(t, d, store, kind); id != want {
		t.Errorf("the next id of %s, %s is %d, want %d", store, kind, id, want)
	}
}

// Reserved ids are not allocated again, on the same node or on another. Other kinds and
// stores are not affected.
func TestReserveIDs(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, other := dbtest.Open(t, url), dbtest.Open(t, url)
		addStores(t, d, "a", "b")
		raiseID(t, d, "a", "product", 1000)
		wantNextID(t, d, "a", "product", 1001)
		wantNextID(t, d, "a", "variant", 1)
		wantNextID(t, d, "b", "product", 1)
		for _, to := range []int64{1002, 999, 1, 0, -7} { // only the first raises the counter
			raiseID(t, d, "a", "product", to)
		}
		wantNextID(t, other, "a", "product", 1003)
		raiseID(t, other, "b", "product", 1)
		wantNextID(t, d, "b", "product", 2)
		raiseID(t, d, "a", "category", 1<<40)
		wantNextID(t, dbtest.Open(t, url), "a", "category", 1<<40+1)
	})
}

// On SQLite a transaction that is rolled back reserves no ids.
func TestReservedIDsAreRolledBack(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	addStores(t, d, "a")
	wantNextID(t, d, "a", "product", 1)
	for _, kind := range []string{"product", "variant"} { // with a cached counter, and without
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			for _, to := range []int64{50, 70, 60} {
				if _, err := tx.ReserveIDs("a", kind, to, 0); err != nil {
					return err
				}
			}
			if err := flush(tx); err != nil {
				return err
			}
			return errTest
		})
		if err == nil {
			t.Fatal("the update succeeded")
		}
	}
	wantNextID(t, d, "a", "product", 2)
	wantNextID(t, d, "a", "variant", 1)
}

// An id that is allocated while ids are being reserved is above the reserved ones.
func TestNextIDDuringReserve(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, other := dbtest.Open(t, url), dbtest.Open(t, url)
		addStores(t, d, "a")
		if first := nextID(t, d, "a", "product"); first != 1 {
			t.Fatalf("the first id is %d", first)
		}
		var wg sync.WaitGroup
		ids := make([]int64, 20)
		var once sync.Once // the update may be retried
		update(t, d, func(tx *db.Tx) error {
			if _, err := tx.ReserveIDs("a", "product", 100, 0); err != nil {
				return err
			}
			if err := flush(tx); err != nil {
				return err
			}
			once.Do(func() {
				for i := range ids {
					wg.Go(func() {
						err := []*db.DB{d, other}[i%2].Update(context.Background(), func(tx *db.Tx) (err error) {
							ids[i], err = tx.NextID("a", "product")
							return err
						})
						if err != nil {
							t.Error(err)
						}
					})
				}
			})
			return nil
		})
		wg.Wait()
		slices.Sort(ids)
		for i, id := range ids {
			if want := int64(101 + i); id != want {
				t.Fatalf("the ids are %v", ids)
			}
		}
	})
}

// Concurrent reservations and allocations do not deadlock, and no id is allocated twice.
// At the end the counter is above every reserved id.
func TestConcurrentReserveAndNextID(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	nodes := []*db.DB{dbtest.Open(t, url), dbtest.Open(t, url)}
	addStores(t, nodes[0], "a")
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := map[int64]bool{}
	for i := range 8 {
		d := nodes[i%2]
		wg.Go(func() {
			for n := range 20 {
				err := d.Update(context.Background(), func(tx *db.Tx) error {
					_, err := tx.ReserveIDs("a", "product", int64(1+10*n+i), 0)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				var id int64
				err := d.Update(context.Background(), func(tx *db.Tx) (err error) {
					id, err = tx.NextID("a", "product")
					return err
				})
				mu.Lock()
				if err != nil || taken[id] {
					t.Errorf("id %d: allocated before: %t, error %v", id, taken[id], err)
				}
				taken[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if id := nextID(t, nodes[0], "a", "product"); id <= 198 {
		t.Errorf("the next id is %d, want one above 198", id)
	}
}
