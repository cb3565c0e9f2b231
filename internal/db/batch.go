package db

import (
	"context"
	"time"
)

// The size of a batch of a long piece of work. Each batch is one transaction, and is as
// large as fits into batchTime.
const (
	firstBatch = 200
	minBatch   = 50
	maxBatch   = 4000
	batchTime  = 5 * time.Millisecond
)

// The minimum and maximum pause between two batches.
const (
	minBatchPause = 10 * time.Millisecond
	maxBatchPause = 50 * time.Millisecond
)

// batches runs a long piece of work in batches. On SQLite it pauses between them for as
// long as the last batch took, so that other writers get the lock. Another process polls
// the lock after 1, 3, 8, 18, 33 … ms: its next interval is never much longer than it has
// waited so far, so one of its attempts falls into a pause.
type batches struct {
	db   *DB
	rows int // of the next batch
}

func (db *DB) batches() *batches { return &batches{db: db, rows: min(firstBatch, db.maxBatch)} }

// do runs a batch of b.rows rows.
func (b *batches) do(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	begun := time.Now()
	var took time.Duration
	err := b.db.Update(ctx, func(tx *Tx) error {
		started := time.Now()
		err := fn(tx)
		took = time.Since(started)
		return err
	})
	if err != nil {
		return err
	}
	b.adapt(took)
	b.pause(ctx, time.Since(begun))
	return nil
}

// adapt sets the size of the next batch from the duration of the last one.
func (b *batches) adapt(took time.Duration) {
	fitting := maxBatch
	if took > 0 {
		fitting = int(float64(b.rows) * float64(batchTime) / float64(took))
	}
	b.rows = min(max(fitting, b.rows/2, minBatch), 2*b.rows, b.db.maxBatch)
}

func (b *batches) pause(ctx context.Context, took time.Duration) {
	if !b.db.SeesAllWrites() || b.db.maxBatchPause == 0 {
		return
	}
	select {
	case <-time.After(min(max(took, minBatchPause), b.db.maxBatchPause)):
	case <-ctx.Done():
	}
}
