package service

import (
	"context"

	"cohort.example/cohort"
)

// SweepEventsBeyond is SweepEvents for one store and another number of events.
func (s *Service) SweepEventsBeyond(ctx context.Context, storeKey string, most int64) error {
	return s.sweepEvents(ctx, storeKey, func(cohort.Store) int64 { return most })
}
