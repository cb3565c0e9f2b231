package txn_test

import (
	"fmt"
	"slices"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// Moves of a counter do not wait for the disk. After a failover the counter may
// therefore be lower than an id that a running transaction has. The commit of that
// transaction raises the counter. Otherwise later callers would fail with one
// conflict per id, or get the id of a row that was deleted.
func TestCounterIsLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]string{
		"the last moves":    "UPDATE counters SET last_id = 1",
		"the whole counter": "DELETE FROM counters",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.MigratedPostgresURL(t)
			d := dbtest.Open(t, url)
			addStores(t, d, "a")
			add := func(beforeInsert func()) (id int64) {
				update(t, d, func(tx *db.Tx) (err error) {
					if id, err = tx.NextID("a", "customer_group"); err != nil {
						return err
					}
					beforeInsert()
					return tx.InsertGroup("a", newGroup(id, fmt.Sprint("group ", id)))
				})
				return id
			}
			var ids []int64
			for range 6 {
				ids = append(ids, add(func() {}))
			}
			ids = append(ids, add(func() {
				if err := execPostgres(t, url, lose); err != nil {
					t.Error(err)
				}
			}))
			// More ids are taken than Update retries conflicts.
			ids = append(ids, add(func() {}))
			if want := []int64{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(ids, want) {
				t.Errorf("the ids are %v, want %v", ids, want)
			}
		})
	}
}
