package limit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/limit"
)

// queueTest is a queue in a synctest bubble, with the results of its tasks.
type queueTest struct {
	*limit.FairQueue
	t *testing.T

	mu       sync.Mutex // tasks can be admitted concurrently
	begun    []string   // in the order of admission
	failed   map[string]error
	releases map[string]func()
}

const maxWait = 3 * time.Second

func newQueueTest(t *testing.T, concurrency, waiting int) *queueTest {
	return &queueTest{
		FairQueue: limit.NewFairQueue(limit.FairQueueOptions{Name: "test", Concurrency: concurrency, Waiting: waiting, Wait: maxWait}),
		t:         t, failed: map[string]error{}, releases: map[string]func(){},
	}
}

// acquire starts a task for each name. A name is the store, "-" and a number.
func (q *queueTest) acquire(ctx context.Context, names ...string) {
	for _, name := range names {
		store, _, _ := strings.Cut(name, "-")
		go func() {
			release, err := q.Acquire(ctx, store)
			q.mu.Lock()
			defer q.mu.Unlock()
			if err != nil {
				q.failed[name] = err
				return
			}
			q.begun, q.releases[name] = append(q.begun, name), release
		}()
		synctest.Wait()
	}
}

// releaseAll ends the tasks one by one, including those that are admitted meanwhile.
func (q *queueTest) releaseAll() {
	for n := 0; n < len(q.begun); n++ {
		q.releases[q.begun[n]]()
		synctest.Wait()
	}
}

func (q *queueTest) wantUsage(running, waiting int) {
	q.t.Helper()
	if gotRunning, gotWaiting := q.Usage(); gotRunning != running || gotWaiting != waiting {
		q.t.Errorf("%d run and %d wait, want %d and %d", gotRunning, gotWaiting, running, waiting)
	}
}

// names returns the names of n tasks of a store.
func names(store string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%s-%d", store, i))
	}
	return list
}

func (q *queueTest) wantFull(name string) {
	q.t.Helper()
	full, ok := errors.AsType[*limit.FullError](q.failed[name])
	if !ok || full.Limit != "test" || full.RetryAfter < 1 {
		q.t.Errorf("%s: error %v, want a FullError", name, q.failed[name])
	}
}

func TestFairQueueIsRoundRobin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(t, 1, 100)
		q.acquire(t.Context(), names("a", 5)...)
		q.acquire(t.Context(), names("b", 2)...)
		q.acquire(t.Context(), "c-0")
		q.wantUsage(1, 7)
		q.releaseAll()
		want := []string{"a-0", "a-1", "b-0", "c-0", "a-2", "b-1", "a-3", "a-4"}
		if !slices.Equal(q.begun, want) {
			t.Errorf("order of admission %v, want %v", q.begun, want)
		}
		q.wantUsage(0, 0)
	})
}

func TestFairQueueConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(t, 3, 100)
		q.acquire(t.Context(), names("a", 5)...)
		q.wantUsage(3, 2)
		release := q.releases["a-0"]
		release()
		release() // must do nothing
		synctest.Wait()
		q.wantUsage(3, 1)
		q.releaseAll()
		q.wantUsage(0, 0)
		if len(q.begun) != 5 || len(q.failed) != 0 {
			t.Errorf("admitted: %v, failed: %v", q.begun, q.failed)
		}
	})
}

// If one store fills the queue, its newest waiters are evicted for another store,
// as long as it has more waiters than that store.
func TestFairQueueEvicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(t, 1, 4)
		q.acquire(t.Context(), names("a", 6)...) // one runs, four wait
		q.wantFull("a-5")
		q.acquire(t.Context(), names("b", 3)...)
		q.wantFull("a-4")
		q.wantFull("a-3")
		q.wantFull("b-2") // both stores have two waiters
		q.wantUsage(1, 4)
		q.releaseAll()
		if want := []string{"a-0", "a-1", "b-0", "a-2", "b-1"}; !slices.Equal(q.begun, want) {
			t.Errorf("order of admission %v, want %v", q.begun, want)
		}
		q.wantUsage(0, 0)
	})
}

func TestFairQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(t, 1, 4)
		q.acquire(t.Context(), names("a", 2)...)
		time.Sleep(maxWait - time.Millisecond) // on the bubble's clock
		synctest.Wait()
		q.wantUsage(1, 1)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		q.wantFull("a-1")
		q.wantUsage(1, 0)
		q.releaseAll()
		q.wantUsage(0, 0)
	})
}

func TestFairQueueContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(t, 1, 4)
		ctx, cancel := context.WithCancel(t.Context())
		q.acquire(t.Context(), "a-0")
		q.acquire(ctx, "a-1", "b-0")
		q.acquire(t.Context(), "a-2")
		q.wantUsage(1, 3)
		cancel()
		synctest.Wait()
		q.wantUsage(1, 1)
		for _, name := range []string{"a-1", "b-0"} {
			if !errors.Is(q.failed[name], context.Canceled) {
				t.Errorf("%s: error %v, want context.Canceled", name, q.failed[name])
			}
		}
		q.releaseAll()
		q.acquire(ctx, "a-3")
		if want := []string{"a-0", "a-2"}; !slices.Equal(q.begun, want) {
			t.Errorf("admitted: %v, want %v", q.begun, want)
		}
		q.wantUsage(0, 0)
	})
}

// A task that is canceled in the moment of its admission gives its slot back.
func TestFairQueueCancelDuringAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			q := newQueueTest(t, 1, 4)
			ctx, cancel := context.WithCancel(t.Context())
			q.acquire(t.Context(), "a-0")
			q.acquire(ctx, "b-0")
			cancel()
			q.releases["a-0"]()
			synctest.Wait()
			if release := q.releases["b-0"]; release != nil {
				release()
			}
			q.wantUsage(0, 0)
		}
	})
}
