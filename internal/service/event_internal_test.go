package service

import "context"

// SweepEventsBeyond is SweepEvents for one store and another number of events.
func (s *Service) SweepEventsBeyond(ctx context.Context, storeKey string, most int64) error {
	return s.sweepEvents(ctx, storeKey, most)
}
