// Package limit decides whether a request may run, by three limits: how many
// requests run concurrently, the rate of the operation, and the store's quota.
// [Memory] counts for one node, [Shared] in Redis for all nodes.
package limit

import (
	"time"

	"cohort.example/cohort"
)

// Limiter admits or rejects requests.
type Limiter interface {
	// Admit decides about a request. A rejected request uses up nothing. The
	// caller of an admitted request calls done once, when the request ends. done
	// is never nil.
	Admit(Request) (d Decision, done func())
	// Check returns what Admit would decide now, and uses up nothing.
	Check(Request) Decision
}

// Request is a request with the limits that apply to it.
type Request struct {
	Store     string
	Operation string
	// Concurrency is how many requests of the operation a store may run
	// concurrently; 0 is unlimited.
	Concurrency int
	// PerPath and PerStore are how many calls of the operation are allowed per
	// minute, for one path and for the store; if both are 0, there is no rate
	// limit.
	PerPath, PerStore int
	Path              string // the variable parts of the path
	// Quota is how many requests the store may make in a [cohort.Window], if
	// Metered is set.
	Quota   int
	Metered bool
}

func (r *Request) rated() bool { return r.PerPath > 0 || r.PerStore > 0 }

// unlimited reports whether no limit applies.
func (r *Request) unlimited() bool { return r.Concurrency == 0 && !r.rated() && !r.Metered }

// Decision is the result for one request.
type Decision struct {
	RejectedBy string // the name of the limit; empty if the request is admitted
	RetryAfter int    // seconds, if rejected
	Quota      Usage  // of the store, if it is metered
}

// The names of the limits in metrics.
const (
	Concurrency = "concurrency"
	Rate        = "rate"
	Quota       = "quota"
)

const (
	quotaWindow = cohort.Window
	rateWindow  = time.Minute
)

// Usage is how much of a limit is used in the current window.
type Usage struct {
	Limit, Left int
	Reset       time.Duration // until the window ends
}

// retryAfter rounds up to whole seconds, at least one.
func retryAfter(d time.Duration) int {
	return max(int((d+time.Second-1)/time.Second), 1)
}

// noop is the done function of a request that holds no slot.
func noop() {}
