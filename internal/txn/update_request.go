package txn

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// updateRequest is one call of Update in the writer's queue.
type updateRequest struct {
	place
	authorization authorization
	fn            func(*Tx) error

	mu    sync.Mutex
	state requestState

	ran      chan struct{} // closed when fn has returned
	done     chan struct{} // closed when err and panicked are final
	err      error
	panicked any
}

type requestState int

const (
	waiting requestState = iota
	withdrawn
	started
)

func newUpdateRequest(ctx context.Context, fn func(*Tx) error) *updateRequest {
	a := authorizationOf(ctx)
	return &updateRequest{place: place{store: a.store}, authorization: a, fn: fn, ran: make(chan struct{}), done: make(chan struct{})}
}

// start claims the request for the writer. It returns false if the caller has
// withdrawn it.
func (r *updateRequest) start() bool { return r.become(started) }

// withdraw claims the request for the caller: the writer will never call fn. It
// returns false if the writer has started it.
func (r *updateRequest) withdraw() bool { return r.become(withdrawn) }

func (r *updateRequest) become(s requestState) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != waiting {
		return false
	}
	r.state = s
	return true
}

// run calls fn. It turns a panic into an error for the batch and keeps it, so that
// the caller panics too.
func (r *updateRequest) run(tx *Tx) (err error) {
	defer close(r.ran)
	defer func() {
		if p := recover(); p != nil {
			r.panicked = fmt.Sprintf("%v\n\nin the writer's %s", p, debug.Stack())
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.fn(tx)
}

// finish releases the caller with the request's own error, or with the error of its
// batch.
func (r *updateRequest) finish(batch error) {
	if r.err == nil {
		r.err = batch
	}
	close(r.done)
}

// wait returns the outcome of the request once it is known, or an error when ctx
// ends.
func (r *updateRequest) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.result()
	case <-ctx.Done():
	}
	if r.withdraw() {
		return ctx.Err()
	}
	// fn may write to the caller's variables, so the caller has to wait for it. fn is
	// quick; only the commit may take long.
	<-r.ran
	select {
	case <-r.done:
		return r.result()
	default:
		return errors.Join(errUnknown, ctx.Err())
	}
}

func (r *updateRequest) result() error {
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.err
}
