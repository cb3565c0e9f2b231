package client

import (
	"context"
	"net/http"
)

// Response is what the server said besides the result of a call.
type Response struct {
	Status int
	Header http.Header
	// RequestID is in the log of the server.
	RequestID string
	// ETag is the tag of a customer group, for [WithIfMatch], or "".
	ETag string
	// Attempts is how many requests the client has sent for the call.
	Attempts int
}

// settings are what a context says about the calls that are made with it.
type settings struct {
	response      *Response
	key, ifMatch  string
	actor, reason string
}

type settingsKey struct{}

func settingsOf(ctx context.Context) settings {
	s, _ := ctx.Value(settingsKey{}).(settings)
	return s
}

func with(ctx context.Context, change func(*settings)) context.Context {
	s := settingsOf(ctx)
	change(&s)
	return context.WithValue(ctx, settingsKey{}, s)
}

// WithResponse makes calls with the context fill the response. Of a call that sends several
// requests it has the last one. Calls at the same time need contexts of their own.
func WithResponse(ctx context.Context, r *Response) context.Context {
	return with(ctx, func(s *settings) { s.response = r })
}

// WithIdempotencyKey gives the next POST that creates a key: of several requests with it,
// only the first one creates, also after a crash of the program. The client repeats the
// request after a failure. Only Cohort knows the key; do not use it with the vendor's
// service. The context is for one call.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return with(ctx, func(s *settings) { s.key = key })
}

// WithIfMatch makes an update or a deletion of a customer group fail with [ErrChanged]
// unless the group still has the tag of [Response]. Only Cohort knows tags.
func WithIfMatch(ctx context.Context, tag string) context.Context {
	return with(ctx, func(s *settings) { s.ifMatch = tag })
}

// WithActor says for whom changes are made, and why. Cohort keeps both with its events; the
// vendor's service ignores them. Each has at most 255 bytes without control characters, and
// may be "".
func WithActor(ctx context.Context, actor, reason string) context.Context {
	return with(ctx, func(s *settings) { s.actor, s.reason = actor, reason })
}
