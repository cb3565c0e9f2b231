package txn

import "sync"

// waiter is a caller of a batcher that waits for its item to be processed.
type waiter struct {
	place
	err  error
	done chan struct{}
}

func newWaiter(store string) waiter {
	return waiter{place: place{store: store}, done: make(chan struct{})}
}

func (w *waiter) waits() *waiter { return w }

// batcher processes queued items in batches. It has goroutines only while items
// are queued.
type batcher[T interface {
	queued() *place
	waits() *waiter
}] struct {
	process  func([]T) // sets the error of each item
	maxBatch int       // items
	workers  int       // how many batches run concurrently

	mu      sync.Mutex
	queue   []T
	running int // workers
	work    sync.WaitGroup
}

// do waits until t is processed, and returns its error.
func (b *batcher[T]) do(t T) error {
	b.add(t)
	w := t.waits()
	<-w.done
	return w.err
}

func (b *batcher[T]) add(t T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, t)
	if b.running < b.workers {
		b.running++
		b.work.Go(b.drain)
	}
}

// drain processes batches until the queue is empty.
func (b *batcher[T]) drain() {
	for {
		batch := b.take()
		if len(batch) == 0 {
			return
		}
		b.process(batch)
		for _, t := range batch {
			close(t.waits().done)
		}
	}
}

func (b *batcher[T]) take() (batch []T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch, b.queue, _ = fairShare(b.queue, b.maxBatch)
	if len(batch) == 0 {
		b.running--
	}
	return batch
}

// setError sets the error of every item of a batch.
func setError[T interface{ waits() *waiter }](batch []T, err error) {
	for _, t := range batch {
		t.waits().err = err
	}
}
