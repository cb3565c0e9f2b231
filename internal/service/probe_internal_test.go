package service

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errProbe = errors.New("the disk is full")

// Many who ask at once, and soon after one another, cost one write.
func TestWriteProbeIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		p := &writeProbe{now: time.Now, write: func(context.Context) error {
			writes++
			time.Sleep(time.Minute / 60) // in the bubble's time
			return errProbe
		}}
		ask := func(many int) {
			t.Helper()
			var all sync.WaitGroup
			for range many {
				all.Go(func() {
					if err := p.result(t.Context()); !errors.Is(err, errProbe) {
						t.Errorf("the result is %v", err)
					}
				})
			}
			all.Wait()
		}
		ask(100)
		ask(100)
		time.Sleep(writeProbeLife - 1)
		ask(100)
		if writes != 1 {
			t.Errorf("%d writes within the life of one result", writes)
		}
		time.Sleep(time.Nanosecond)
		ask(100)
		if writes != 2 {
			t.Errorf("%d writes, want a second one after the life of the first result", writes)
		}
	})
}

// A caller who leaves does not take the result from the others.
func TestWriteProbeOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		p := &writeProbe{now: time.Now, write: func(ctx context.Context) error {
			select {
			case <-end:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		first, leave := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- p.result(first) }()
		synctest.Wait()
		go func() { results <- p.result(t.Context()) }()
		synctest.Wait()
		leave()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller who left gets %v", err)
		}
		close(end)
		if err := <-results; err != nil {
			t.Errorf("the caller who stayed gets %v", err)
		}
	})
}

// A database that does not come to an end is one that cannot be written to.
func TestWriteProbeTakesBoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &writeProbe{now: time.Now, write: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		if err := p.result(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the result is %v", err)
		}
		if took := time.Since(begun); took != writeProbeTimeout {
			t.Errorf("it took %v", took)
		}
	})
}
