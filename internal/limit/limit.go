// Package limit decides whether a request is let in: by how many are under way
// at once, by the rate of its operation and by its store's quota. [Memory]
// counts for one node, [Shared] in a Redis for all of them.
package limit

import (
	"time"

	"cohort.example/cohort"
)

// Limiter lets requests in, or refuses them.
type Limiter interface {
	// Admit decides about a request. What is refused uses up nothing. Whoever
	// is let in calls done once, when the request is over; done is never nil.
	Admit(Request) (d Decision, done func())
	// Peek tells what Admit would decide now, and uses up nothing.
	Peek(Request) Decision
}

// Request is a request, and the limits that hold for it.
type Request struct {
	Store     string
	Operation string
	// Concurrency is how many requests of the operation the store may have under
	// way together; 0 is without limit.
	Concurrency int
	// PerPath and PerStore are how many calls of the operation a minute takes,
	// to one path and in the store; both 0 are without limit.
	PerPath, PerStore int
	Path              string // in what the operation's paths differ
	// Quota is how many requests the store may make in a [cohort.Window], if
	// it is metered.
	Quota   int
	Metered bool
}

func (r *Request) rated() bool { return r.PerPath > 0 || r.PerStore > 0 }

// free reports whether there is nothing to decide.
func (r *Request) free() bool { return r.Concurrency == 0 && !r.rated() && !r.Metered }

// Decision is what becomes of a request.
type Decision struct {
	Refused    string // the limit that it met; empty when it is let in
	RetryAfter int    // seconds, when it is refused
	Quota      Usage  // where the store stands, if it is metered
}

// The limits, as metrics name them.
const (
	Concurrency = "concurrency"
	Rate        = "rate"
	Quota       = "quota"
)

// The lengths of the windows.
const (
	quotaLength = cohort.Window
	rateLength  = time.Minute
)

// Usage is where a store stands in its window.
type Usage struct {
	Limit, Left int
	Reset       time.Duration // to the next window
}

// retryAfter is a time in whole seconds, at least one.
func retryAfter(d time.Duration) int {
	return max(int((d+time.Second-1)/time.Second), 1)
}

// nothing is the end of a request that keeps no place.
func nothing() {}
