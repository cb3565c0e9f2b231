package txn

import (
	"testing"
	"testing/synctest"
	"time"
)

// linger is bounded, and does not wait at all after a batch of one.
func TestLinger(t *testing.T) {
	tests := []struct {
		name    string
		size    int           // of the last batch
		took    time.Duration // of the last commit
		waiting int
		arrive  []time.Duration // when more requests arrive
		want    time.Duration
	}{
		{"first batch", 0, 0, 1, nil, 0},
		{"after a batch of one", 1, time.Hour, 1, nil, 0},
		{"after a batch of one, empty queue", 1, time.Hour, 0, nil, 0},
		{"full batch", 3, time.Hour, maxBatch, nil, 0},
		{"all of the last batch return", 2, time.Hour, 3, []time.Duration{time.Millisecond, 2 * time.Millisecond}, 2 * time.Millisecond},
		{"no request arrives", 3, 4 * time.Millisecond, 1, nil, 2 * time.Millisecond},
		{"no request arrives after a slow commit", 3, time.Hour, 1, nil, maxLinger},
		{"too few arrive", 4, 4 * time.Millisecond, 1, []time.Duration{time.Millisecond}, 2 * time.Millisecond},
		{"the last one arrives", 2, time.Hour, 1, []time.Duration{time.Millisecond, 3 * time.Millisecond}, 3 * time.Millisecond},
		{"the last one arrives too late", 2, 4 * time.Millisecond, 1, []time.Duration{time.Second}, 2 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &writer{size: tt.size, took: tt.took, arrived: make(chan struct{}, 1), queue: make([]*updateRequest, tt.waiting)}
				w.signal() // for the requests in the queue
				begun := time.Now()
				for _, at := range tt.arrive {
					time.AfterFunc(at, func() { w.add(nil) })
				}
				w.linger()
				if waited := time.Since(begun); waited != tt.want {
					t.Errorf("waited for %v, want %v", waited, tt.want)
				}
			})
		})
	}
}

// A closed writer gets no more requests, so it does not wait.
func TestNoLingerAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{size: maxBatch, took: time.Hour, arrived: make(chan struct{}, 1), closed: true}
		begun := time.Now()
		w.linger()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("waited for %v, want 0", waited)
		}
	})
}
