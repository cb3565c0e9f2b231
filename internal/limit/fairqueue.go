package limit

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// The names of the process-wide limits in metrics.
const (
	ExpensiveRequests = "expensive"
	Passwords         = "passwords"
)

// processors is how many processors the process may use, in a container its CPU
// limit. It is read at start-up because the server raises GOMAXPROCS above it.
var processors = runtime.GOMAXPROCS(0)

// Processors returns how many processors the process may use.
func Processors() int { return processors }

// FairQueueOptions are the bounds of a [FairQueue].
type FairQueueOptions struct {
	Name        string        // in metrics
	Concurrency int           // how many tasks run concurrently
	Waiting     int           // how many tasks wait at most
	Wait        time.Duration // how long a task waits at most
}

// FairQueue bounds how many CPU-intensive tasks the process runs concurrently.
// Further tasks wait. The stores are served round-robin, so that many tasks of one
// store do not delay a single task of another.
type FairQueue struct {
	options FairQueueOptions

	mu      sync.Mutex
	running int
	waiting int
	queues  map[string][]*waiter // by store, the oldest first; none is empty
	order   []string             // the stores that have a queue, in the order of service
}

// waiter is a task that waits. Closing admitted starts it, closing evicted
// rejects it.
type waiter struct{ admitted, evicted chan struct{} }

// NewFairQueue returns an empty queue.
func NewFairQueue(o FairQueueOptions) *FairQueue {
	return &FairQueue{options: o, queues: map[string][]*waiter{}}
}

// Concurrency returns how many tasks run concurrently.
func (q *FairQueue) Concurrency() int { return q.options.Concurrency }

// Acquire waits until a task of the store may run. The caller calls release when
// the task ends; further calls of release do nothing. Acquire returns a *FullError
// if too many tasks wait or the wait is too long, and ctx's error if ctx ends.
func (q *FairQueue) Acquire(ctx context.Context, store string) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, err := q.enter(store)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return q.releaseOnce(), nil
	}
	timer := time.NewTimer(q.options.Wait)
	defer timer.Stop()
	select {
	case <-w.admitted:
		return q.releaseOnce(), nil
	case <-w.evicted:
		return nil, q.full()
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = q.full()
	}
	if !q.leave(store, w) { // it was admitted in the same moment
		q.releaseOnce()()
	}
	return nil, err
}

// enter starts a task, and then returns nil, or adds a waiter to the queue.
func (q *FairQueue) enter(store string) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running < q.options.Concurrency {
		q.running++
		return nil, nil
	}
	if q.waiting >= q.options.Waiting && !q.evictFor(store) {
		return nil, q.full()
	}
	w := &waiter{make(chan struct{}), make(chan struct{})}
	if len(q.queues[store]) == 0 {
		q.order = append(q.order, store)
	}
	q.queues[store] = append(q.queues[store], w)
	q.waiting++
	return w, nil
}

// evictFor evicts the newest waiter of the store that has the most waiters. It
// evicts none if the given store would then have as many.
func (q *FairQueue) evictFor(newcomer string) bool {
	longest := newcomer
	for _, store := range q.order {
		if len(q.queues[store]) > len(q.queues[longest]) {
			longest = store
		}
	}
	queue := q.queues[longest]
	if len(queue) <= len(q.queues[newcomer])+1 {
		return false
	}
	last := queue[len(queue)-1]
	q.remove(longest, last)
	close(last.evicted)
	return true
}

// leave removes a waiter from its queue. It reports whether the waiter was there.
func (q *FairQueue) leave(store string, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.remove(store, w)
}

func (q *FairQueue) remove(store string, w *waiter) bool {
	queue := q.queues[store]
	at := slices.Index(queue, w)
	if at < 0 {
		return false
	}
	q.waiting--
	if len(queue) == 1 {
		delete(q.queues, store)
		q.order = slices.DeleteFunc(q.order, func(s string) bool { return s == store })
		return true
	}
	q.queues[store] = slices.Delete(queue, at, at+1)
	return true
}

func (q *FairQueue) releaseOnce() func() { return sync.OnceFunc(q.next) }

// next ends a task and starts the oldest waiter of the next store.
func (q *FairQueue) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.order) == 0 {
		q.running--
		return
	}
	store := q.order[0]
	w := q.queues[store][0]
	q.remove(store, w)
	if len(q.queues[store]) > 0 { // the store goes to the end
		q.order = append(q.order[1:], store)
	}
	close(w.admitted)
}

// Usage returns how many tasks run and how many wait.
func (q *FairQueue) Usage() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running, q.waiting
}

func (q *FairQueue) full() error { return &FullError{Limit: q.options.Name, RetryAfter: 1} }

// FullError is the error of a task that a process-wide limit rejects.
type FullError struct {
	Limit      string // the name in metrics
	RetryAfter int    // seconds
}

func (e *FullError) Error() string { return "the process-wide limit is reached: " + e.Limit }
