package limit

import (
	"maps"
	"time"
)

// windows counts calls by key in fixed windows. A window of a key begins with the
// first call after its previous window has ended. Each store may have a clock of its own.
type windows struct {
	length   time.Duration
	now      func(store string) time.Time // for counters of all stores; calls have their time
	counters map[windowKey]counter
	purgeAt  int // the number of counters at which expired ones are dropped
}

// windowKey identifies the calls of a store that are counted together.
type windowKey struct{ store, calls string }

// counter is how much is used of one window.
type counter struct {
	ends time.Time
	used int
}

// minPurge is the least number of counters at which expired ones are dropped.
const minPurge = 1024

func newWindows(length time.Duration, now func(store string) time.Time) *windows {
	return &windows{length: length, now: now, counters: map[windowKey]counter{}, purgeAt: minPurge}
}

// take uses up one call of the limit. It returns false if none is left.
func (w *windows) take(key windowKey, limit int, now time.Time) (Usage, bool) {
	c := w.current(key, now)
	ok := c.used < limit
	if ok {
		c.used++
		w.store(key, c)
	}
	return c.usage(limit, now), ok
}

// usage returns the usage of a key, and uses up nothing.
func (w *windows) usage(key windowKey, limit int, now time.Time) Usage {
	return w.current(key, now).usage(limit, now)
}

func (w *windows) current(key windowKey, now time.Time) counter {
	c, ok := w.counters[key]
	if !ok || w.hasEnded(c, now) {
		return counter{ends: now.Add(w.length)}
	}
	return c
}

// hasEnded reports whether a window is over. So is one that a clock has left by going
// back: it would last until the clock comes there again.
func (w *windows) hasEnded(c counter, now time.Time) bool {
	return !now.Before(c.ends) || c.ends.Sub(now) > w.length
}

// store stores a counter. If there are many counters, it drops the expired ones.
func (w *windows) store(key windowKey, c counter) {
	if len(w.counters) >= w.purgeAt {
		maps.DeleteFunc(w.counters, func(key windowKey, c counter) bool { return w.hasEnded(c, w.now(key.store)) })
		w.purgeAt = max(2*len(w.counters), minPurge)
	}
	w.counters[key] = c
}

// forget forgets the calls of a store.
func (w *windows) forget(store string) {
	maps.DeleteFunc(w.counters, func(key windowKey, _ counter) bool { return key.store == store })
}

func (c counter) usage(limit int, now time.Time) Usage {
	return Usage{Limit: limit, Left: max(limit-c.used, 0), Reset: c.ends.Sub(now)}
}
