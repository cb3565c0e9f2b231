package txn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

func TestQueuedRequestsShareACommit(t *testing.T) {
	const n = txn.MaxBatch + 44
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		var queued []<-chan error
		var want []cohort.Group
		for i := range n {
			name := fmt.Sprint("group ", i+1)
			queued = append(queued, queue(t, d, add("a", name)))
			want = append(want, newGroup(int64(i+1), name)) // in the order of the queue
		}
		release()
		wantDone(t, queued...)
		wantGroups(t, d, "a", want...)

		var sizes []int
		for _, commit := range c.take() {
			sizes = append(sizes, strings.Count(commit, "+"))
		}
		if want := []int{txn.MaxBatch, n - txn.MaxBatch}; !slices.Equal(sizes, want) {
			t.Errorf("commits of %d updates, want %d", sizes, want)
		}
	})
}

// A single request after a large batch is processed too.
func TestSingleRequestAfterABatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		for _, round := range []string{"first", "second"} {
			release := hold(t, d)
			var queued []<-chan error
			for _, n := range []string{" one", " two", " three"} {
				queued = append(queued, queue(t, d, add("a", round+n)))
			}
			release()
			wantDone(t, queued...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // on the fake clock
			if err := d.Update(ctx, add("a", round+" single")); err != nil {
				t.Error(err)
			}
			cancel()
		}
		c.want(t, "+a/1 first one, +a/2 first two, +a/3 first three", "+a/4 first single",
			"+a/5 second one, +a/6 second two, +a/7 second three", "+a/8 second single")
	})
}

// badRequests are ways in which a function fails, and a check of the error of Update.
var badRequests = []struct {
	name string
	fail func(*db.Tx) error
	want func(error) bool
}{
	{"an error", func(*db.Tx) error { return errTest }, func(err error) bool { return errors.Is(err, errTest) }},
	{"a panic", func(*db.Tx) error { panic("ours") }, func(err error) bool { return strings.HasPrefix(err.Error(), "panic: ours") }},
	{"a runtime panic", func(*db.Tx) error { return []error{}[len(kinds)] }, func(err error) bool { return strings.HasPrefix(err.Error(), "panic: runtime error") }},
	{"a unique index", func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "again")) }, isKind(cohort.KindConflict)},
	{"a foreign key", func(tx *db.Tx) error { return tx.InsertGroup("none", newGroup(1, "x")) }, isKind(cohort.KindNotFound)},
	{"no row", func(tx *db.Tx) error { return tx.DeleteGroup("a", 99) }, isKind(cohort.KindNotFound)},
	{"wrong SQL", func(tx *db.Tx) error { _, err := tx.Exec("SELECT nowhere"); return err }, isKind(cohort.KindInternal)},
	{"an error of the service", func(*db.Tx) error { return &cohort.Error{Kind: cohort.KindForbidden} }, isKind(cohort.KindForbidden)},
}

func isKind(kind cohort.Kind) func(error) bool {
	return func(err error) bool { return cohort.KindOf(err) == kind }
}

// A request that fails within a batch is rolled back alone, and each caller gets the
// result of its own request.
func TestRequestFailsWithinABatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		first := newGroup(1, "first")
		first.IsDefault = true
		update(t, d, func(tx *db.Tx) error {
			return errors.Join(addNext(tx, "a", "first"), tx.UpdateGroup("a", first, first))
		})
		c := watch(d)
		release := hold(t, d)
		calls := make([]int, len(badRequests))
		var good, bad []<-chan error
		want, notified := []cohort.Group{first}, []string{}
		for i, r := range badRequests {
			bad = append(bad, queue(t, d, func(tx *db.Tx) error {
				calls[i]++
				if err := errors.Join(addNext(tx, "a", "lost"), tx.ClearDefaultGroup("a", t0), tx.DeleteGroup("a", 1)); err != nil {
					return err
				}
				// Without the rollback this row would conflict with the next requests.
				if err := tx.InsertGroup("a", newGroup(1, "lost too")); err != nil {
					return err
				}
				return r.fail(tx)
			}))
			name := fmt.Sprint("after ", r.name)
			good = append(good, queue(t, d, add("a", name)))
			want = append(want, newGroup(int64(i+2), name))
			notified = append(notified, fmt.Sprintf("+a/%d %s", i+2, name))
		}
		release()
		wantDone(t, good...)
		for i, r := range badRequests {
			if err := <-bad[i]; err == nil || !r.want(err) || calls[i] != 1 {
				t.Errorf("%s: called %d times, got error %v", r.name, calls[i], err)
			}
		}
		wantGroups(t, d, "a", want...)
		c.want(t, strings.Join(notified, ", "))
	})
}

