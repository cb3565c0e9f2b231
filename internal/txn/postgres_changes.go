package txn

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// recording returns the statement that records changes for other nodes, if there are
// any to record.
func (d *postgresDB) recording(changes []Change) []statement {
	if !d.engine.recordsChanges {
		return nil
	}
	text := encodeChanges(changes)
	if text == "" {
		return nil
	}
	d.recorded.Store(true)
	return []statement{{query: "INSERT INTO recent_changes (txid, changes) VALUES (txid_current(), $1)", args: []any{text}}}
}

const (
	// changesLife is the shortest time that recent changes stay. A node that asks less
	// often drops its caches.
	changesLife = 15 * time.Second
	// changesBatch is how many rows one transaction deletes.
	changesBatch = 20_000
)

// changeCleaner deletes recent changes. It remembers a snapshot and later deletes what
// was committed in it, so that it needs neither a clock nor a column of times.
type changeCleaner struct {
	db  *postgresDB
	old *snapshot // nil: none
}

// clean is called every changesLife.
func (c *changeCleaner) clean(ctx context.Context) error {
	if old := c.old; old != nil {
		c.old = nil
		if err := c.delete(ctx, *old); err != nil {
			c.db.recorded.Store(true) // try again
			return err
		}
	}
	if !c.db.recorded.Swap(false) {
		return nil
	}
	var text string
	err := c.db.home.pool.QueryRow(ctx, "SELECT CAST(txid_current_snapshot() AS TEXT)").Scan(&text)
	if err == nil {
		var now snapshot
		if now, err = parseSnapshot(text); err == nil {
			c.old = &now
			return nil
		}
	}
	c.db.recorded.Store(true)
	return err
}

// delete deletes the changes of the transactions that were committed in a snapshot. In
// the same transactions it raises the limit by which a node sees that they are gone.
func (c *changeCleaner) delete(ctx context.Context, old snapshot) error {
	for {
		batch := &pgx.Batch{}
		batch.Queue("INSERT INTO recent_changes (txid, changes) SELECT 0, '0' WHERE NOT EXISTS (SELECT FROM recent_changes WHERE txid = 0)")
		batch.Queue("UPDATE recent_changes SET changes = CAST($1 AS TEXT) WHERE txid = 0 AND CAST(changes AS BIGINT) < CAST($1 AS BIGINT)", old.next)
		batch.Queue(`DELETE FROM recent_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM recent_changes
			WHERE txid > 0 AND txid < $1 AND NOT (txid = ANY($2)) ORDER BY txid LIMIT $3))`, old.next, old.running, changesBatch)
		results := c.db.home.pool.SendBatch(ctx, batch)
		var deleted int64
		for range batch.Len() {
			tag, err := results.Exec()
			if err != nil {
				return first(err, results.Close())
			}
			deleted = tag.RowsAffected()
		}
		if err := results.Close(); err != nil || deleted < changesBatch {
			return err
		}
	}
}
