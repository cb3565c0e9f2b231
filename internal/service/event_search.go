package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

const (
	// MaxFoundEvents is how many events one call of SearchEvents returns at most.
	MaxFoundEvents = 500
	// maxSearches is how many windows of numbers it looks at.
	maxSearches = 10
)

// SearchEvents returns up to limit events of a store, the newest first. Every change that was
// acknowledged before the call has its event by then. A search that finds little may end
// before it has looked at all events: then FoundEvents.Next continues it. It returns
// KindInvalid for a limit that is not from 1 to [MaxFoundEvents].
func (s *Service) SearchEvents(ctx context.Context, storeKey string, q cohort.EventSearch, limit int) (found cohort.FoundEvents, err error) {
	if err := checkLimit(limit, MaxFoundEvents); err != nil {
		return found, err
	}
	if err := s.numberEvents(ctx, storeKey); err != nil {
		return found, err
	}
	for range maxSearches {
		err = s.db.View(ctx, func(tx *db.Tx) error {
			found, err = tx.SearchEvents(storeKey, q, limit)
			return err
		})
		if err != nil || len(found.Events) > 0 || found.Next == 0 {
			break
		}
		q.Before = found.Next
	}
	return found, err
}
