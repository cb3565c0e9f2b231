package txn

import "sync"

// waiter is who waits at a desk until his part is carried out.
type waiter struct {
	place
	err  error
	done chan struct{}
}

func newWaiter(store string) waiter {
	return waiter{place: place{store: store}, done: make(chan struct{})}
}

func (w *waiter) waits() *waiter { return w }

// desk carries out what waits at it, many parts at a time. It has goroutines
// only while there is something to do.
type desk[T interface {
	queued() *place
	waits() *waiter
}] struct {
	carryOut func([]T) // and sets their errors
	most     int       // parts at a time
	hands    int       // how many may carry out at once

	mu    sync.Mutex
	queue []T
	busy  int // hands
	work  sync.WaitGroup
}

// do waits until t is carried out, and returns its error.
func (k *desk[T]) do(t T) error {
	k.add(t)
	w := t.waits()
	<-w.done
	return w.err
}

func (k *desk[T]) add(t T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = append(k.queue, t)
	if k.busy < k.hands {
		k.busy++
		k.work.Go(k.workOff)
	}
}

// workOff carries out what waits until nothing does.
func (k *desk[T]) workOff() {
	for {
		batch := k.take()
		if len(batch) == 0 {
			return
		}
		k.carryOut(batch)
		for _, t := range batch {
			close(t.waits().done)
		}
	}
}

func (k *desk[T]) take() (batch []T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch, k.queue = fairShare(k.queue, k.most)
	if len(batch) == 0 {
		k.busy--
	}
	return batch
}

// end sets the error of all who are carried out together.
func end[T interface{ waits() *waiter }](batch []T, err error) {
	for _, t := range batch {
		t.waits().err = err
	}
}
