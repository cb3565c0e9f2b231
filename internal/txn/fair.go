package txn

import (
	"cmp"
	"slices"
)

// place is a caller's place in a queue.
type place struct {
	store string // on behalf of which it waits; see ForStore
	round int    // in which it is dealt out
}

func (p *place) queued() *place { return p }

// fairShare parts a queue into those who come next, n at most, and the rest.
// Among stores it deals them out in rounds, so that one with many waiting does
// not keep others back; within a store who came first is first.
func fairShare[T interface{ queued() *place }](queue []T, n int) (batch, rest []T) {
	if len(queue) <= n {
		return queue, nil
	}
	dealt := map[string]int{}
	for _, t := range queue {
		p := t.queued()
		p.round = dealt[p.store]
		dealt[p.store]++
	}
	slices.SortStableFunc(queue, func(a, b T) int { return cmp.Compare(a.queued().round, b.queued().round) })
	return queue[:n:n], queue[n:]
}
