package txn_test

import (
	"slices"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// A counter is moved without waiting for the disk, so when a standby takes over,
// ids may be under way that its counter knows nothing of. What is committed there
// with such an id moves the counter along. Else later callers would be refused one
// id after the other, or be given one that somebody has had and deleted.
func TestIDsOutliveTheirServer(t *testing.T) {
	for name, lose := range map[string]string{
		"the last moves of the counter": "UPDATE counters SET last_id = 1",
		"the counter":                   "DELETE FROM counters",
	} {
		t.Run(name, func(t *testing.T) {
			s := pgtest.Start(t, pgtest.Options{})
			d := dbtest.Open(t, s.URL())
			addStores(t, d, "a")
			add := func(meanwhile func()) (id int64) {
				update(t, d, func(tx *db.Tx) (err error) {
					if id, err = tx.NextGroupID("a"); err != nil {
						return err
					}
					meanwhile()
					return tx.InsertGroup("a", newGroup(id, "group"))
				})
				return id
			}
			var ids []int64
			for range 6 {
				ids = append(ids, add(func() {}))
			}
			ids = append(ids, add(func() { s.Exec(t, lose) }))
			// There are more ids below than an update has attempts.
			ids = append(ids, add(func() {}))
			if want := []int64{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(ids, want) {
				t.Errorf("the ids are %v, want %v", ids, want)
			}
		})
	}
}
