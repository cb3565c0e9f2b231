package txn

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The test takes batches until the queue is empty, as the writer does. In between,
// requests arrive and a part of a batch is given back.
func TestFairShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stores := rapid.SampledFrom([]string{"", "a", "a", "a", "a", "a", "b", "c"}) // "a" has most
		n := rapid.IntRange(1, 8).Draw(t, "n")
		w := &writer{}
		var added, processed []*updateRequest
		for more := true; more || len(w.queue) > 0; {
			if more {
				for range rapid.IntRange(0, 12).Draw(t, "new") {
					added = append(added, &updateRequest{place: place{store: stores.Draw(t, "store")}})
					w.queue = append(w.queue, added[len(added)-1])
				}
				more = rapid.Bool().Draw(t, "more")
			}
			waiting := len(w.queue)
			var batch []*updateRequest
			batch, w.queue, _ = fairShare(w.queue, n)
			if want := min(n, waiting); len(batch) != want || len(batch)+len(w.queue) != waiting {
				t.Fatalf("got a batch of %d and a rest of %d from %d", len(batch), len(w.queue), waiting)
			}
			wantFair(t, batch, w.queue)
			done := rapid.IntRange(min(1, len(batch)), len(batch)).Draw(t, "done")
			processed = append(processed, batch[:done]...)
			w.giveBack(batch[done:])
		}
		for _, store := range []string{"", "a", "b", "c"} {
			others := func(r *updateRequest) bool { return r.store != store }
			want, got := slices.DeleteFunc(slices.Clone(added), others), slices.DeleteFunc(slices.Clone(processed), others)
			if !slices.Equal(want, got) {
				t.Fatalf("the requests of store %q are not processed once each, in order", store)
			}
		}
	})
}

// wantFair fails if a store with a request in the rest has at least two fewer requests in
// the batch than another store.
func wantFair(t *rapid.T, batch, rest []*updateRequest) {
	inBatch := map[string]int{}
	for _, r := range batch {
		inBatch[r.store]++
	}
	for _, r := range rest {
		for store, n := range inBatch {
			if n > inBatch[r.store]+1 {
				t.Fatalf("the batch has %d requests of %q and %d of %q, which still waits", n, store, inBatch[r.store], r.store)
			}
		}
	}
}
