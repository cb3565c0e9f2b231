package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// sweepDelay is the time from the deletion of a store to the first batch. Another node
// accepts the store's tokens for up to directoryLife, and must not read a part of the
// rows.
const sweepDelay = 2 * directoryLife

// maxSmallStore is the largest number of rows that DeleteStore deletes itself.
const maxSmallStore = 500

// DeleteStore deletes a store with its tokens and all its data, or returns KindNotFound.
// After it has returned, no read finds the store and no write to it commits, and it has no
// clock of its own. The rows of a store with more than maxSmallStore are left to
// SweepStore.
func (s *Service) DeleteStore(ctx context.Context, storeKey string) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		small, err := tx.IsSmallStore(storeKey, maxSmallStore)
		if err != nil {
			return err
		}
		if small {
			return tx.DeleteStore(storeKey)
		}
		return tx.MarkStoreDeleted(storeKey, s.now())
	})
	if err == nil {
		s.clocks.Clear(storeKey)
	}
	return err
}

// expiredBatch is the number of expired stores that DeleteExpiredStores reads at once.
const expiredBatch = 100

// DeleteExpiredStores deletes the stores whose DateExpires has come by their own clocks,
// and reports whether there may be more.
func (s *Service) DeleteExpiredStores(ctx context.Context) (more bool, err error) {
	var keys []string
	system := s.now()
	now := db.Times{System: system, Stores: s.clocks.Times(system)}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		keys, err = tx.ExpiredStores(now, expiredBatch)
		return err
	})
	for _, key := range keys {
		if err := s.DeleteStore(ctx, key); err != nil && cohort.KindOf(err) != cohort.KindNotFound { // another node was faster
			return true, err
		}
	}
	return len(keys) == expiredBatch, err
}

// DeletedStore is a deleted store, or snapshot, whose rows SweepStore has not all deleted.
type DeletedStore struct {
	Key         string
	SnapshotOf  string // the key of the store, if it is not a store but a snapshot
	DateDeleted time.Time
}

// DeletedStores returns the deleted stores that SweepStore has not finished, the oldest
// deletion first.
func (s *Service) DeletedStores(ctx context.Context) (list []DeletedStore, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		stores, err := tx.DeletedStores()
		list = make([]DeletedStore, len(stores))
		for i, d := range stores {
			list[i] = DeletedStore(d)
		}
		return err
	})
	return list, err
}

// SweepStore waits until no node accepts the tokens of a deleted store, and then deletes
// its rows in batches, until there are none or ctx ends. Other writes run between the
// batches. It calls progress after each batch with the number of rows deleted so far. It
// may be interrupted and repeated, and several nodes may run it at the same time.
func (s *Service) SweepStore(ctx context.Context, d DeletedStore, progress func(rows int64)) error {
	wait := min(d.DateDeleted.Add(sweepDelay).Sub(s.now()), sweepDelay) // the clocks of nodes differ
	if err := pause(ctx, wait); err != nil {
		return err
	}
	return s.db.SweepStore(ctx, d.Key, progress)
}

// pause waits for a duration, or returns the error of ctx if it ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
