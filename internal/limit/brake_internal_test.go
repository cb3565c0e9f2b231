package limit

import (
	"fmt"
	"testing"
	"time"
)

func TestBrake(t *testing.T) {
	now := time.Unix(100, 0)
	b := NewBrake(func() time.Time { return now })
	want := func(store string, delay time.Duration) {
		t.Helper()
		if got := b.Delay(store); got != delay {
			t.Errorf("a rejection of %q is held back for %v, want %v", store, got, delay)
		}
	}
	for range FreeRejections {
		want("noisy", 0)
	}
	want("noisy", RejectionDelay)
	want("quiet", 0)
	now = now.Add(time.Second)
	want("noisy", 0)
}

func TestBrakeIsBounded(t *testing.T) {
	b := NewBrake(func() time.Time { return time.Unix(100, 0) })
	for i := range maxBraked + 10 {
		b.Delay(fmt.Sprint(i))
	}
	if len(b.counts) != maxBraked {
		t.Errorf("%d stores are counted, want %d", len(b.counts), maxBraked)
	}
}
