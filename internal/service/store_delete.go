package service

import (
	"context"
	"time"

	"cohort.example/cohort/internal/db"
)

// The bounds of one batch of a sweep. All other writers of a SQLite file wait for it.
const (
	sweepTime    = 5 * time.Millisecond
	maxSweepRows = 5000
)

// sweepPause is the pause between two batches. Another process that waits for a SQLite
// file polls the lock at increasing intervals, so the pause must be longer than a batch
// for the other process to get the lock.
const sweepPause = 20 * time.Millisecond

// sweepDelay is the time from the deletion of a store to the first batch. Another node
// accepts the store's tokens for up to directoryLife, and must not read a part of the
// rows.
const sweepDelay = 2 * directoryLife

// maxSmallStore is the largest number of rows that DeleteStore deletes itself.
const maxSmallStore = 500

// DeleteStore deletes a store with its tokens and all its data, or returns KindNotFound.
// After it has returned, no read finds the store and no write to it commits. The rows
// of a store with more than maxSmallStore are left to SweepStore.
func (s *Service) DeleteStore(ctx context.Context, storeKey string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		small, err := tx.IsSmallStore(storeKey, maxSmallStore)
		if err != nil {
			return err
		}
		if small {
			return tx.DeleteStore(storeKey)
		}
		return tx.EndStore(storeKey, s.timestamp())
	})
}

// DeletedStore is a store that is deleted and has rows yet.
type DeletedStore = db.DeletedStore

// DeletedStores returns the deleted stores that SweepStore has not finished, the oldest
// deletion first.
func (s *Service) DeletedStores(ctx context.Context) (list []DeletedStore, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = tx.DeletedStores()
		return err
	})
	return list, err
}

// SweepStore deletes the rows of a deleted store in batches, until there are none or ctx
// ends. Other writes run between the batches. It calls progress after each batch with
// the number of rows deleted so far. It may be interrupted and repeated, and several
// nodes may run it at the same time.
func (s *Service) SweepStore(ctx context.Context, d DeletedStore, progress func(rows int64)) error {
	wait := min(d.DateDeleted.Add(sweepDelay).Sub(s.now()), sweepDelay) // the clocks of nodes differ
	var all int64
	for {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		rows, more, err := s.sweepBatch(ctx, d.Key)
		if err != nil {
			return err
		}
		all += rows
		progress(all)
		if !more {
			return nil
		}
		wait = sweepPause
	}
}

func (s *Service) sweepBatch(ctx context.Context, storeKey string) (rows int64, more bool, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		begun := time.Now()
		rows, more, err = tx.SweepStore(storeKey, func(rows int64) bool {
			return rows >= maxSweepRows || time.Since(begun) >= sweepTime
		})
		return err
	})
	return rows, more, err
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
