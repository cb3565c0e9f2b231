package txn_test

import (
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// When a transaction that has a lock has failed, the next one gets the lock at once.
func TestTryLockAfterAFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		for range 20 {
			for _, want := range []error{errTest, nil} {
				err := d.Update(t.Context(), func(tx *db.Tx) error {
					free, err := tx.TryLock("a", [8]byte{1})
					if !free {
						t.Fatalf("the lock is not free, error %v", err)
					}
					return want
				})
				if (err == nil) != (want == nil) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
		}
	})
}
