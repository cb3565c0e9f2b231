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

// How long the work rests between two slices, at least and at most.
const (
	minSliceRest = 10 * time.Millisecond
	maxSliceRest = 50 * time.Millisecond
)

// slicer carries out a large piece of work in slices. Where one transaction writes
// at a time it rests in between for as long as the slice took. Another process that
// wants to write looks now and then whether it can: after 1, 3, 8, 18, 33 … ms, so
// that it never sleeps for much longer than it has waited already, and one of its
// looks falls into the rest.
type slicer struct {
	db   *DB
	rows int // of the next slice
}

func (db *DB) slicer() *slicer { return &slicer{db: db, rows: min(firstSlice, db.maxSlice)} }

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
	s.rows = min(max(fitting, s.rows/2, minSlice), 2*s.rows, s.db.maxSlice)
}

func (s *slicer) rest(ctx context.Context, took time.Duration) {
	if !s.db.SeesAllWrites() || s.db.maxSliceRest == 0 {
		return
	}
	select {
	case <-time.After(min(max(took, minSliceRest), s.db.maxSliceRest)):
	case <-ctx.Done():
	}
}
