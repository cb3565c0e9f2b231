package conformance

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxWaits is how often a request is sent again after a 429.
	maxWaits = 5
	// maxWait is the longest time between two of them.
	maxWait = time.Minute
)

// waiting sends a request again that came too fast, when the store says so. The requests of
// the scripts have short bodies, which the client can send again.
type waiting struct {
	next http.RoundTripper // nil: the default
	wait func(context.Context, time.Duration) error
}

// RoundTrip implements [http.RoundTripper].
func (t *waiting) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	for waits := 0; ; waits++ {
		res, err := next.RoundTrip(req)
		if err != nil || res.StatusCode != http.StatusTooManyRequests || waits == maxWaits {
			return res, err
		}
		_ = res.Body.Close() // the response is not used
		if err := t.wait(req.Context(), pauseOf(res.Header)); err != nil {
			return nil, err
		}
		if req.GetBody == nil {
			continue
		}
		again := req.Clone(req.Context())
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		req = again
	}
}

// pauseOf returns how long a store asks to wait: a second if it does not say.
func pauseOf(h http.Header) time.Duration {
	for _, f := range []struct {
		name string
		unit time.Duration
	}{{"X-Rate-Limit-Time-Reset-Ms", time.Millisecond}, {"X-Retry-After", time.Second}} {
		if n, err := strconv.ParseInt(h.Get(f.name), 10, 64); err == nil && n > 0 {
			return time.Duration(min(n, int64(maxWait/f.unit))) * f.unit
		}
	}
	return time.Second
}
