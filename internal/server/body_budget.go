package server

import (
	"errors"
	"sync"

	"cohort.example/cohort"
)

const (
	// freeBody is how many bytes of a body need no share of the ration. They are
	// no more than what a connection takes up anyway, so the bodies of most
	// requests pass however much others hold.
	freeBody = 4 << 10
	// maxBodies is how many bytes the bodies of all requests under way may hold.
	maxBodies = 64 << 20
	// maxStoreBodies is how many of them one store may hold.
	maxStoreBodies = 16 << 20
)

// ration bounds the memory that bodies hold: what has come of them and has not
// been answered yet. Nothing is held for what a client has only announced.
type ration struct {
	mu     sync.Mutex
	held   int
	stores map[string]int
}

// refusedBodies is the limit that a store has met whose bodies hold its share, as
// metrics name it.
const refusedBodies = "bodies"

var (
	errStoreBodies = errors.New("the bodies of the store's requests under way are too large together")
	errCrowded     = errors.New("the bodies of all requests under way are too large together")
)

// take holds bytes for a body of a store. It returns errStoreBodies when the
// store has its share, and errCrowded as KindUnavailable when the process has.
func (r *ration) take(store string, n int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stores[store]+n > maxStoreBodies:
		return errStoreBodies
	case r.held+n > maxBodies:
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: errCrowded}
	}
	if r.stores == nil {
		r.stores = map[string]int{}
	}
	r.held += n
	r.stores[store] += n
	return nil
}

func (r *ration) giveBack(store string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held -= n
	if r.stores[store] -= n; r.stores[store] == 0 {
		delete(r.stores, store)
	}
}
