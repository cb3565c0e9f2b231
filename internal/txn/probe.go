package txn

import (
	"context"
	"time"

	"cohort.example/cohort"
)

// ProbeWrite commits a small change and returns nil when it is on disk. It updates
// one row of the table receipts that belongs to no store.
func (db *DB) ProbeWrite(ctx context.Context) error {
	slot, records := db.backend.probeSlot(), db.engine.recordsChanges
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO receipts (store_hash, slot, number, date_modified, records_changes) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (store_hash, slot) DO UPDATE SET number = receipts.number + 1, date_modified = $4`,
			"", slot, 1, time.Now().UnixMilli(), records)
		return err
	})
}

// probeSlot is the same for all processes: one of them writes at a time.
func (d *sqliteDB) probeSlot() string { return "probe" }

// probeSlot is a row of its own for each node, so nodes do not wait for each other.
func (d *postgresDB) probeSlot() string { return d.receipts.node + "/probe" }

// countWrite counts failed updates.
func (db *DB) countWrite(err error) error {
	if cohort.KindOf(err) == cohort.KindUnavailable {
		db.failedWrites.Add(1)
	}
	return err
}

// FailedWrites returns how many updates failed with KindUnavailable since the
// database was opened: it could not be written to, or the outcome is unknown.
func (db *DB) FailedWrites() int64 { return db.failedWrites.Load() }
