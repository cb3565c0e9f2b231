package limit

import (
	"sync"
	"time"
)

// Memory counts in the memory of the process, and so for one node. One lock
// holds for all limits, so that a request is let in by all of them or by none.
type Memory struct {
	now    func() time.Time
	mu     sync.Mutex
	busy   map[gate]int // requests under way
	rates  *window
	quotas *window
}

// gate is what bounds the requests of one operation that a store has under way
// together. It refuses at once; nothing queues.
type gate struct{ store, operation string }

// NewMemory returns limits that nobody has used yet.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, busy: map[gate]int{}, rates: newWindow(rateLength), quotas: newWindow(quotaLength)}
}

// Admit decides about a request.
func (m *Memory) Admit(r Request) (d Decision, done func()) {
	if r.free() {
		return Decision{}, nothing
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	done = nothing
	if d.Refused, d.RetryAfter = m.refusal(&r, now); d.Refused == "" {
		done = m.count(&r, now)
	}
	if r.Metered {
		d.Quota = m.quotas.look(r.Store, r.Quota, now)
	}
	return d, done
}

// Peek tells what Admit would decide now.
func (m *Memory) Peek(r Request) (d Decision) {
	if r.free() {
		return d
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	d.Refused, d.RetryAfter = m.refusal(&r, now)
	if r.Metered {
		d.Quota = m.quotas.look(r.Store, r.Quota, now)
	}
	return d
}

// refusal returns the first limit that does not let the request in, and when to
// come again. It uses up nothing.
func (m *Memory) refusal(r *Request, now time.Time) (limit string, retry int) {
	if r.Concurrency > 0 && m.busy[gate{r.Store, r.Operation}] >= r.Concurrency {
		return Concurrency, 1
	}
	if r.rated() {
		storeKey, pathKey := rateKeys(r)
		for _, u := range []Usage{m.rates.look(pathKey, r.PerPath, now), m.rates.look(storeKey, r.PerStore, now)} {
			if u.Left == 0 {
				return Rate, retryAfter(u.Reset)
			}
		}
	}
	if r.Metered {
		if u := m.quotas.look(r.Store, r.Quota, now); u.Left == 0 {
			return Quota, retryAfter(u.Reset)
		}
	}
	return "", 0
}

// count counts a request that is let in.
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
		return nothing
	}
	g := gate{r.Store, r.Operation}
	m.busy[g]++
	return func() { m.leave(g) }
}

// note counts a request that was let in by others, whatever the limits are.
func (m *Memory) note(r Request) (done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(&r, m.now())
}

func (m *Memory) leave(g gate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[g]--
	if m.busy[g] == 0 {
		delete(m.busy, g)
	}
}

func rateKeys(r *Request) (store, path string) {
	store = r.Operation + " " + r.Store
	return store, store + "/" + r.Path
}
