package db_test

import (
	"context"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// TestDeleteWaitsForAssign checks that PriceListForDelete waits for a transaction
// that assigns the list, and that the deleting transaction then sees the
// assignment.
func TestDeleteWaitsForAssign(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, s.URL())
	addStores(t, d, "a")
	update(t, d, func(tx *db.Tx) error {
		return tx.InsertPriceList("a", cohort.PriceList{ID: 1, Name: "Wholesale", DateCreated: t0, DateModified: t0})
	})
	var assignments int64
	deleted := make(chan error, 1)
	remove := func() {
		deleted <- d.Update(context.Background(), func(tx *db.Tx) (err error) {
			if _, err = tx.PriceListForDelete("a", 1); err != nil {
				return err
			}
			assignments, err = tx.CountAssignments("a", cohort.AssignmentFilter{PriceListIDs: []int64{1}})
			return err
		})
	}
	update(t, d, func(tx *db.Tx) error {
		if has, err := tx.HasPriceList("a", 1); err != nil || !has {
			t.Errorf("the list exists: %v, error %v", has, err)
			return err
		}
		go remove()
		for s.Count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0 && len(deleted) == 0 {
			continue
		}
		return tx.InsertAssignment("a", cohort.PriceListAssignment{ID: 1, PriceListID: 1, GroupID: 7})
	})
	if err := <-deleted; err != nil || assignments != 1 {
		t.Errorf("the deleting transaction sees %d assignments, want 1, error %v", assignments, err)
	}
}
