package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"cohort.example/cohort"
)

// window counts each metered store's requests against its quota, in spans of
// cohort.Window that begin with the first request after the last span's end.
type window struct {
	now    func() time.Time
	mu     sync.Mutex
	stores map[string]*span
}

type span struct {
	ends time.Time
	used int
}

// usage is where a store stands in its window.
type usage struct {
	quota, left int
	reset       time.Duration
}

func newWindow(now func() time.Time) *window {
	return &window{now: now, stores: map[string]*span{}}
}

// take uses up one request of the quota, or returns false when none is left.
func (w *window) take(store string, quota int) (usage, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.current(store)
	ok := s.used < quota
	if ok {
		s.used++
	}
	return w.usage(s, quota), ok
}

// look returns where the store stands and uses up nothing.
func (w *window) look(store string, quota int) usage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.usage(w.current(store), quota)
}

func (w *window) current(store string) *span {
	s := w.stores[store]
	if s == nil {
		s = &span{}
		w.stores[store] = s
	}
	if now := w.now(); !now.Before(s.ends) {
		*s = span{ends: now.Add(cohort.Window)}
	}
	return s
}

func (w *window) usage(s *span, quota int) usage {
	return usage{quota: quota, left: max(quota-s.used, 0), reset: s.ends.Sub(w.now())}
}

// writeTo sets the four headers. A client fails when only some are there.
func (u usage) writeTo(h http.Header) {
	h.Set("X-Rate-Limit-Time-Window-Ms", strconv.FormatInt(cohort.Window.Milliseconds(), 10))
	h.Set("X-Rate-Limit-Time-Reset-Ms", strconv.FormatInt(max(u.reset.Milliseconds(), 0), 10))
	h.Set("X-Rate-Limit-Requests-Quota", strconv.Itoa(u.quota))
	h.Set("X-Rate-Limit-Requests-Left", strconv.Itoa(u.left))
}

// retryAfter is the time to the next window in whole seconds, at least one.
func (u usage) retryAfter() int {
	return max(int((u.reset+time.Second-1)/time.Second), 1)
}
