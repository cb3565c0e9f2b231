package limit

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFailures is how many tokens that nobody has an address may send in a
	// minute before it is told to wait.
	maxFailures = 60
	// failureLength is how long failures count, from the first one on.
	failureLength = time.Minute
	// maxFailureAddresses is how many addresses are counted each for itself. All
	// others share one count.
	maxFailureAddresses = 10_000
	// failurePurge is how often it is looked which counts are over, while there is
	// no room for more.
	failurePurge = time.Second
	// failureBits is how much of an IPv6 address counts: one client has 64 bits of
	// them to choose from.
	failureBits = 64
)

// FailedTokens names the limit in metrics.
const FailedTokens = "failed_tokens"

// Failures counts tokens that nobody has by the address of who sent them, in the
// memory of the process.
type Failures struct {
	now func() time.Time

	mu        sync.Mutex
	addresses map[netip.Addr]span
	others    span
	purged    time.Time
}

// NewFailures returns counts that are all zero.
func NewFailures(now func() time.Time) *Failures {
	return &Failures{now: now, addresses: map[netip.Addr]span{}}
}

// Failure is what becomes of a token that nobody has.
type Failure struct {
	Refused    bool // too many came from there
	First      bool // it is the first that is refused
	RetryAfter int  // seconds, when it is refused
}

// Count counts a token that nobody has.
func (f *Failures) Count(from netip.Addr) Failure {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		prefix, _ := from.Prefix(failureBits) // an IPv6 address has as many
		from = prefix.Addr()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	s, own := f.span(from, now)
	if !now.Before(s.ends) {
		s = span{ends: now.Add(failureLength)}
	}
	s.used++
	if own {
		f.addresses[from] = s
	} else {
		f.others = s
	}
	if s.used <= maxFailures {
		return Failure{}
	}
	return Failure{Refused: true, First: s.used == maxFailures+1, RetryAfter: retryAfter(s.ends.Sub(now))}
}

// span returns the count of an address, or the one that is shared if there is no
// room for another.
func (f *Failures) span(from netip.Addr, now time.Time) (s span, own bool) {
	if s, own = f.addresses[from]; own {
		return s, true
	}
	if len(f.addresses) >= maxFailureAddresses && now.Sub(f.purged) >= failurePurge {
		f.purged = now
		maps.DeleteFunc(f.addresses, func(_ netip.Addr, s span) bool { return !now.Before(s.ends) })
	}
	if len(f.addresses) >= maxFailureAddresses {
		return f.others, false
	}
	return span{}, true
}
