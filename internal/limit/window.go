package limit

import (
	"maps"
	"time"
)

// windows counts calls by key in fixed windows. A window of a key begins with the
// first call after its previous window has ended.
type windows struct {
	length   time.Duration
	counters map[string]counter
	purgeAt  int // the number of counters at which expired ones are dropped
}

// counter is how much is used of one window.
type counter struct {
	ends time.Time
	used int
}

// minPurge is the least number of counters at which expired ones are dropped.
const minPurge = 1024

func newWindows(length time.Duration) *windows {
	return &windows{length: length, counters: map[string]counter{}, purgeAt: minPurge}
}

// take uses up one call of the limit. It returns false if none is left.
func (w *windows) take(key string, limit int, now time.Time) (Usage, bool) {
	c := w.current(key, now)
	ok := c.used < limit
	if ok {
		c.used++
		w.store(key, c, now)
	}
	return c.usage(limit, now), ok
}

// usage returns the usage of a key, and uses up nothing.
func (w *windows) usage(key string, limit int, now time.Time) Usage {
	return w.current(key, now).usage(limit, now)
}

func (w *windows) current(key string, now time.Time) counter {
	c, ok := w.counters[key]
	if !ok || !now.Before(c.ends) {
		return counter{ends: now.Add(w.length)}
	}
	return c
}

// store stores a counter. If there are many counters, it drops the expired ones.
func (w *windows) store(key string, c counter, now time.Time) {
	if len(w.counters) >= w.purgeAt {
		maps.DeleteFunc(w.counters, func(_ string, c counter) bool { return !now.Before(c.ends) })
		w.purgeAt = max(2*len(w.counters), minPurge)
	}
	w.counters[key] = c
}

func (c counter) usage(limit int, now time.Time) Usage {
	return Usage{Limit: limit, Left: max(limit-c.used, 0), Reset: c.ends.Sub(now)}
}
