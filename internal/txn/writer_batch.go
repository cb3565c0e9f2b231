package txn

import "time"

// These bound a batch, because every caller in it waits for its commit. The remaining
// requests go into the next batch.
const (
	maxBatch     = 256
	maxBatchTime = 20 * time.Millisecond
	// maxSharedTime bounds a batch of several stores further, once it has a request of
	// each: one store with many long requests does not keep the others from their commit.
	maxSharedTime = 2 * time.Millisecond
)

// maxSlow bounds the stores that the writer knows as slow.
const maxSlow = 1000

// batchTime returns how long a batch may have taken when a further request of it begins.
// A request that shares the batch with other stores ends it sooner if its store has one in
// it already, and at once if its store is slow: the others would wait for it.
func (w *writer) batchTime(t *updateRequest, shared bool) time.Duration {
	switch {
	case shared && w.slow[t.store]:
		return 0
	case shared && t.round > 0:
		return maxSharedTime
	}
	return maxBatchTime
}

// noteTime records how long a request of a store took.
func (w *writer) noteTime(store string, took time.Duration) {
	if took <= maxSharedTime {
		delete(w.slow, store)
		return
	}
	if len(w.slow) >= maxSlow {
		clear(w.slow) // they are found again
	}
	w.slow[store] = true
}
