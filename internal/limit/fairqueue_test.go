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

	"cohort.example/cohort"
	"cohort.example/cohort/internal/limit"
)

// workRoom is a limit in a bubble, and what came of those who asked for a place.
type workRoom struct {
	*limit.Work
	t *testing.T

	mu     sync.Mutex // who is let in together notes it at the same time
	begun  []string   // in that order
	failed map[string]error
	ends   map[string]func()
}

const workWait = 3 * time.Second

func newWorkRoom(t *testing.T, concurrency, waiting int) *workRoom {
	return &workRoom{
		Work: limit.NewWork(limit.WorkOptions{Name: "test", Concurrency: concurrency, Waiting: waiting, Wait: workWait}),
		t:    t, failed: map[string]error{}, ends: map[string]func(){},
	}
}

// ask asks for a place; the store is what the name begins with, before "-".
func (r *workRoom) ask(ctx context.Context, names ...string) {
	for _, name := range names {
		store, _, _ := strings.Cut(name, "-")
		go func() {
			done, err := r.Begin(ctx, store)
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.failed[name] = err
				return
			}
			r.begun, r.ends[name] = append(r.begun, name), done
		}()
		synctest.Wait()
	}
}

// end ends the work that began last, and with it all that comes after, one by one.
func (r *workRoom) endAll() {
	for n := 0; n < len(r.begun); n++ {
		r.ends[r.begun[n]]()
		synctest.Wait()
	}
}

func (r *workRoom) wantUsage(running, waiting int) {
	r.t.Helper()
	if gotRunning, gotWaiting := r.Usage(); gotRunning != running || gotWaiting != waiting {
		r.t.Errorf("%d run and %d wait, want %d and %d", gotRunning, gotWaiting, running, waiting)
	}
}

// names are those of several requests of a store.
func names(store string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%s-%d", store, i))
	}
	return list
}

func (r *workRoom) wantFull(name string) {
	r.t.Helper()
	full, ok := errors.AsType[*limit.FullError](r.failed[name])
	if !ok || full.Limit != "test" || full.RetryAfter < 1 || cohort.KindOf(full) != cohort.KindTooMany {
		r.t.Errorf("%s got %v, want a refusal", name, r.failed[name])
	}
}

func TestWorkTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newWorkRoom(t, 1, 100)
		r.ask(t.Context(), names("a", 5)...)
		r.ask(t.Context(), names("b", 2)...)
		r.ask(t.Context(), "c-0")
		r.wantUsage(1, 7)
		r.endAll()
		want := []string{"a-0", "a-1", "b-0", "c-0", "a-2", "b-1", "a-3", "a-4"}
		if !slices.Equal(r.begun, want) {
			t.Errorf("they began in the order %v, want %v", r.begun, want)
		}
		r.wantUsage(0, 0)
	})
}

func TestWorkRunsAsMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newWorkRoom(t, 3, 100)
		r.ask(t.Context(), names("a", 5)...)
		r.wantUsage(3, 2)
		end := r.ends["a-0"]
		end()
		end() // which gives nothing back
		synctest.Wait()
		r.wantUsage(3, 1)
		r.endAll()
		r.wantUsage(0, 0)
		if len(r.begun) != 5 || len(r.failed) != 0 {
			t.Errorf("%v began, and %v failed", r.begun, r.failed)
		}
	})
}

// TestWorkQueueIsFair: a store that fills the queue makes room for another, as
// long as it has more waiting.
func TestWorkQueueIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newWorkRoom(t, 1, 4)
		r.ask(t.Context(), names("a", 6)...) // one runs, four wait
		r.wantFull("a-5")
		r.ask(t.Context(), names("b", 3)...)
		r.wantFull("a-4")
		r.wantFull("a-3")
		r.wantFull("b-2") // both have two waiting
		r.wantUsage(1, 4)
		r.endAll()
		if want := []string{"a-0", "a-1", "b-0", "a-2", "b-1"}; !slices.Equal(r.begun, want) {
			t.Errorf("they began in the order %v, want %v", r.begun, want)
		}
		r.wantUsage(0, 0)
	})
}

func TestWorkWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newWorkRoom(t, 1, 4)
		r.ask(t.Context(), names("a", 2)...)
		time.Sleep(workWait - time.Millisecond) // of the bubble's clock
		synctest.Wait()
		r.wantUsage(1, 1)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r.wantFull("a-1")
		r.wantUsage(1, 0)
		r.endAll()
		r.wantUsage(0, 0)
	})
}

func TestWorkContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newWorkRoom(t, 1, 4)
		ctx, cancel := context.WithCancel(t.Context())
		r.ask(t.Context(), "a-0")
		r.ask(ctx, "a-1", "b-0")
		r.ask(t.Context(), "a-2")
		r.wantUsage(1, 3)
		cancel()
		synctest.Wait()
		r.wantUsage(1, 1)
		for _, name := range []string{"a-1", "b-0"} {
			if !errors.Is(r.failed[name], context.Canceled) {
				t.Errorf("%s got %v", name, r.failed[name])
			}
		}
		r.endAll()
		r.ask(ctx, "a-3")
		if want := []string{"a-0", "a-2"}; !slices.Equal(r.begun, want) {
			t.Errorf("%v began, want %v", r.begun, want)
		}
		r.wantUsage(0, 0)
	})
}

// TestWorkLeavesAsItIsLetIn: whoever gives up at the moment when it is let in
// gives its place back.
func TestWorkLeavesAsItIsLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			r := newWorkRoom(t, 1, 4)
			ctx, cancel := context.WithCancel(t.Context())
			r.ask(t.Context(), "a-0")
			r.ask(ctx, "b-0")
			cancel()
			r.ends["a-0"]()
			synctest.Wait()
			if done := r.ends["b-0"]; done != nil {
				done()
			}
			r.wantUsage(0, 0)
		}
	})
}
