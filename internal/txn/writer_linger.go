package txn

import "time"

// maxLinger is how long the writer waits at most for more requests.
const maxLinger = 5 * time.Millisecond

// linger waits for the callers of the last batch to send their next request.
// Otherwise concurrent callers split into two halves for ever: one half queues while
// the other is committed. It waits for half a commit at most, and not at all after
// a batch of one.
func (w *writer) linger() {
	if w.size < 2 || !w.expect(w.size) {
		return
	}
	timeout := time.NewTimer(min(w.took/2, maxLinger))
	defer timeout.Stop()
	select {
	case <-w.arrived:
	case <-timeout.C:
	}
}

// expect arms arrived for when the queue has that many more requests. It returns
// false if there is no reason to wait.
func (w *writer) expect(more int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.queue) >= maxBatch {
		return false
	}
	w.enough = len(w.queue) + more
	select {
	case <-w.arrived: // for requests that are in the queue already
	default:
	}
	return true
}
