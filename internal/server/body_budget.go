package server

import (
	"errors"
	"sync"

	"cohort.example/cohort"
)

const (
	// uncountedBody is how many bytes of each body do not count. A connection needs
	// about as much memory anyway, so most bodies are read even when the budget is
	// used up.
	uncountedBody = 4 << 10
	// maxBodies is how many bytes the bodies of all running requests may hold.
	maxBodies = 64 << 20
	// maxStoreBodies is how many of these bytes one store may hold.
	maxStoreBodies = 16 << 20
)

// bodyBudget bounds the memory for request bodies. It counts the bytes that have
// arrived and whose request is still running, not those that are only announced.
type bodyBudget struct {
	mu     sync.Mutex
	held   int
	stores map[string]int
}

// bodiesLimit is the name of maxStoreBodies in metrics.
const bodiesLimit = "bodies"

var (
	errStoreBodies = errors.New("the bodies of the store's running requests are too large together")
	errAllBodies   = errors.New("the bodies of all running requests are too large together")
)

// reserve takes bytes for a body of a store. It returns errStoreBodies if the store
// would exceed its part, and errAllBodies as KindUnavailable if the process would
// exceed the budget.
func (b *bodyBudget) reserve(store string, n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.stores[store]+n > maxStoreBodies:
		return errStoreBodies
	case b.held+n > maxBodies:
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: errAllBodies}
	}
	if b.stores == nil {
		b.stores = map[string]int{}
	}
	b.held += n
	b.stores[store] += n
	return nil
}

// release gives bytes back.
func (b *bodyBudget) release(store string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if b.stores[store] -= n; b.stores[store] == 0 {
		delete(b.stores, store)
	}
}
