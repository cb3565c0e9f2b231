package txn

import (
	"context"
	"time"

	"cohort.example/cohort"
)

// ProbeWrite makes a small change and returns nil when it is on disk. It writes
// one row of the table of receipts over and over, which belongs to no store.
func (db *DB) ProbeWrite(ctx context.Context) error {
	slot := db.backend.probeSlot()
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO receipts (store_hash, slot, number, date_modified) VALUES ($1, $2, $3, $4)
			ON CONFLICT (store_hash, slot) DO UPDATE SET number = receipts.number + 1, date_modified = $4`,
			"", slot, 1, time.Now().UnixMilli())
		return err
	})
}

// probeSlot is the row of a file, which one process writes at a time.
func (d *sqliteDB) probeSlot() string { return "probe" }

// probeSlot is a row of this node's own, for which it waits for nobody.
func (d *postgresDB) probeSlot() string { return d.receipts.node + "/probe" }

// countWrite counts how an update has ended.
func (db *DB) countWrite(err error) error {
	if cohort.KindOf(err) == cohort.KindUnavailable {
		db.failedWrites.Add(1)
	}
	return err
}

// FailedWrites returns how many updates have failed since the database was
// opened because it could not be written to, or because it is unknown how they
// ended.
func (db *DB) FailedWrites() int64 { return db.failedWrites.Load() }
