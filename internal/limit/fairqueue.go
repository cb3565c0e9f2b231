package limit

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"cohort.example/cohort"
)

// The limits of the whole process, as metrics name them.
const (
	ExpensiveWork = "work"
	PasswordWork  = "passwords"
)

// processors is how many processors the process may use, in a container those of
// its share. A server raises GOMAXPROCS above that, so it is read before.
var processors = runtime.GOMAXPROCS(0)

// Processors returns how many processors the process may use.
func Processors() int { return processors }

// WorkOptions are the bounds of a [Work].
type WorkOptions struct {
	Name        string        // as metrics call it
	Concurrency int           // how much runs at once
	Waiting     int           // how many wait at most
	Wait        time.Duration // how long each waits at most
}

// Work bounds work that takes a processor for long, in the whole process. What
// does not run waits for a while, and the stores take turns. So one store's many
// requests do not keep another's single one waiting.
type Work struct {
	options WorkOptions

	mu      sync.Mutex
	running int
	waiting int
	queues  map[string][]*waiter // by store, the oldest first; none is empty
	turns   []string             // the stores that have a queue, the next first
}

// waiter is a caller that waits. let is closed when it may begin, and out when
// it may not.
type waiter struct{ let, out chan struct{} }

// NewWork returns a limit that nothing uses yet.
func NewWork(o WorkOptions) *Work {
	return &Work{options: o, queues: map[string][]*waiter{}}
}

// Concurrency returns how much runs at once.
func (w *Work) Concurrency() int { return w.options.Concurrency }

// Begin waits until a store's work may run. Then the caller has to call done once
// the work is over; further calls do nothing. It returns a *FullError where too
// many wait or the wait is too long, and ctx's error where ctx ends.
func (w *Work) Begin(ctx context.Context, store string) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	one, err := w.enter(store)
	if err != nil {
		return nil, err
	}
	if one == nil {
		return w.done(), nil
	}
	timer := time.NewTimer(w.options.Wait)
	defer timer.Stop()
	select {
	case <-one.let:
		return w.done(), nil
	case <-one.out:
		return nil, w.full()
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = w.full()
	}
	if !w.leave(store, one) { // it was let in at the same moment
		w.done()()
	}
	return nil, err
}

// enter takes a place, or waits for one as what it returns.
func (w *Work) enter(store string) (*waiter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running < w.options.Concurrency {
		w.running++
		return nil, nil
	}
	if w.waiting >= w.options.Waiting && !w.makeRoom(store) {
		return nil, w.full()
	}
	one := &waiter{make(chan struct{}), make(chan struct{})}
	if len(w.queues[store]) == 0 {
		w.turns = append(w.turns, store)
	}
	w.queues[store] = append(w.queues[store], one)
	w.waiting++
	return one, nil
}

// makeRoom sends away the last one of the store that has most waiting. It does
// not if the newcomer's store would have as many then.
func (w *Work) makeRoom(newcomer string) bool {
	longest := newcomer
	for _, store := range w.turns {
		if len(w.queues[store]) > len(w.queues[longest]) {
			longest = store
		}
	}
	queue := w.queues[longest]
	if len(queue) <= len(w.queues[newcomer])+1 {
		return false
	}
	last := queue[len(queue)-1]
	w.remove(longest, last)
	close(last.out)
	return true
}

// leave takes a waiter out of its queue. It reports whether it was in there.
func (w *Work) leave(store string, one *waiter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remove(store, one)
}

func (w *Work) remove(store string, one *waiter) bool {
	queue := w.queues[store]
	at := slices.Index(queue, one)
	if at < 0 {
		return false
	}
	w.waiting--
	if len(queue) == 1 {
		delete(w.queues, store)
		w.turns = slices.DeleteFunc(w.turns, func(s string) bool { return s == store })
		return true
	}
	w.queues[store] = slices.Delete(queue, at, at+1)
	return true
}

// done returns what gives a place back, to the store whose turn it is.
func (w *Work) done() func() { return sync.OnceFunc(w.next) }

func (w *Work) next() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.turns) == 0 {
		w.running--
		return
	}
	store := w.turns[0]
	one := w.queues[store][0]
	w.remove(store, one)
	if len(w.queues[store]) > 0 { // it is the last in turn again
		w.turns = append(w.turns[1:], store)
	}
	close(one.let)
}

// Usage returns how much runs and how many wait.
func (w *Work) Usage() (running, waiting int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running, w.waiting
}

func (w *Work) full() error { return &FullError{Limit: w.options.Name, RetryAfter: 1} }

// FullError says that a limit of the whole process is full. Its kind is
// KindTooMany.
type FullError struct {
	Limit      string // as metrics name it
	RetryAfter int    // seconds
}

func (e *FullError) Error() string { return "the process has too much work of one kind: " + e.Limit }

// Unwrap returns the error as the product knows it.
func (e *FullError) Unwrap() error { return &cohort.Error{Kind: cohort.KindTooMany} }
