package outbox

import (
	"sync"
	"time"

	"cohort.example/cohort/internal/db"
)

// How many leased messages this process holds at a time: for all destinations, and
// for one. The last spareConcurrency of all are for destinations without a running
// attempt, so that a few slow destinations cannot take all. A destination whose last
// attempt failed gets one attempt at a time.
const (
	maxConcurrency            = 32
	spareConcurrency          = 8
	maxDestinationConcurrency = 8
)

// forgetAfter is how long a destination without attempts is remembered.
const forgetAfter = 2 * maxRetryAfter

// destinationKey is a destination of a kind.
type destinationKey struct{ kind, destination string }

func destinationOf(j db.Job) destinationKey { return destinationKey{j.Kind, j.Destination} }

// destinations is what this process knows of destinations.
type destinations struct {
	mu      sync.Mutex
	running int // in all
	known   map[destinationKey]*destination
}

type destination struct {
	running     int
	failure     error     // of the last attempt
	logged      bool      // whether the log says that attempts fail
	pausedUntil time.Time // no attempts before, on request of the destination
	seen        time.Time // of the last attempt
}

func newDestinations() *destinations {
	return &destinations{known: map[destinationKey]*destination{}}
}

// of returns a destination. The caller holds the lock.
func (ds *destinations) of(k destinationKey) *destination {
	d := ds.known[k]
	if d == nil {
		d = &destination{}
		ds.known[k] = d
	}
	return d
}

// reserve counts one more running attempt, unless a limit is reached or the
// destination has asked for a pause.
func (ds *destinations) reserve(k destinationKey, now time.Time) bool {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d := ds.of(k)
	limit := maxDestinationConcurrency
	if d.failure != nil || ds.running >= maxConcurrency-spareConcurrency {
		limit = 1
	}
	if ds.running >= maxConcurrency || d.running >= limit || now.Before(d.pausedUntil) {
		return false
	}
	d.running++
	d.seen = now
	ds.running++
	return true
}

// isFull reports whether the running attempts keep a destination from getting another one. A
// pause and a failure do not count.
func (ds *destinations) isFull(k destinationKey) bool {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.running >= maxConcurrency-spareConcurrency || ds.of(k).running >= maxDestinationConcurrency
}

// release is the opposite of reserve.
func (ds *destinations) release(k destinationKey) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	ds.of(k).running--
	ds.running--
}

// observe takes note of how an attempt ended. A permanent failure is one of the
// message, and says nothing about the destination.
func (ds *destinations) observe(k destinationKey, failure error, now time.Time) {
	if isPermanent(failure) {
		return
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d := ds.of(k)
	d.failure, d.seen = failure, now
	d.pausedUntil = time.Time{}
	if pause := pauseOf(failure); pause > 0 {
		d.pausedUntil = now.Add(pause)
	}
}

// change is a destination that has begun to fail, or to work again if failure is nil.
type change struct {
	destinationKey
	failure error
}

// changes returns what has changed since the last call.
func (ds *destinations) changes() (list []change) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for k, d := range ds.known {
		if fails := d.failure != nil; fails != d.logged {
			d.logged = fails
			list = append(list, change{k, d.failure})
		}
	}
	return list
}

// forget removes destinations without a recent attempt, which may be gone for good.
func (ds *destinations) forget(now time.Time) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for k, d := range ds.known {
		if d.running == 0 && now.Sub(d.seen) > forgetAfter {
			delete(ds.known, k)
		}
	}
}
