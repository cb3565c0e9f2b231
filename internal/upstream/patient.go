package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// maxRetries is how often a request is sent again that came too soon.
	maxRetries = 3
	// maxWait bounds the wait before each.
	maxWait = time.Minute
)

// Patient returns a client that sends a request again after a 429, when the store says so. wait
// waits, and returns early with the context's error. The time limit of c is for each attempt
// without the waits. The body of a request must be one that can be sent again, as those are of
// [http.NewRequest] that come from memory.
func Patient(c *http.Client, wait func(context.Context, time.Duration) error) *http.Client {
	return &http.Client{Transport: &patient{c, wait}, CheckRedirect: c.CheckRedirect}
}

type patient struct {
	client *http.Client
	wait   func(context.Context, time.Duration) error
}

// RoundTrip implements [http.RoundTripper].
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		res, err := p.client.Do(req)
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // the client of this transport names the request again
		}
		if err != nil || res.StatusCode != http.StatusTooManyRequests || try == maxRetries {
			return res, err
		}
		_ = res.Body.Close() // the response is not used
		if err := p.wait(req.Context(), pauseOf(res.Header)); err != nil {
			return nil, err
		}
		if req.GetBody == nil {
			continue
		}
		req = req.Clone(req.Context())
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
}

// pauseOf returns how long a store wants a client to wait: a second if it does not say.
func pauseOf(h http.Header) time.Duration {
	pause := time.Second
	for _, f := range []struct {
		name string
		unit time.Duration
	}{{"X-Rate-Limit-Time-Reset-Ms", time.Millisecond}, {"X-Retry-After", time.Second}} {
		if n, err := strconv.ParseInt(h.Get(f.name), 10, 64); err == nil {
			pause = max(pause, time.Duration(min(n, int64(maxWait/f.unit)))*f.unit)
		}
	}
	return pause
}
