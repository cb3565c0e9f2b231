package client

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

const (
	// defaultTimeout is the time for one attempt at a request. The server ends a request
	// after 60 s.
	defaultTimeout = 90 * time.Second
	// defaultMaxResponse is how much of a response is read, in bytes, after decompression.
	defaultMaxResponse = 64 << 20
	// maxHeaderBytes is the length of the header of a response, in bytes.
	maxHeaderBytes = 256 << 10
	// maxIdleConns is how many idle connections are kept.
	maxIdleConns = 16
	// defaultFloor is how many requests of the quota are left for others.
	defaultFloor = 3
)

// Option changes a client.
type Option func(*options)

type options struct {
	base, userAgent string
	http            *http.Client
	timeout         time.Duration
	maxResponse     int64
	retry           RetryPolicy
	keys            bool
	log             *slog.Logger
	clock           Clock
	floor           int
	concurrency     int
}

func defaults() options {
	return options{
		base: DefaultBaseURL, userAgent: "cohort-client-go", http: &http.Client{Transport: newTransport()},
		timeout: defaultTimeout, maxResponse: defaultMaxResponse, retry: DefaultRetryPolicy(),
		log: slog.New(slog.DiscardHandler), clock: systemClock{}, floor: defaultFloor,
	}
}

func newTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the program has replaced it
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = maxHeaderBytes
	t.MaxIdleConnsPerHost = maxIdleConns
	return t
}

// WithBaseURL sets the address of the server, such as http://127.0.0.1:8080. The default is
// that of the vendor's service.
func WithBaseURL(url string) Option { return func(o *options) { o.base = url } }

// WithHTTPClient sets the client that sends requests. Its Timeout and CheckRedirect are not
// used: see [WithTimeout], and no redirect is followed.
func WithHTTPClient(h *http.Client) Option { return func(o *options) { o.http = h } }

// WithUserAgent sets the header User-Agent.
func WithUserAgent(text string) Option { return func(o *options) { o.userAgent = text } }

// WithTimeout sets the time for one attempt at a request (90 s). Waits between attempts are
// not part of it; the context of a call bounds everything.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// WithMaxResponse sets how many bytes of a response are read (64 MiB), after decompression.
// A longer one is an [ErrResponse].
func WithMaxResponse(bytes int64) Option { return func(o *options) { o.maxResponse = bytes } }

// WithRetry sets what is repeated, and when.
func WithRetry(p RetryPolicy) Option { return func(o *options) { o.retry = p } }

// WithIdempotencyKeys makes the client send a new Idempotency-Key with each POST that
// creates, and repeat such requests too. Only Cohort knows the header: the vendor's service
// ignores it, and a repeated POST could create twice there.
func WithIdempotencyKeys() Option { return func(o *options) { o.keys = true } }

// WithLogger sets the log. Requests are on the level debug, waits and retries on info. It
// has methods, paths and statuses, but no token, query or body.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

// WithClock sets the clock by which the client waits, for tests.
func WithClock(c Clock) Option { return func(o *options) { o.clock = c } }

// WithQuotaFloor sets how many requests of the quota the client leaves for others (3). With
// this number left it waits for the next window. A small quota has a floor of at most a tenth.
func WithQuotaFloor(requests int) Option { return func(o *options) { o.floor = requests } }

// WithConcurrency sets the concurrency limit of the store, if it has one of its own. It
// replaces all limits above 1 that the operations have.
func WithConcurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// Clock is the time by which a client waits.
type Clock interface {
	Now() time.Time
	// Sleep returns after the duration, or earlier with the error of the context.
	Sleep(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
