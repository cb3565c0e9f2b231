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

// Concurrent calls, and calls within writeProbeLife, share one write.
func TestWriteProbeIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		p := &databaseProbe{now: time.Now, ask: func(context.Context) error {
			writes++
			time.Sleep(time.Minute / 60) // synctest time
			return errProbe
		}}
		call := func(many int) {
			t.Helper()
			var all sync.WaitGroup
			for range many {
				all.Go(func() {
					if err := p.result(t.Context()); !errors.Is(err, errProbe) {
						t.Errorf("the result is %v, want %v", err, errProbe)
					}
				})
			}
			all.Wait()
		}
		call(100)
		call(100)
		time.Sleep(writeProbeLife - 1)
		call(100)
		if writes != 1 {
			t.Errorf("%d writes within writeProbeLife, want 1", writes)
		}
		time.Sleep(time.Nanosecond)
		call(100)
		if writes != 2 {
			t.Errorf("%d writes after writeProbeLife, want 2", writes)
		}
	})
}

// A caller that cancels does not cancel the write of the other callers.
func TestWriteProbeSurvivesCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		p := &databaseProbe{now: time.Now, ask: func(ctx context.Context) error {
			select {
			case <-end:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		first, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- p.result(first) }()
		synctest.Wait()
		go func() { results <- p.result(t.Context()) }()
		synctest.Wait()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled caller got %v, want context.Canceled", err)
		}
		close(end)
		if err := <-results; err != nil {
			t.Errorf("the other caller got %v, want nil", err)
		}
	})
}

// A write that does not end counts as failed after writeProbeTimeout.
func TestWriteProbeTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &databaseProbe{now: time.Now, ask: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		if err := p.result(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the result is %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(begun); took != writeProbeTimeout {
			t.Errorf("the probe took %v, want %v", took, writeProbeTimeout)
		}
	})
}
