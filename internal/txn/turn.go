package txn

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// turn is one call of Update on its way through the writer.
type turn struct {
	place
	ticket ticket
	fn     func(*Tx) error

	mu    sync.Mutex
	state turnState

	ran      chan struct{} // closed when fn has returned
	done     chan struct{} // closed when what follows holds
	err      error
	panicked any
}

type turnState int

const (
	waiting turnState = iota
	withdrawn
	started
)

func newTurn(ctx context.Context, fn func(*Tx) error) *turn {
	k := ticketOf(ctx)
	return &turn{place: place{store: k.store}, ticket: k, fn: fn, ran: make(chan struct{}), done: make(chan struct{})}
}

// start claims the turn for the writer, unless its caller has left.
func (t *turn) start() bool { return t.become(started) }

// withdraw claims it for the caller: fn was not called and never will be.
func (t *turn) withdraw() bool { return t.become(withdrawn) }

func (t *turn) become(s turnState) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != waiting {
		return false
	}
	t.state = s
	return true
}

// run calls fn. A panic is an error here, and a panic again for the caller.
func (t *turn) run(tx *Tx) (err error) {
	defer close(t.ran)
	defer func() {
		if p := recover(); p != nil {
			t.panicked = fmt.Sprintf("%v\n\nin the writer's %s", p, debug.Stack())
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.fn(tx)
}

// answer lets the caller go, with the turn's own error or that of its batch.
func (t *turn) answer(batch error) {
	if t.err == nil {
		t.err = batch
	}
	close(t.done)
}

// wait returns what became of the turn: when it is known, or when ctx ends.
func (t *turn) wait(ctx context.Context) error {
	select {
	case <-t.done:
		return t.result()
	case <-ctx.Done():
	}
	if t.withdraw() {
		return ctx.Err()
	}
	// fn may write to variables of the caller's, who must not go on before it
	// is through. That takes no time that counts; the commit may.
	<-t.ran
	select {
	case <-t.done:
		return t.result()
	default:
		return errors.Join(errUnknown, ctx.Err())
	}
}

func (t *turn) result() error {
	if t.panicked != nil {
		panic(t.panicked)
	}
	return t.err
}
