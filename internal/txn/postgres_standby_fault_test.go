package txn_test

import (
	"context"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// Somebody cancels the wait of a commit for its standby. The server then
// acknowledges what only one machine has; the caller is not told before the
// standby has it.
func TestWaitForTheStandbyIsCancelled(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	standby := primary.Standby(t)
	primary.Synchronous(t, standby)
	d := dbtest.Open(t, primary.URL())
	addStores(t, d, "a")
	standby.Pause()
	done := make(chan error, 1)
	go func() {
		done <- d.Update(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
			if _, err := tx.Group("a", 1); err == nil {
				t.Error("the group is there already")
			}
			return tx.InsertGroup("a", newGroup(1, "Wholesale"))
		})
	}()
	deadline := time.Now().Add(time.Minute)
	for cancelled := 0; cancelled < 2 && time.Now().Before(deadline); {
		// The commit, and then the question what became of it.
		cancelled += int(primary.Count(t, `SELECT count(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			WHERE wait_event = 'SyncRep' AND application_name = 'cohort') AS cancelled`))
		select {
		case err := <-done:
			t.Fatalf("the caller was told (error %v) before the standby had it", err)
		default:
		}
	}
	standby.Continue()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantGroups(t, d, "a", newGroup(1, "Wholesale"))
}
