package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort/internal/outbox"
)

// A handler that has more to do later is no failure, and is called again at its time. A later
// message is delivered at once.
func TestAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var calls atomic.Int64
		f.system.respond = func(context.Context, outbox.Message) error {
			if calls.Add(1) <= 2 {
				return outbox.Again(f.clocks.Now("a").Add(3 * time.Minute))
			}
			return nil
		}
		f.run(t)
		f.put(t, message("5"))
		f.outbox.Wake()
		time.Sleep(time.Minute)
		e := f.entries(t)[0]
		if calls.Load() != 1 || e.Attempt != 0 || e.LastError != "" || e.LeasedBy != "" || e.NextAttempt.Sub(f.clocks.Now("a")) != 2*time.Minute {
			t.Errorf("after %d calls: %+v", calls.Load(), e)
		}
		f.put(t, message("5"))
		f.outbox.Wake()
		time.Sleep(time.Minute)
		if calls.Load() != 2 {
			t.Errorf("a later message makes %d calls in all, want 2", calls.Load())
		}
		time.Sleep(3 * time.Minute)
		if calls.Load() != 3 {
			t.Errorf("%d calls, want 3", calls.Load())
		}
		f.wantEntries(t, 0)
	})
}
