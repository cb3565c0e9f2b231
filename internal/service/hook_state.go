package service

import (
	"log/slog"
	"maps"
	"sync"
	"time"
)

// hooks is the state of the dispatcher of this process.
type hooks struct {
	wake    chan struct{}
	windows hookWindows
	told    exceptionTimes
	stats   hookStats

	mu      sync.Mutex
	log     *slog.Logger
	stores  map[string]*dispatch // that have something to do
	running int
	// looked has the number of the last event that was looked at, of stores whose row in
	// hook_dispatch has a lower one: no hook wants the events between.
	looked map[string]int64
	// held has the hooks that need not be woken before a time of their store, when a worker
	// looks at them anyway.
	held     map[heldKey]time.Time
	attended map[heldKey]*attendance
}

type heldKey struct {
	store string
	hook  int64
}

// dispatch is the state of a store that has something to do.
type dispatch struct{ dirty, running bool }

func newHooks() *hooks {
	return &hooks{
		wake: make(chan struct{}, 1), log: slog.New(slog.DiscardHandler), stores: map[string]*dispatch{}, looked: map[string]int64{}, held: map[heldKey]time.Time{},
		attended: map[heldKey]*attendance{},
		windows:  hookWindows{known: map[windowKey]*hookWindow{}}, told: exceptionTimes{last: map[windowKey]time.Time{}},
	}
}

// mark says that a store may have new events.
func (h *hooks) mark(storeKey string) {
	h.mu.Lock()
	d := h.stores[storeKey]
	if d == nil {
		d = &dispatch{}
		h.stores[storeKey] = d
	}
	d.dirty = true
	h.mu.Unlock()
	h.notify()
}

func (h *hooks) notify() {
	select {
	case h.wake <- struct{}{}:
	default: // RunHooks is about to look
	}
}

// take returns stores to dispatch now, each of which goes to done afterwards.
func (h *hooks) take() (keys []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, d := range h.stores {
		if h.running == maxDispatches {
			break
		}
		if d.running {
			continue
		}
		d.dirty, d.running = false, true
		h.running++
		keys = append(keys, key)
	}
	return keys
}

func (h *hooks) done(storeKey string) {
	h.mu.Lock()
	h.running--
	d := h.stores[storeKey]
	if d.running = false; !d.dirty {
		delete(h.stores, storeKey)
	}
	h.mu.Unlock()
	h.notify()
}

func (h *hooks) lookedAt(storeKey string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.looked[storeKey]
}

// setLooked takes note of a number; 0 forgets the store.
func (h *hooks) setLooked(storeKey string, number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number == 0 {
		delete(h.looked, storeKey)
		return
	}
	h.looked[storeKey] = number
}

// hold says that a hook need not be woken before a time; the zero time ends that.
func (h *hooks) hold(storeKey string, hookID int64, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if until.IsZero() {
		delete(h.held, heldKey{storeKey, hookID})
		return
	}
	h.held[heldKey{storeKey, hookID}] = until
}

func (h *hooks) isHeld(storeKey string, hookID int64, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Before(h.held[heldKey{storeKey, hookID}])
}

// forget drops what is known of a store whose hooks were replaced or deleted.
func (h *hooks) forget(storeKey string) {
	h.mu.Lock()
	delete(h.looked, storeKey)
	maps.DeleteFunc(h.held, func(k heldKey, _ time.Time) bool { return k.store == storeKey })
	h.mu.Unlock()
	h.windows.forget(storeKey)
	h.told.forget(storeKey)
}

func (h *hooks) logger() *slog.Logger {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log
}
