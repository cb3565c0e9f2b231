package txn_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/txn"
)

// TestSynchronousStandby runs both tests on one pair of servers, because a pair takes
// seconds to start. The second test stops the primary.
func TestSynchronousStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	standby := primary.Standby(t)
	primary.Synchronous(t, standby)
	makeTables(t, primary.URL())
	t.Run("the wait for it is cancelled", func(t *testing.T) { testStandbyWaitCancelled(t, primary, standby) })
	t.Run("it rejects writes until it is promoted", func(t *testing.T) { testPromotion(t, primary, standby) })
}

// An operator cancels a commit's wait for the standby. The server then acknowledges a
// commit that only the primary has. Update does not return before the standby has it.
func testStandbyWaitCancelled(t *testing.T, primary, standby *pgtest.Server) {
	d := dbtest.Open(t, primary.URL())
	addStores(t, d, "cancelled")
	standby.Pause()
	done := make(chan error, 1)
	go func() {
		done <- d.Update(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
			if _, err := tx.Group("cancelled", 1); err == nil {
				t.Error("the group exists already")
			}
			return tx.InsertGroup("cancelled", newGroup(1, "Wholesale"))
		})
	}()
	deadline := time.Now().Add(time.Minute)
	for cancelled := 0; cancelled < 2 && time.Now().Before(deadline); {
		// First the commit, then the query for its receipt.
		cancelled += int(primary.Count(t, `SELECT count(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			WHERE wait_event = 'SyncRep' AND application_name = 'cohort') AS cancelled`))
		select {
		case err := <-done:
			t.Fatalf("Update returned (error %v) before the standby had the commit", err)
		default:
		}
	}
	standby.Continue()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantGroups(t, d, "cancelled", newGroup(1, "Wholesale"))
}

// The URL names both servers. When the primary has stopped, updates reach the standby
// and fail there; after its promotion they succeed.
func testPromotion(t *testing.T, primary, standby *pgtest.Server) {
	both := changedURL(t, primary.URL(), func(u *url.URL) { u.Host = primary.Addr() + "," + standby.Addr() })
	d := dbtest.Open(t, both)
	d.SetTimeouts(txn.Timeouts{Retry: 500 * time.Millisecond})
	prepareStore(t, d, "a")
	update(t, d, func(tx *db.Tx) error { return changeGroup.run(tx, "a") })
	primary.Stop()
	for _, op := range []operation{createGroup, changeGroup} {
		wantUnavailable(t, d.Update(t.Context(), func(tx *db.Tx) error { return op.run(tx, "a") }), "read-only")
	}
	wantEqual(t, "the store", changeGroup.after(1), contents(t, d, "a")) // views still work
	standby.Promote()
	update(t, d, func(tx *db.Tx) error { return changeGroup.run(tx, "a") })
	wantEqual(t, "the store", changeGroup.after(2), contents(t, d, "a"))
}
