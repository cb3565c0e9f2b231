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
	// workTimeout bounds what is done for one request. It is the time that an
	// answer has, so nobody could be told of what takes longer.
	workTimeout = 60 * time.Second
	// leftGrace is how long work that only reads goes on after its client has
	// ended its sending side. A client that waits for its answer does that, and so
	// does one that has closed the connection: they look the same.
	leftGrace = 5 * time.Second
)

// statusClientGone is what metrics and log have instead of a status when the
// work of a request was ended because its client is gone. It is on no wire.
const statusClientGone = 499

// work is the context in which a request is carried out. It has the values of
// net/http's context and not its end, which comes as soon as the client sends
// nothing more. Work that writes ends with its time only, or when the server
// cuts it off. Work that only reads ends when its client is gone, too.
//
// Most requests are answered from memory, and nobody asks for the end of their
// context. So timer and watch are made when somebody does.
type work struct {
	request   context.Context // of net/http
	cutOff    context.Context // of the server: ends what is under way
	start     time.Time
	writes    bool
	multiplex bool // HTTP/2: a client that ends a stream early has given it up

	gone  atomic.Bool // the work was ended because its client is gone
	armed atomic.Pointer[armedWork]
	mu    sync.Mutex
	over  bool
}

// armedWork is what makes a work end.
type armedWork struct {
	context.Context
	cancel  context.CancelFunc
	unwatch func() bool
	grace   *time.Timer
}

func (w *work) Deadline() (time.Time, bool) { return w.start.Add(workTimeout), true }
func (w *work) Done() <-chan struct{}       { return w.arm().Done() }
func (w *work) Err() error                  { return w.arm().Err() }

// Value looks into the armed context first, so that the context package finds
// the one whose end this is.
func (w *work) Value(key any) any {
	if a := w.armed.Load(); a != nil {
		if v := a.Value(key); v != nil {
			return v
		}
	}
	return w.request.Value(key)
}

func (w *work) arm() context.Context {
	if a := w.armed.Load(); a != nil {
		return a
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.armed.Load(); a != nil {
		return a
	}
	a := &armedWork{}
	a.Context, a.cancel = context.WithDeadline(w.cutOff, w.start.Add(workTimeout))
	if w.over {
		a.cancel()
	} else if !w.writes {
		a.unwatch = context.AfterFunc(w.request, w.clientLeft)
	}
	w.armed.Store(a)
	return a
}

// clientLeft is called when net/http finds that the client sends nothing more.
func (w *work) clientLeft() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if c := connOf(w.request); w.multiplex || c != nil && c.broken.Load() {
		w.giveUp()
		return
	}
	w.armed.Load().grace = time.AfterFunc(leftGrace, w.giveUp)
}

func (w *work) giveUp() {
	w.gone.Store(true)
	w.armed.Load().cancel()
}

// release ends the context when the request is over.
func (w *work) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	a := w.armed.Load()
	if a == nil {
		return
	}
	if a.unwatch != nil {
		a.unwatch()
	}
	if a.grace != nil {
		a.grace.Stop()
	}
	a.cancel()
}

// interrupted gives an error of a context that has ended its place among the
// errors of the wire: nothing was changed, and a later try may work.
func interrupted(err error) error {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if ended && cohort.KindOf(err) == cohort.KindInternal {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	return err
}
