package limit

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Memory counts in the memory of the process, for one node. One lock covers all
// limits, so that a request is counted in all of them or in none.
type Memory struct {
	now     func(store string) time.Time
	mu      sync.Mutex
	running map[operationKey]int
	rates   *windows
	quotas  *windows
	// chosen are the concurrency limits of SetConcurrency. isChosen is whether there are
	// any, so that requests without limits need no lock.
	chosen   map[operationKey]int
	isChosen atomic.Bool
}

// operationKey identifies the requests that a concurrency limit counts.
type operationKey struct{ store, operation string }

// NewMemory returns limits of which nothing is used, with one clock for all stores.
func NewMemory(now func() time.Time) *Memory {
	return NewMemoryWithClocks(func(string) time.Time { return now() })
}

// NewMemoryWithClocks is NewMemory with a clock for each store, by the store of requests.
func NewMemoryWithClocks(now func(store string) time.Time) *Memory {
	return &Memory{
		now: now, running: map[operationKey]int{}, rates: newWindows(rateWindow, now), quotas: newWindows(quotaWindow, now), chosen: map[operationKey]int{},
	}
}

// Admit implements Limiter.
func (m *Memory) Admit(r Request) (d Decision, done func()) {
	if r.unlimited() && !m.isChosen.Load() {
		return Decision{}, noop
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.choose(&r)
	now := m.now(r.Store)
	done = noop
	if d.RejectedBy, d.RetryAfter = m.reject(&r, now); d.RejectedBy == "" {
		done = m.count(&r, now)
	}
	if r.Metered {
		d.Quota = m.quotas.usage(quotaKey(r.Store), r.Quota, now)
	}
	return d, done
}

// Check implements Limiter.
func (m *Memory) Check(r Request) (d Decision) {
	if r.unlimited() && !m.isChosen.Load() {
		return d
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.choose(&r)
	now := m.now(r.Store)
	d.RejectedBy, d.RetryAfter = m.reject(&r, now)
	if r.Metered {
		d.Quota = m.quotas.usage(quotaKey(r.Store), r.Quota, now)
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
		if u := m.quotas.usage(quotaKey(r.Store), r.Quota, now); u.Left == 0 {
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
		m.quotas.take(quotaKey(r.Store), r.Quota, now)
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
	return m.count(&r, m.now(r.Store))
}

func (m *Memory) end(key operationKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running[key]--
	if m.running[key] == 0 {
		delete(m.running, key)
	}
}

func rateKeys(r *Request) (store, path windowKey) {
	return windowKey{r.Store, r.Operation}, windowKey{r.Store, r.Operation + "/" + r.Path}
}

func quotaKey(store string) windowKey { return windowKey{store: store} }

// choose replaces the concurrency limit of a request by that of SetConcurrency.
func (m *Memory) choose(r *Request) {
	if n, ok := m.chosen[operationKey{r.Store, r.Operation}]; ok {
		r.Concurrency = n
	}
}

// QuotaUsage returns how much a store has used of a quota in its window.
func (m *Memory) QuotaUsage(store string, quota int) Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.quotas.usage(quotaKey(store), quota, m.now(store))
}

// Exhaust uses up what is left of a store's quota. The store's window ends as it would have,
// or begins now.
func (m *Memory) Exhaust(store string, quota int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.quotas.current(quotaKey(store), m.now(store))
	c.used = max(c.used, quota)
	m.quotas.store(quotaKey(store), c)
}

// Refill forgets what a store has used of its quota and of its rate limits.
func (m *Memory) Refill(store string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.quotas.forget(store)
	m.rates.forget(store)
}

// SetConcurrency replaces the concurrency limits of a store's operations: those that the
// operations have, and those that it set before. 0 means no limit. nil restores all.
func (m *Memory) SetConcurrency(store string, operations map[string]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.chosen, func(key operationKey, _ int) bool { return key.store == store })
	for operation, n := range operations {
		m.chosen[operationKey{store, operation}] = n
	}
	m.isChosen.Store(len(m.chosen) > 0)
}

// Concurrency returns what SetConcurrency has set for a store.
func (m *Memory) Concurrency(store string) map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	operations := map[string]int{}
	for key, n := range m.chosen {
		if key.store == store {
			operations[key.operation] = n
		}
	}
	return operations
}
