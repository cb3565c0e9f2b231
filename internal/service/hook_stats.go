package service

import (
	"context"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// hookLagBounds are the upper bounds of the buckets in which lags are counted.
var hookLagBounds = []time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second, 5 * time.Minute,
}

// hookStats counts the attempts of this process.
type hookStats struct {
	delivered, repeated, failed atomic.Int64
	lags                        [16]atomic.Int64 // by bucket; the last one in use has no bound
	lagSum                      atomic.Int64     // nanoseconds
}

func (s *hookStats) count(state cohort.DeliveryState) {
	switch state {
	case cohort.DeliveryDelivered:
		s.delivered.Add(1)
	case cohort.DeliveryWaiting:
		s.repeated.Add(1)
	case cohort.DeliveryFailed:
		s.failed.Add(1)
	}
}

// observeLag counts the time from an event to the first attempt to tell it, both by the clock
// of the store.
func (s *hookStats) observeLag(lag time.Duration) {
	lag = max(lag, 0)
	i := 0
	for i < len(hookLagBounds) && lag > hookLagBounds[i] {
		i++
	}
	s.lags[i].Add(1)
	s.lagSum.Add(int64(lag))
}

// HookStats are the attempts of this process to deliver messages of webhooks.
type HookStats struct {
	Delivered int64 // succeeded
	Repeated  int64 // failed, and another one follows
	Failed    int64 // failed for the last time
	// Lags are the times from events to their first attempts.
	Lags Lags
}

// Lags is a histogram of times.
type Lags struct {
	Count   uint64
	Sum     time.Duration
	Buckets map[float64]uint64 // how many are not above a number of seconds
}

// SendsHooks reports whether this process sends messages of webhooks.
func (s *Service) SendsHooks() bool { return s.hookSender != nil }

// HookStats returns the counts of this process.
func (s *Service) HookStats() HookStats {
	st := &s.hooks.stats
	stats := HookStats{Delivered: st.delivered.Load(), Repeated: st.repeated.Load(), Failed: st.failed.Load()}
	stats.Lags = Lags{Sum: time.Duration(st.lagSum.Load()), Buckets: map[float64]uint64{}}
	for i, bound := range hookLagBounds {
		stats.Lags.Count += uint64(st.lags[i].Load()) //nolint:gosec // a count
		stats.Lags.Buckets[bound.Seconds()] = stats.Lags.Count
	}
	stats.Lags.Count += uint64(st.lags[len(hookLagBounds)].Load()) //nolint:gosec // a count
	return stats
}

// WaitingDeliveries returns how many deliveries of all stores wait for another attempt.
func (s *Service) WaitingDeliveries(ctx context.Context) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountAllWaiting()
		return err
	})
	return n, err
}
