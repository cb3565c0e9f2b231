package db_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// The search for hooks that want an event does not read the other hooks of the store.
func TestActiveHooksPlan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		view(t, d, func(tx *db.Tx) error {
			if tx.SQL().NoIndex == "" { // the planner has statistics, and decides by itself
				return nil
			}
			plans, err := tx.Plans(func() error {
				_, err := tx.ActiveHooks("a", []string{"store/customer/created", "store/customer/*", "store/*"})
				return err
			})
			if err != nil {
				return err
			}
			for _, plan := range plans {
				if !strings.Contains(plan, "hooks_by_scope (store_hash=? AND scope=?)") {
					t.Errorf("the plan:\n%s", plan)
				}
			}
			return nil
		})
	})
}
