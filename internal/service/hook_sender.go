package service

import (
	"context"
	"time"
)

// HookSender sends messages of webhooks.
type HookSender interface {
	// Send makes one attempt. It returns when ctx ends.
	Send(ctx context.Context, a HookAttempt) HookAnswer
	// CheckDestination returns KindInvalid for a URL to which nothing may be sent.
	CheckDestination(url string) error
}

// HookAttempt is what one attempt sends.
type HookAttempt struct {
	ID          string    // header webhook-id; the same for all attempts
	Timestamp   time.Time // header webhook-timestamp
	Destination string
	Headers     map[string]string // of the hook
	Body        []byte
	Secrets     []string // that sign the message, the current one first; "" none
}

// HookAnswer is how an attempt ended.
type HookAnswer struct {
	Status   int               // 0: no response
	Request  map[string]string // the header as sent, without signature and without values of the hook's own headers that look like credentials
	Response string            // the beginning of the body, up to 1 KiB of valid UTF-8
	Err      error             // nil for a 2xx
}

// WithHookSender sends the messages of webhooks.
func WithHookSender(h HookSender) Option { return func(s *Service) { s.hookSender = h } }
