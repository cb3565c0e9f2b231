package txn

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A queue is dealt out until it is empty, as the writer does, with what comes
// in meanwhile and what it gives back.
func TestFairShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stores := rapid.SampledFrom([]string{"", "a", "a", "a", "a", "a", "b", "c"}) // one has most
		n := rapid.IntRange(1, 8).Draw(t, "n")
		w := &writer{}
		var came, went []*updateRequest
		for more := true; more || len(w.queue) > 0; {
			if more {
				for range rapid.IntRange(0, 12).Draw(t, "new") {
					came = append(came, &updateRequest{place: place{store: stores.Draw(t, "store")}})
					w.queue = append(w.queue, came[len(came)-1])
				}
				more = rapid.Bool().Draw(t, "more")
			}
			waiting := len(w.queue)
			var batch []*updateRequest
			batch, w.queue = fairShare(w.queue, n)
			if want := min(n, waiting); len(batch) != want || len(batch)+len(w.queue) != waiting {
				t.Fatalf("a batch of %d and a rest of %d from %d", len(batch), len(w.queue), waiting)
			}
			wantFair(t, batch, w.queue)
			did := rapid.IntRange(min(1, len(batch)), len(batch)).Draw(t, "time for")
			went = append(went, batch[:did]...)
			w.giveBack(batch[did:])
		}
		for _, store := range []string{"", "a", "b", "c"} {
			others := func(turn *updateRequest) bool { return turn.store != store }
			first, last := slices.DeleteFunc(slices.Clone(came), others), slices.DeleteFunc(slices.Clone(went), others)
			if !slices.Equal(first, last) {
				t.Fatalf("the turns of the store %q are not dealt out once each, in their order", store)
			}
		}
	})
}

// wantFair fails if a store that still waits has had two turns fewer in the
// batch than another.
func wantFair(t *rapid.T, batch, rest []*updateRequest) {
	had := map[string]int{}
	for _, turn := range batch {
		had[turn.store]++
	}
	for _, turn := range rest {
		for store, n := range had {
			if n > had[turn.store]+1 {
				t.Fatalf("%q had %d turns, while %q had %d and still waits", store, n, turn.store, had[turn.store])
			}
		}
	}
}

// Nobody is asked to wait for the others of a batch without bounds, and who was
// alone not at all. The time is the bubble's.
func TestLinger(t *testing.T) {
	tests := []struct {
		name    string
		size    int           // of the last batch
		took    time.Duration // its commit
		waiting int
		comes   []time.Duration // when others come
		want    time.Duration
	}{
		{"nothing yet", 0, 0, 1, nil, 0},
		{"alone", 1, time.Hour, 1, nil, 0},
		{"alone, and gone", 1, time.Hour, 0, nil, 0},
		{"full already", 3, time.Hour, maxBatch, nil, 0},
		{"others wait, and those of before come back", 2, time.Hour, 3, []time.Duration{time.Millisecond, 2 * time.Millisecond}, 2 * time.Millisecond},
		{"nobody comes", 3, 4 * time.Millisecond, 1, nil, 2 * time.Millisecond},
		{"nobody comes, after a slow commit", 3, time.Hour, 1, nil, maxLinger},
		{"not enough come", 4, 4 * time.Millisecond, 1, []time.Duration{time.Millisecond}, 2 * time.Millisecond},
		{"the last comes", 2, time.Hour, 1, []time.Duration{time.Millisecond, 3 * time.Millisecond}, 3 * time.Millisecond},
		{"the last comes too late", 2, 4 * time.Millisecond, 1, []time.Duration{time.Second}, 2 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &writer{size: tt.size, took: tt.took, arrived: make(chan struct{}, 1), queue: make([]*updateRequest, tt.waiting)}
				w.signal() // for those who wait
				begun := time.Now()
				for _, at := range tt.comes {
					time.AfterFunc(at, func() { w.add(nil) })
				}
				w.linger()
				if waited := time.Since(begun); waited != tt.want {
					t.Errorf("waited for %v, want %v", waited, tt.want)
				}
			})
		})
	}
}

// At the end nobody else comes, so nobody is waited for.
func TestAwaitNobodyAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{size: maxBatch, took: time.Hour, arrived: make(chan struct{}, 1), closed: true}
		begun := time.Now()
		w.linger()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("waited for %v", waited)
		}
	})
}
