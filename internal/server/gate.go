package server

import "sync"

// gate bounds how many requests of one operation a store has under way
// together. It refuses at once; nothing queues.
type gate struct {
	mu   sync.Mutex
	busy map[gateKey]int
}

type gateKey struct{ store, operation string }

func newGate() *gate { return &gate{busy: map[gateKey]int{}} }

// enter takes one of limit places, or returns false when none is free. A limit
// of 0 lets everybody in. The place is given back by release.
func (g *gate) enter(store, operation string, limit int) (release func(), ok bool) {
	if limit == 0 {
		return func() {}, true
	}
	key := gateKey{store, operation}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy[key] >= limit {
		return nil, false
	}
	g.busy[key]++
	return func() { g.leave(key) }, true
}

func (g *gate) leave(key gateKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[key]--
	if g.busy[key] == 0 {
		delete(g.busy, key)
	}
}
