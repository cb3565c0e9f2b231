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

// fill takes every place, and returns a function that gives one back.
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

// waits is what has to wait for a place.
var waits = map[string]func(*Hasher, context.Context) error{
	"Hash": func(h *Hasher, ctx context.Context) error { _, err := h.Hash(ctx, "abc", "x"); return err },
	"Matches": func(h *Hasher, ctx context.Context) error {
		_, err := h.Matches(ctx, "abc", "x", cheap)
		return err
	},
	"Matches without a hash": func(h *Hasher, ctx context.Context) error { _, err := h.Matches(ctx, "abc", "x", ""); return err },
}

// TestWaitEnds: by the context, or by a refusal when it has been long enough.
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
				err := wait(h, t.Context()) // the bubble's clock goes on while all wait
				if full, ok := errors.AsType[*limit.FullError](err); !ok || full.Limit != limit.Passwords {
					t.Errorf("got error %v", err)
				}
				if took := time.Since(start); took != maxWait {
					t.Errorf("it waited for %v", took)
				}
				if running, waiting := h.queue.Usage(); running != 3 || waiting != 0 {
					t.Errorf("in the end %d run and %d wait", running, waiting)
				}
			})
		})
	}
}

// TestPlaces: each makes room for the next, also one whose hash cannot be read.
func TestPlaces(t *testing.T) {
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
			t.Errorf("%d got through without a place", len(done))
		}
		release() // the one through which all have to pass
		synctest.Wait()
		if len(done) != cap(done) {
			t.Errorf("%d of %d got through one after another", len(done), cap(done))
		}
		for range len(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if _, err := h.Matches(t.Context(), "abc", "x", "damaged"); err == nil {
			t.Error("a damaged hash was read")
		}
		if running, waiting := h.queue.Usage(); running != 2 || waiting != 0 {
			t.Errorf("after all that %d run and %d wait", running, waiting)
		}
	})
}

// TestAtOnceIsWhatTheProcessHas: a server raises GOMAXPROCS above the number of
// processors, and not as many passwords more are hashed at once.
func TestAtOnceIsWhatTheProcessHas(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * before))
	if got := NewHasher().queue.Concurrency(); got != before {
		t.Errorf("%d at once on %d processors", got, before)
	}
}
