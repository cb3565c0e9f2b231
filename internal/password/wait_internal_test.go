package password

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/limit"
)

// fill takes all slots, and returns a function that releases one.
func fill(t *testing.T, h *Hasher) (release func()) {
	for range h.queue.Concurrency() {
		done, err := h.queue.Acquire(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		release = done
	}
	return release
}

// waits are the calls that wait for a slot.
var waits = map[string]func(*Hasher, context.Context) error{
	"Hash": func(h *Hasher, ctx context.Context) error { _, err := h.Hash(ctx, "abc", "x"); return err },
	"Matches": func(h *Hasher, ctx context.Context) error {
		_, err := h.Matches(ctx, "abc", "x", cheap)
		return err
	},
	"Matches without a hash": func(h *Hasher, ctx context.Context) error { _, err := h.Matches(ctx, "abc", "x", ""); return err },
}

// A wait ends when the context ends, or with a FullError after maxWait.
func TestWaitEnds(t *testing.T) {
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHasher(3)
				fill(t, h)
				ctx, cancel := context.WithCancel(t.Context())
				errs := make(chan error, 1)
				go func() { errs <- wait(h, ctx) }()
				synctest.Wait()
				if running, waiting := h.queue.Usage(); running != 3 || waiting != 1 {
					t.Errorf("%d run and %d wait", running, waiting)
				}
				cancel()
				if err := <-errs; !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v", err)
				}
				start := time.Now()
				err := wait(h, t.Context()) // the bubble's clock advances while all goroutines wait
				if full, ok := errors.AsType[*limit.FullError](err); !ok || full.Limit != limit.Passwords {
					t.Errorf("got error %v", err)
				}
				if took := time.Since(start); took != maxWait {
					t.Errorf("it waited for %v", took)
				}
				if running, waiting := h.queue.Usage(); running != 3 || waiting != 0 {
					t.Errorf("after the waits %d run and %d wait", running, waiting)
				}
			})
		})
	}
}

// Each call releases its slot for the next one, even if its hash is malformed.
func TestSlotsAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(3)
		release := fill(t, h)
		done := make(chan error, 3*len(waits))
		for _, wait := range waits {
			for range 3 {
				go func() { done <- wait(h, t.Context()) }()
			}
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Errorf("%d calls ended without a slot", len(done))
		}
		release() // all calls use this slot one after another
		synctest.Wait()
		if len(done) != cap(done) {
			t.Errorf("%d of %d calls ended with one slot", len(done), cap(done))
		}
		for range len(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if _, err := h.Matches(t.Context(), "abc", "x", "damaged"); err == nil {
			t.Error("no error for a malformed hash")
		}
		if running, waiting := h.queue.Usage(); running != 2 || waiting != 0 {
			t.Errorf("after all calls %d run and %d wait", running, waiting)
		}
	})
}

// The concurrency is the number of processors, even though the server raises GOMAXPROCS
// above it.
func TestConcurrencyIsNumberOfProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * before))
	if got := NewHasher().queue.Concurrency(); got != before {
		t.Errorf("concurrency %d on %d processors", got, before)
	}
}
