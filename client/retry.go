package client

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// defaultAttempts is how many requests are sent for one call, with the first one.
	defaultAttempts = 4
	// defaultMinWait is the wait before the first retry of a request without a known wait.
	defaultMinWait = 250 * time.Millisecond
	// defaultMaxWait is the longest wait between two attempts.
	defaultMaxWait = 2 * time.Minute
	// maxBelievedWait is the longest wait that a header may ask for; more is ignored.
	maxBelievedWait = time.Hour
)

// RetryPolicy says how often a request is repeated. What may be repeated is not a choice:
//
//   - A 429 means that nothing was done. It is repeated for every method.
//   - So does a connection that could not be made.
//   - After 502, 503, 504, and a connection that broke, the request may have had its effect.
//     GET, PUT and DELETE are repeated, because a second time changes nothing more. POST is
//     repeated only if it reads, or has an idempotency key. [CustomerService.DeleteMany]
//     and updates with [WithIfMatch] are not repeated.
//
// A DELETE that was repeated and then gets a 404 has succeeded.
type RetryPolicy struct {
	// Attempts is how many requests are sent for one call, with the first one (4). 1 repeats
	// nothing.
	Attempts int
	// MinWait is the wait before the first retry if the server does not say one (250 ms). It
	// doubles for each further one. Half of it is random.
	MinWait time.Duration
	// MaxWait is the longest wait (2 min). If the server asks for a longer one, the call
	// returns the error at once.
	MaxWait time.Duration
}

// DefaultRetryPolicy returns the policy of a client without [WithRetry].
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{Attempts: defaultAttempts, MinWait: defaultMinWait, MaxWait: defaultMaxWait}
}

// backOff is what the header of a response says about the next attempt.
type backOff struct {
	after time.Duration // Retry-After or X-Retry-After; 0: neither
	quota quota
}

func readBackOff(h http.Header) backOff {
	b := backOff{quota: readQuota(h)}
	for _, name := range []string{"X-Retry-After", "Retry-After"} {
		seconds, err := strconv.ParseInt(h.Get(name), 10, 32)
		if d := time.Duration(seconds) * time.Second; err == nil && d > b.after && d <= maxBelievedWait {
			b.after = d
		}
	}
	return b
}

// wait is the time that the server asks to wait, 0 if it says none. A quota that has
// requests left was not the reason, so the end of its window does not matter.
func (b backOff) wait() time.Duration {
	if b.quota.known && b.quota.left == 0 {
		return max(b.after, b.quota.reset)
	}
	return b.after
}

// next returns how long to wait before the next attempt, or false if there is none.
func (p RetryPolicy) next(r *request, attempt int, err error) (time.Duration, bool) {
	if attempt >= p.Attempts {
		return 0, false
	}
	if !r.repeatable(err) {
		return 0, false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAfter > 0 {
		wait := e.RetryAfter + rand.N(e.RetryAfter/10+1) //nolint:gosec // it spreads load
		return wait, e.RetryAfter <= p.MaxWait
	}
	wait := min(p.MinWait<<min(attempt-1, 16), p.MaxWait)
	if wait <= 0 {
		return 0, true
	}
	return wait/2 + rand.N(wait/2+1), true //nolint:gosec // it spreads load
}

// repeatable reports whether the request may be sent again after an error.
func (r *request) repeatable(err error) bool {
	e, answered := errors.AsType[*Error](err)
	switch {
	case answered && e.Status == http.StatusTooManyRequests, notSent(err):
		return true
	case answered && e.Status == http.StatusConflict:
		return r.key != "" && e.RetryAfter > 0 // the first request with the key is under way
	case answered && !mayBeTransient(e.Status), errors.Is(err, ErrResponse), r.once:
		return false
	}
	return r.method != http.MethodPost || r.reads || r.key != ""
}

func mayBeTransient(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// notSent reports whether the request has not reached the server.
func notSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// mayHaveHappened reports whether the request may have had its effect in spite of the error.
func mayHaveHappened(err error) bool {
	e, answered := errors.AsType[*Error](err)
	return !notSent(err) && (!answered || mayBeTransient(e.Status))
}
