package outbox

import (
	"math/rand/v2"
	"time"
)

// The wait after a failed attempt doubles from one attempt to the next, up to a
// bound. After maxAttempts, which take between half a day and a day, the message is
// dead.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	maxAttempts = 300
)

// maxRetryAfter is the longest pause of RetryAfter.
const maxRetryAfter = time.Hour

// backoff returns the wait after a number of failed attempts, 1 or more, of which the
// last one failed with an error. The wait is random, so that messages that failed
// together are not retried together: between half of the bound and the bound, and
// after a pause that the destination has asked for up to a tenth of that later.
func backoff(attempts int, failure error) time.Duration {
	wait := longestWait
	if attempts < 10 { // from 10 on, firstWait<<(attempts-1) is above longestWait
		wait = min(wait, firstWait<<(attempts-1))
	}
	wait = wait/2 + jitter(wait/2)
	if pause := pauseOf(failure); pause > 0 {
		wait = max(wait, pause+jitter(pause/10))
	}
	return wait
}

// jitter returns a random duration from 0 to most.
func jitter(most time.Duration) time.Duration {
	return rand.N(most + 1) //nolint:gosec // spreading attempts needs no cryptographic randomness
}
