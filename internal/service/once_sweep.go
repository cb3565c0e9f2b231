package service

import (
	"context"
	"time"

	"cohort.example/cohort/internal/db"
)

// SweepKeys deletes the idempotency keys that have expired by the clocks of their stores.
// It may be interrupted and repeated, also on several nodes.
func (s *Service) SweepKeys(ctx context.Context) error {
	for store := ""; ctx.Err() == nil; {
		var first time.Time
		err := s.db.View(ctx, func(tx *db.Tx) (err error) {
			store, first, err = tx.NextStoreWithKeys(store)
			return err
		})
		if err != nil || store == "" {
			return err
		}
		if err := s.sweepKeysOf(ctx, store, first); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// sweepKeysOf deletes the expired keys of a store in batches. first is the date of the first
// key, behind which others wait.
func (s *Service) sweepKeysOf(ctx context.Context, storeKey string, first time.Time) error {
	now := s.timestamp(storeKey)
	until, after := now.Add(-KeyLife), now.Add(KeyLife)
	for more := first.Compare(until) <= 0 || first.After(after); more && ctx.Err() == nil; {
		err := s.db.Update(db.Unchecked(db.ForStore(ctx, storeKey)), func(tx *db.Tx) (err error) {
			more, err = tx.SweepKeys(storeKey, until, after)
			return err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
