package limit

import (
	"sync"
	"time"
)

// Memory counts in the memory of the process, for one node. One lock covers all
// limits, so that a request is counted in all of them or in none.
type Memory struct {
	now     func() time.Time
	mu      sync.Mutex
	running map[operationKey]int
	rates   *windows
	quotas  *windows
}

// operationKey identifies the requests that a concurrency limit counts.
type operationKey struct{ store, operation string }

// NewMemory returns limits of which nothing is used.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, running: map[operationKey]int{}, rates: newWindows(rateWindow), quotas: newWindows(quotaWindow)}
}

// Admit implements Limiter.
func (m *Memory) Admit(r Request) (d Decision, done func()) {
	if r.unlimited() {
		return Decision{}, noop
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	done = noop
	if d.RejectedBy, d.RetryAfter = m.reject(&r, now); d.RejectedBy == "" {
		done = m.count(&r, now)
	}
	if r.Metered {
		d.Quota = m.quotas.usage(r.Store, r.Quota, now)
	}
	return d, done
}

// Check implements Limiter.
func (m *Memory) Check(r Request) (d Decision) {
	if r.unlimited() {
		return d
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	d.RejectedBy, d.RetryAfter = m.reject(&r, now)
	if r.Metered {
		d.Quota = m.quotas.usage(r.Store, r.Quota, now)
	}
	return d
}

// reject returns the first limit that the request exceeds, "" if none, and after
// how many seconds to retry.
func (m *Memory) reject(r *Request, now time.Time) (limit string, retry int) {
	if r.Concurrency > 0 && m.running[operationKey{r.Store, r.Operation}] >= r.Concurrency {
		return Concurrency, 1
	}
	if r.rated() {
		storeKey, pathKey := rateKeys(r)
		for _, u := range []Usage{m.rates.usage(pathKey, r.PerPath, now), m.rates.usage(storeKey, r.PerStore, now)} {
			if u.Left == 0 {
				return Rate, retryAfter(u.Reset)
			}
		}
	}
	if r.Metered {
		if u := m.quotas.usage(r.Store, r.Quota, now); u.Left == 0 {
			return Quota, retryAfter(u.Reset)
		}
	}
	return "", 0
}

// count counts an admitted request.
func (m *Memory) count(r *Request, now time.Time) (done func()) {
	if r.rated() {
		storeKey, pathKey := rateKeys(r)
		m.rates.take(storeKey, r.PerStore, now)
		m.rates.take(pathKey, r.PerPath, now)
	}
	if r.Metered {
		m.quotas.take(r.Store, r.Quota, now)
	}
	if r.Concurrency == 0 {
		return noop
	}
	key := operationKey{r.Store, r.Operation}
	m.running[key]++
	return func() { m.end(key) }
}

// record counts a request that Redis has admitted, even if it exceeds the limits
// as this node knows them.
func (m *Memory) record(r Request) (done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(&r, m.now())
}

func (m *Memory) end(key operationKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running[key]--
	if m.running[key] == 0 {
		delete(m.running, key)
	}
}

func rateKeys(r *Request) (store, path string) {
	store = r.Operation + " " + r.Store
	return store, store + "/" + r.Path
}
