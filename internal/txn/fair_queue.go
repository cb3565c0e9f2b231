package txn

import (
	"cmp"
	"slices"
)

// place is the position of a queued item.
type place struct {
	store string // the key of its store, or ""; see ForStore
	round int    // how many items of the store are in front of it
}

func (p *place) queued() *place { return p }

// fairShare splits a queue into the next batch, at most n items, and the rest. It
// takes one item of each store per round, so that a store with many items does not
// delay the others. The items of one store keep their order. shared is whether the
// batch has items of several stores.
func fairShare[T interface{ queued() *place }](queue []T, n int) (batch, rest []T, shared bool) {
	if len(queue) < 2 {
		return queue, nil, false
	}
	dealt := map[string]int{}
	for _, t := range queue {
		p := t.queued()
		p.round = dealt[p.store]
		dealt[p.store]++
	}
	if shared = len(dealt) > 1; shared {
		slices.SortStableFunc(queue, func(a, b T) int { return cmp.Compare(a.queued().round, b.queued().round) })
	}
	n = min(n, len(queue))
	return queue[:n:n], queue[n:], shared
}
