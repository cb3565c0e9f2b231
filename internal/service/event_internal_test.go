package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// SweepEventsBeyond is SweepEvents for one store and another number of events.
func (s *Service) SweepEventsBeyond(ctx context.Context, storeKey string, most int64) error {
	return s.sweepEvents(ctx, storeKey, db.EventRetention{Most: most})
}
