package limit

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFailures is how many unknown tokens an address may send in a window.
	maxFailures = 60
	// failureWindow begins with the first unknown token of an address.
	failureWindow = time.Minute
	// maxFailureAddresses is how many addresses have a count of their own. All
	// further addresses share one count.
	maxFailureAddresses = 10_000
	// purgeInterval is how often expired counts are dropped while the table of
	// addresses is full.
	purgeInterval = time.Second
	// ipv6PrefixBits is how much of an IPv6 address identifies a client: a client
	// can choose the other 64 bits freely.
	ipv6PrefixBits = 64
)

// FailedTokens names the limit in metrics.
const FailedTokens = "failed_tokens"

// Failures counts unknown tokens by client address, in the memory of the process.
type Failures struct {
	now func() time.Time

	mu        sync.Mutex
	addresses map[netip.Addr]counter
	overflow  counter // of all addresses beyond maxFailureAddresses
	purged    time.Time
}

// NewFailures returns counts that are all zero.
func NewFailures(now func() time.Time) *Failures {
	return &Failures{now: now, addresses: map[netip.Addr]counter{}}
}

// Failure is the result of counting an unknown token.
type Failure struct {
	Rejected   bool // the address has sent too many
	First      bool // it is the first rejection of the window
	RetryAfter int  // seconds, if rejected
}

// Count counts an unknown token.
func (f *Failures) Count(from netip.Addr) Failure {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		prefix, _ := from.Prefix(ipv6PrefixBits) // an IPv6 address has at least as many bits
		from = prefix.Addr()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	c, own := f.counter(from, now)
	if !now.Before(c.ends) {
		c = counter{ends: now.Add(failureWindow)}
	}
	c.used++
	if own {
		f.addresses[from] = c
	} else {
		f.overflow = c
	}
	if c.used <= maxFailures {
		return Failure{}
	}
	return Failure{Rejected: true, First: c.used == maxFailures+1, RetryAfter: retryAfter(c.ends.Sub(now))}
}

// counter returns the count of an address, or the overflow count if the table is
// full.
func (f *Failures) counter(from netip.Addr, now time.Time) (c counter, own bool) {
	if c, own = f.addresses[from]; own {
		return c, true
	}
	if len(f.addresses) >= maxFailureAddresses && now.Sub(f.purged) >= purgeInterval {
		f.purged = now
		maps.DeleteFunc(f.addresses, func(_ netip.Addr, c counter) bool { return !now.Before(c.ends) })
	}
	if len(f.addresses) >= maxFailureAddresses {
		return f.overflow, false
	}
	return counter{}, true
}
