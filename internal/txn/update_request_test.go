package txn_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/txn"
)

// A request whose context ends while it is queued is withdrawn: its function never runs,
// and the error does not say that the outcome is unknown.
func TestWithdrawnRequestNeverRuns(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		addStores(t, d, "a")
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		ran := false
		before := queue(t, d, add("a", "before"))
		withdrawn := queueUntil(ctx, d, func(*db.Tx) error { ran = true; return nil })
		after := queue(t, d, add("a", "after"))
		cancel()
		if err := <-withdrawn; !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "unknown") {
			t.Errorf("the withdrawn request: %v", err)
		}
		release()
		wantDone(t, before, after)
		wantGroups(t, d, "a", newGroup(1, "before"), newGroup(2, "after"))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if ran {
			t.Error("the function was called")
		}
	})
}

// A batch whose requests are all withdrawn does not block the next one.
func TestAllRequestsAreWithdrawn(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			queueUntil(ctx, d, func(*db.Tx) error { t.Error("the function was called"); return nil })
		}
		cancel()
		synctest.Wait()
		release()
		update(t, d, add("a", "x"))
		wantGroups(t, d, "a", newGroup(1, "x"))
	})
}

// The function of an update writes to variables of the caller, so Update does not return
// while the function runs, even if the context ends.
func TestUpdateWaitsForItsFunction(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan struct{})
		written := 0
		done := queueUntil(ctx, d, func(tx *db.Tx) error {
			<-end
			written++ // the race detector reports it if Update has returned
			return addNext(tx, "a", "x")
		})
		cancel()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("Update returned")
			written++
		}
		close(end)
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if written != 1 {
			t.Errorf("the function was called %d times", written)
		}
		update(t, d, add("a", "after"))
		wantGroups(t, d, "a", newGroup(1, "x"), newGroup(2, "after"))
	})
}

// If the context of one caller ends during the commit, its error says that the outcome is
// unknown. The commit continues, and other callers get its result.
func TestContextEndsDuringCommit(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		commit := make(chan struct{})
		d := openWith(t, url, func(s txn.Statement) error {
			if s.Query == "COMMIT" {
				<-commit
			}
			return s.Run()
		})
		go func() { commit <- struct{}{} }()
		addStores(t, d, "a")
		ctx, cancel := context.WithCancel(t.Context())
		var id int64
		cancelled := queueUntil(ctx, d, func(tx *db.Tx) (err error) {
			id, err = tx.NextID("a", "customer_group")
			return errors.Join(err, tx.InsertGroup("a", newGroup(id, "x")))
		})
		other := queue(t, d, add("a", "y"))
		if len(cancelled)+len(other) > 0 {
			t.Fatal("Update returned before the commit")
		}
		cancel()
		if err := <-cancelled; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "unknown") || id != 1 {
			t.Errorf("got error %v and id %d, want an unknown outcome and id 1", err, id)
		}
		close(commit)
		wantDone(t, other)
		wantGroups(t, d, "a", newGroup(1, "x"), newGroup(2, "y"))
	})
}

// The end of one caller's context does not affect other requests of the batch.
func TestContextEndsWithinABatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		first := queue(t, d, add("a", "first"))
		cancelled := queueUntil(ctx, d, func(tx *db.Tx) error { cancel(); return addNext(tx, "a", "second") })
		third := queue(t, d, add("a", "third"))
		release()
		wantDone(t, first, third)
		if err := <-cancelled; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		c.want(t, "+a/1 first, +a/2 second, +a/3 third")
	})
}
