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

// Who leaves the queue is told that nothing was done, and nothing is: neither
// when his turn comes nor later.
func TestTurnThatIsWithdrawnNeverRuns(t *testing.T) {
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
		left := queueUntil(ctx, d, func(*db.Tx) error { ran = true; return nil })
		behind := queue(t, d, add("a", "behind"))
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "unknown") {
			t.Errorf("who left is told %v", err)
		}
		release()
		wantDone(t, before, behind)
		wantGroups(t, d, "a", newGroup(1, "before"), newGroup(2, "behind"))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if ran {
			t.Error("the function was called")
		}
	})
}

// A batch in which nobody stayed must not keep others from theirs.
func TestAllWithdraw(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			queueUntil(ctx, d, func(*db.Tx) error { t.Error("the function is called"); return nil })
		}
		cancel()
		synctest.Wait()
		release()
		update(t, d, add("a", "x"))
		wantGroups(t, d, "a", newGroup(1, "x"))
	})
}

// A function writes to variables of its caller's, so the caller stays until it
// is through, whatever becomes of the context.
func TestCallerStaysWhileItsFunctionRuns(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan struct{})
		written := 0
		done := queueUntil(ctx, d, func(tx *db.Tx) error {
			<-end
			written++ // seen by the race detector, if the caller has gone on
			return addNext(tx, "a", "x")
		})
		cancel()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("the caller went on")
			written++
		}
		close(end)
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if written != 1 {
			t.Errorf("the function was called %d times", written)
		}
		update(t, d, add("a", "behind"))
		wantGroups(t, d, "a", newGroup(1, "x"), newGroup(2, "behind"))
	})
}

// Who leaves while the commit takes its time is told that it is not known what
// became of it, and it goes on without him. Those who stay are told the truth.
func TestCallerLeavesDuringTheCommit(t *testing.T) {
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
		leaves := queueUntil(ctx, d, func(tx *db.Tx) (err error) {
			id, err = tx.NextGroupID("a")
			return errors.Join(err, tx.InsertGroup("a", newGroup(id, "x")))
		})
		stays := queue(t, d, add("a", "y"))
		if len(leaves)+len(stays) > 0 {
			t.Fatal("somebody is told that it is done before the commit")
		}
		cancel()
		if err := <-leaves; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "unknown") || id != 1 {
			t.Errorf("who left is told %v, with id %d", err, id)
		}
		close(commit)
		wantDone(t, stays)
		wantGroups(t, d, "a", newGroup(1, "x"), newGroup(2, "y"))
	})
}

// The end of one caller's context does not reach the work of others, which may
// be in the same transaction.
func TestContextIsItsCallersAlone(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		first := queue(t, d, add("a", "first"))
		leaves := queueUntil(ctx, d, func(tx *db.Tx) error { cancel(); return addNext(tx, "a", "second") })
		third := queue(t, d, add("a", "third"))
		release()
		wantDone(t, first, third)
		if err := <-leaves; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		c.want(t, "+a/1 first, +a/2 second, +a/3 third")
	})
}
