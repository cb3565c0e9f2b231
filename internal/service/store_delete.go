package service

import (
	"context"
	"time"

	"cohort.example/cohort/internal/db"
)

// The bounds of a slice of a sweep. Every other writer of a file waits for it, so
// it must be over soon.
const (
	sweepTime    = 5 * time.Millisecond
	maxSweepRows = 5000
)

// sweepPause is how long a sweep waits between two slices. A process that waits for
// a file looks again at longer and longer intervals, so the pause has to be longer
// than the slice for others to get in.
const sweepPause = 20 * time.Millisecond

// sweepDelay is how long the rows of a deleted store stay. Another node takes a
// token for good until its memory of it ends, and must not be shown a part of them.
const sweepDelay = 2 * directoryLife

// maxSmallStore is how many rows a store may have to be deleted with all of them at
// once.
const maxSmallStore = 500

// DeleteStore deletes a store, by its key, with its tokens and all that is in it,
// or returns KindNotFound. When it returns the store is gone for everybody, and no
// write for it is committed any more. If there is much in it, the rows are left to
// SweepStore.
func (s *Service) DeleteStore(ctx context.Context, key string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		small, err := tx.IsSmallStore(key, maxSmallStore)
		if err != nil {
			return err
		}
		if small {
			return tx.DeleteStore(key)
		}
		return tx.EndStore(key, s.timestamp())
	})
}

// DeletedStore is a store that is deleted and has rows yet.
type DeletedStore = db.DeletedStore

// DeletedStores returns the stores that SweepStore has something to do for.
func (s *Service) DeletedStores(ctx context.Context) (list []DeletedStore, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = tx.DeletedStores()
		return err
	})
	return list, err
}

// SweepStore deletes the rows of a deleted store in slices, between which others
// write, until there are none or ctx ends. progress is called with how many rows
// it has deleted by then. It may stop at any moment and be done twice, and several
// nodes may do it at once.
func (s *Service) SweepStore(ctx context.Context, d DeletedStore, progress func(rows int64)) error {
	wait := min(d.DateDeleted.Add(sweepDelay).Sub(s.now()), sweepDelay) // clocks may differ
	var all int64
	for {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		rows, more, err := s.sweepSlice(ctx, d.Key)
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

func (s *Service) sweepSlice(ctx context.Context, key string) (rows int64, more bool, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		begun := time.Now()
		rows, more, err = tx.SweepStore(key, func(rows int64) bool {
			return rows >= maxSweepRows || time.Since(begun) >= sweepTime
		})
		return err
	})
	return rows, more, err
}

// pause waits, and returns the error of ctx if that ends before.
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
