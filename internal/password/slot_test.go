package password

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
)

// fill takes every slot, and returns a function that gives one back.
func fill(h *Hasher) (release func()) {
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	return func() { <-h.slots }
}

// waits is what has to wait for a slot.
var waits = map[string]func(*Hasher, context.Context) error{
	"Hash": func(h *Hasher, ctx context.Context) error { _, err := h.Hash(ctx, "x"); return err },
	"Matches": func(h *Hasher, ctx context.Context) error {
		_, err := h.Matches(ctx, "x", cheap)
		return err
	},
	"Matches without a hash": func(h *Hasher, ctx context.Context) error { _, err := h.Matches(ctx, "x", ""); return err },
}

func TestContextEndsWhileItWaits(t *testing.T) {
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := NewHasher()
				fill(h)
				ctx, cancel := context.WithCancel(t.Context())
				var err error
				done := make(chan struct{})
				go func() { defer close(done); err = wait(h, ctx) }()
				synctest.Wait()
				select {
				case <-done:
					t.Errorf("it did not wait: %v", err)
				default:
				}
				cancel()
				<-done
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v", err)
				}
				if len(h.slots) != cap(h.slots) {
					t.Errorf("it gave back a slot that it never had")
				}
			})
		})
	}
}

// As many at once as there are cores, and each makes room for the next, also
// one whose hash cannot be read.
func TestSlots(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher()
		if cap(h.slots) != 3 {
			t.Fatalf("%d slots for 3 cores", cap(h.slots))
		}
		release := fill(h)
		done := make(chan error, 3*len(waits))
		for _, wait := range waits {
			for range 3 {
				go func() { done <- wait(h, t.Context()) }()
			}
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Errorf("%d got through without a slot", len(done))
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
		if _, err := h.Matches(t.Context(), "x", "damaged"); err == nil || len(h.slots) != 2 {
			t.Errorf("after all that %d slots are taken, want 2 (%v)", len(h.slots), err)
		}
	})
}
