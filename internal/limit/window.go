package limit

import (
	"maps"
	"time"
)

// window counts calls by key, in spans of a fixed length that begin with the
// first call after the last span's end.
type window struct {
	length time.Duration
	spans  map[string]span
	purge  int // how many spans there may be before the old ones are dropped
}

type span struct {
	ends time.Time
	used int
}

// minPurge keeps small maps from being searched for old spans all the time.
const minPurge = 1024

func newWindow(length time.Duration) *window {
	return &window{length: length, spans: map[string]span{}, purge: minPurge}
}

// take uses up one call of the limit, or returns false when none is left.
func (w *window) take(key string, limit int, now time.Time) (Usage, bool) {
	s := w.current(key, now)
	ok := s.used < limit
	if ok {
		s.used++
		w.keep(key, s, now)
	}
	return s.usage(limit, now), ok
}

// look returns where the key stands and uses up nothing.
func (w *window) look(key string, limit int, now time.Time) Usage {
	return w.current(key, now).usage(limit, now)
}

func (w *window) current(key string, now time.Time) span {
	s, ok := w.spans[key]
	if !ok || !now.Before(s.ends) {
		return span{ends: now.Add(w.length)}
	}
	return s
}

// keep stores a span, and drops those that are over when there are many.
func (w *window) keep(key string, s span, now time.Time) {
	if len(w.spans) >= w.purge {
		maps.DeleteFunc(w.spans, func(_ string, s span) bool { return !now.Before(s.ends) })
		w.purge = max(2*len(w.spans), minPurge)
	}
	w.spans[key] = s
}

func (s span) usage(limit int, now time.Time) Usage {
	return Usage{Limit: limit, Left: max(limit-s.used, 0), Reset: s.ends.Sub(now)}
}
