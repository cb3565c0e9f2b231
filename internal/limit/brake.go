package limit

import (
	"sync"
	"time"
)

const (
	// FreeRejections is how many rejections of a store in a second are sent at once.
	FreeRejections = 100
	// RejectionDelay is how long the server holds back each further one.
	RejectionDelay = 100 * time.Millisecond
	// maxBraked bounds the stores whose rejections are counted.
	maxBraked = 10_000
)

// Brake slows down clients that repeat rejected requests without a pause. Rejecting
// thousands of requests of one store in a second takes the processor from the others.
type Brake struct {
	now    func() time.Time
	mu     sync.Mutex
	second int64          // of the counts
	counts map[string]int // rejections, by store
}

// NewBrake returns a brake that has counted nothing.
func NewBrake(now func() time.Time) *Brake {
	return &Brake{now: now, counts: map[string]int{}}
}

// Delay counts a rejected request of a store, and returns how long to hold back its
// response.
func (b *Brake) Delay(store string) time.Duration {
	second := b.now().Unix()
	b.mu.Lock()
	defer b.mu.Unlock()
	if second != b.second {
		b.second = second
		clear(b.counts)
	}
	n, counted := b.counts[store]
	if !counted && len(b.counts) >= maxBraked {
		return 0
	}
	b.counts[store] = n + 1
	if n < FreeRejections {
		return 0
	}
	return RejectionDelay
}