// A panic of the function continues in the caller's goroutine, with the original stack.
func TestPanicReachesTheCaller(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		err := attempt(t.Context(), d, panicsHere)
		if err == nil || !strings.Contains(err.Error(), "panicsHere") {
			t.Errorf("got %v, want a panic with the stack of the function", err)
		}
		update(t, d, add("a", "next"))
	})
}

func panicsHere(*db.Tx) error { panic("ours") }

// A batch is committed when maxBatchTime has passed. The remaining requests are first in
// the next batch.
func TestBatchTimeIsBounded(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		end := make(chan struct{})
		queued := []<-chan error{
			queue(t, d, add("a", "quick")),
			queue(t, d, func(tx *db.Tx) error {
				<-end
				time.Sleep(txn.MaxBatchTime + 1) // on the fake clock
				return addNext(tx, "a", "slow")
			}),
			queue(t, d, add("a", "late")), queue(t, d, add("a", "later")),
		}
		release()
		queued = append(queued, queue(t, d, add("a", "last")))
		close(end)
		wantDone(t, queued...)
		c.want(t, "+a/1 quick, +a/2 slow", "+a/3 late, +a/4 later, +a/5 last")
	})
}

// Each batch runs at least one request, even if it is slow.
func TestEachBatchRunsARequest(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		slow := func(name string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { time.Sleep(time.Second); return addNext(tx, "a", name) }
		}
		queued := []<-chan error{queue(t, d, slow("one")), queue(t, d, slow("two")), queue(t, d, slow("three"))}
		release()
		wantDone(t, queued...)
		c.want(t, "+a/1 one", "+a/2 two", "+a/3 three")
	})
}

// Many requests of one store do not delay the request of another store.
func TestStoresShareABatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		var queued []<-chan error
		for range txn.MaxBatch + 10 {
			queued = append(queued, queueUntil(db.ForStore(t.Context(), "a"), d, add("a", newName())))
		}
		queued = append(queued, queueUntil(db.ForStore(t.Context(), "b"), d, add("b", "last")))
		release()
		wantDone(t, queued...)
		commits := c.take()
		if len(commits) != 2 || !strings.Contains(commits[0], "+b/1 last") {
			t.Errorf("got %d commits, want 2 with the other store in the first", len(commits))
		}
	})
}

// A store with several slow requests does not keep another one from its commit.
func TestSlowRequestsEndASharedBatch(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		release := hold(t, d)
		var queued []<-chan error
		for _, name := range []string{"one", "two", "three"} {
			queued = append(queued, queueUntil(db.ForStore(t.Context(), "a"), d, func(tx *db.Tx) error {
				time.Sleep(txn.MaxSharedTime + 1) // on the fake clock
				return addNext(tx, "a", name)
			}))
		}
		queued = append(queued, queueUntil(db.ForStore(t.Context(), "b"), d, add("b", "quick")))
		release()
		wantDone(t, queued...)
		c.want(t, "+a/1 one, +b/1 quick", "+a/2 two, +a/3 three")
	})
}

// A request of a store whose last one was slow does not join those of other stores.
func TestSlowStoreGetsABatchOfItsOwn(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		slow := func(name string) <-chan error {
			return queueUntil(db.ForStore(t.Context(), "a"), d, func(tx *db.Tx) error {
				time.Sleep(txn.MaxSharedTime + 1) // on the fake clock
				return addNext(tx, "a", name)
			})
		}
		wantDone(t, slow("first"))
		c := watch(d)
		release := hold(t, d)
		quick := queueUntil(db.ForStore(t.Context(), "b"), d, func(tx *db.Tx) error {
			time.Sleep(time.Nanosecond) // so that the batch has taken some time
			return addNext(tx, "b", "quick")
		})
		second := slow("second")
		release()
		wantDone(t, quick, second)
		c.want(t, "+b/1 quick", "+a/2 second")
	})
}

// Close waits for queued requests and rejects later ones.
func TestCloseDrainsTheQueue(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		addStores(t, d, "a")
		release := hold(t, d)
		queued := []<-chan error{queue(t, d, add("a", "first")), queue(t, d, add("a", "second"))}
		closed := make(chan error, 1)
		go func() { closed <- d.Close() }()
		synctest.Wait()
		if len(closed) > 0 {
			t.Error("Close did not wait for updates")
		}
		wantKind(t, d.Update(t.Context(), func(*db.Tx) error { t.Error("an update began after Close"); return nil }), cohort.KindUnavailable)
		release()
		wantDone(t, append(queued, closed)...)
		wantGroups(t, dbtest.Open(t, url), "a", newGroup(1, "first"), newGroup(2, "second"))
	})
}
