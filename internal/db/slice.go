package db

import (
	"context"
	"time"
)

// The bounds of a slice of a large piece of work, which is one transaction. It is
// as large as what lasts sliceTime.
const (
	firstSlice = 200
	minSlice   = 50
	maxSlice   = 4000
	sliceTime  = 5 * time.Millisecond
)

// maxSliceRest is how long the work pauses at most between two slices.
const maxSliceRest = 50 * time.Millisecond

// slicer carries out a large piece of work in slices. Where one transaction writes
// at a time it rests in between, for twice as long as the slice took: others,
// who may be in another process and look only now and then whether they can
// write, find it free more often than not.
type slicer struct {
	db   *DB
	rows int // of the next slice
}

func (db *DB) slicer() *slicer { return &slicer{db: db, rows: firstSlice} }

// do runs a slice of s.rows rows.
func (s *slicer) do(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	begun := time.Now()
	var took time.Duration
	err := s.db.Update(ctx, func(tx *Tx) error {
		started := time.Now()
		err := fn(tx)
		took = time.Since(started)
		return err
	})
	if err != nil {
		return err
	}
	s.adapt(took)
	s.rest(ctx, time.Since(begun))
	return nil
}

// adapt makes the next slice as large as fits into sliceTime.
func (s *slicer) adapt(took time.Duration) {
	fitting := maxSlice
	if took > 0 {
		fitting = int(float64(s.rows) * float64(sliceTime) / float64(took))
	}
	s.rows = min(max(fitting, s.rows/2, minSlice), 2*s.rows, maxSlice)
}

func (s *slicer) rest(ctx context.Context, took time.Duration) {
	if !s.db.engine.seesAllWrites {
		return
	}
	select {
	case <-time.After(min(2*took, maxSliceRest)):
	case <-ctx.Done():
	}
}
