package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
)

const (
	// requestTimeout bounds the work for one request. The server also gives up
	// writing a response after this time.
	requestTimeout = 60 * time.Second
	// halfClosedGrace is how long a read goes on after its client has closed its
	// sending side. A client that still waits for the response does that, and so
	// does a client that has closed the connection; the server cannot distinguish
	// them.
	halfClosedGrace = 5 * time.Second
)

// statusClientGone stands in metrics and log for the status of a request that was
// canceled because its client has gone. It is never sent.
const statusClientGone = 499

// requestContext is the context of a request's work. It has the values of
// net/http's context but not its cancellation, which comes as soon as the client
// closes its sending side. The context of a write ends by timeout or by
// Server.CutOff only. The context of a read also ends when its client has gone.
//
// Most requests are served from memory and never look at their context's end, so
// the timer and the watch of the client start with the first call of Done or Err.
type requestContext struct {
	request context.Context // of net/http
	cutOff  context.Context // of the server; it ends when Server.CutOff is called
	start   time.Time
	writes  bool
	waits   bool // see api.Route; the context has no deadline then
	http2   bool // a client that ends an HTTP/2 stream early has canceled the request

	gone     atomic.Bool // the context was canceled because the client has gone
	started  atomic.Pointer[cancelContext]
	mu       sync.Mutex
	released bool
}

// cancelContext is the context whose end is the end of a requestContext.
type cancelContext struct {
	context.Context
	cancel  context.CancelFunc
	unwatch func() bool
	grace   *time.Timer
}

// Deadline implements context.Context.
func (c *requestContext) Deadline() (time.Time, bool) {
	if c.waits {
		return time.Time{}, false
	}
	return c.start.Add(requestTimeout), true
}

func (c *requestContext) Done() <-chan struct{} { return c.cancelable().Done() }
func (c *requestContext) Err() error            { return c.cancelable().Err() }

// Value looks into the cancelContext first, so that package context finds the
// cancelable context by its private key.
func (c *requestContext) Value(key any) any {
	if cc := c.started.Load(); cc != nil {
		if v := cc.Value(key); v != nil {
			return v
		}
	}
	return c.request.Value(key)
}

// cancelable returns the cancelContext. The first call makes it.
func (c *requestContext) cancelable() context.Context {
	if cc := c.started.Load(); cc != nil {
		return cc
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cc := c.started.Load(); cc != nil {
		return cc
	}
	cc := &cancelContext{}
	if c.waits {
		cc.Context, cc.cancel = context.WithCancel(c.cutOff)
	} else {
		cc.Context, cc.cancel = context.WithDeadline(c.cutOff, c.start.Add(requestTimeout))
	}
	if c.released {
		cc.cancel()
	} else if !c.writes {
		cc.unwatch = context.AfterFunc(c.request, c.clientLeft)
	}
	c.started.Store(cc)
	return cc
}

// clientLeft is called when net/http cancels its context: the client has closed its
// sending side.
func (c *requestContext) clientLeft() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.released {
		return
	}
	if conn := connOf(c.request); c.http2 || conn != nil && conn.broken.Load() {
		c.cancelGone()
		return
	}
	c.started.Load().grace = time.AfterFunc(halfClosedGrace, c.cancelGone)
}

func (c *requestContext) cancelGone() {
	c.gone.Store(true)
	c.started.Load().cancel()
}

// release ends the context when the request has ended.
func (c *requestContext) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.released = true
	cc := c.started.Load()
	if cc == nil {
		return
	}
	if cc.unwatch != nil {
		cc.unwatch()
	}
	if cc.grace != nil {
		cc.grace.Stop()
	}
	cc.cancel()
}

// interrupted turns the error of a context that has ended into KindUnavailable:
// nothing was changed, and a retry may succeed.
func interrupted(err error) error {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if ended && cohort.KindOf(err) == cohort.KindInternal {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	return err
}
