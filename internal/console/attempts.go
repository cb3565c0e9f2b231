package console

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFailures is how many logins from one address may fail in failureWindow. Further ones
	// are refused until it has passed.
	maxFailures = 5
	// failureWindow is how long failures count.
	failureWindow = time.Minute
	// maxAddresses bounds the addresses whose failures are counted. Beyond it, the oldest
	// windows are forgotten.
	maxAddresses = 10_000
)

// attempts counts failed logins by the address that they come from.
type attempts struct {
	mu     sync.Mutex
	counts map[netip.Prefix]*failures
}

// failures are those of one address since a time.
type failures struct {
	count int
	since time.Time
}

func newAttempts() *attempts { return &attempts{counts: map[netip.Prefix]*failures{}} }

// network returns what failures are counted for: an address, or with IPv6 a network of one
// customer.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero address has the zero network
	return p
}

// begin reports whether a login may be attempted. It counts as failed until succeeded is
// called, so that attempts at the same time count too.
func (a *attempts) begin(from netip.Addr, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := network(from)
	f := a.counts[key]
	if f == nil || now.Sub(f.since) >= failureWindow {
		f = &failures{since: now}
		a.makeRoom(now)
		a.counts[key] = f
	}
	f.count++
	return f.count <= maxFailures
}

// succeeded takes back what begin has counted.
func (a *attempts) succeeded(from netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.counts[network(from)]; f != nil && f.count > 0 {
		f.count--
	}
}

// makeRoom removes windows that have passed, and the oldest one if there are too many.
func (a *attempts) makeRoom(now time.Time) {
	if len(a.counts) < maxAddresses {
		return
	}
	var oldest netip.Prefix
	var since time.Time
	for key, f := range a.counts {
		if now.Sub(f.since) >= failureWindow {
			delete(a.counts, key)
		} else if since.IsZero() || f.since.Before(since) {
			oldest, since = key, f.since
		}
	}
	if len(a.counts) >= maxAddresses {
		delete(a.counts, oldest)
	}
}
