package txn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// receipts let a node find out whether a transaction was committed when the
// connection was lost during the commit. Each transaction writes its number into a
// row that no other transaction uses at the same time. The row is as durable as the
// transaction, on the same server, after a restart, or on a promoted standby.
//
// A node that looks for a number and does not find it writes a higher one. If the
// transaction's message is still on its way, the transaction then fails: numbers
// only increase.
type receipts struct {
	node           string // identifies this process
	recordsChanges bool

	mu     sync.Mutex
	number int64
	free   []int // slots that no transaction uses
	slots  int
}

// receipt is the receipt of one transaction.
type receipt struct {
	store, slot string
	index       int
	number      int64
	// recordsChanges is whether this node's transactions record their changes.
	recordsChanges bool
}

func newReceipts(recordsChanges bool) *receipts {
	return &receipts{node: rand.Text(), recordsChanges: recordsChanges}
}

// take returns a receipt for a transaction of a store.
func (r *receipts) take(store string) *receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number += 2 // the number between is for committed
	index := r.slots
	if last := len(r.free) - 1; last >= 0 {
		index = r.free[last]
		r.free = r.free[:last]
	} else {
		r.slots++
	}
	return &receipt{store: store, slot: fmt.Sprintf("%s/%d", r.node, index), index: index, number: r.number, recordsChanges: r.recordsChanges}
}

// giveBack frees the row of a transaction that has ended.
func (r *receipts) giveBack(c *receipt) {
	if c == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, c.index)
}

// write returns the statement that writes the receipt. If the row has a higher
// number, it fails with a NULL in a NOT NULL column.
func (c *receipt) write() statement {
	return statement{query: `INSERT INTO receipts (store_hash, slot, number, date_modified, records_changes) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (store_hash, slot) DO UPDATE
		SET number = CASE WHEN receipts.number < $3 THEN $3 END, date_modified = $4`,
		args: []any{c.store, c.slot, c.number, time.Now().UnixMilli(), c.recordsChanges}}
}

// How long, and at what interval, a node tries to find out how a transaction ended.
const (
	settleTimeout = 20 * time.Second
	settlePause   = 100 * time.Millisecond
)

var errUnknown = errors.New("it is unknown whether the change was made")

// settle returns nil if the transaction of a receipt was committed, cause if it was
// rolled back, and errUnknown if neither can be found out.
func (d *postgresDB) settle(ctx context.Context, c *receipt, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.settleTimeout)
	defer cancel()
	for ctx.Err() == nil {
		d.reset()
		committed, err := d.committed(ctx, c)
		if err == nil {
			d.receipts.giveBack(c)
		}
		switch {
		case err != nil:
			cause = errors.Join(cause, err)
		case committed:
			return nil
		default:
			return cause
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
		}
	}
	d.unknown.Add(1)
	return errors.Join(errUnknown, cause)
}

// committed waits until the transaction of a receipt has ended and reports whether it
// was committed. A transaction that has not begun by then will fail. committed
// always writes: with a synchronous standby, everything committed before is on the
// standby once this write is.
func (d *postgresDB) committed(ctx context.Context, c *receipt) (bool, error) {
	conn, err := acquire(ctx, d.placeOf(ctx, c.store).server.pool, d.acquireTimeout)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	var number int64
	err = conn.QueryRow(ctx, `INSERT INTO receipts (store_hash, slot, number, date_modified, records_changes) VALUES ($1, $2, $4, $5, $6)
		ON CONFLICT (store_hash, slot) DO UPDATE
		SET number = CASE WHEN receipts.number < $3 THEN $4 ELSE receipts.number END, date_modified = $5
		RETURNING number`,
		c.store, c.slot, c.number, c.number+1, time.Now().UnixMilli(), c.recordsChanges).Scan(&number)
	return number == c.number, first(err, warned(conn))
}

// receiptsLife is how long receipts of stopped nodes are kept.
const receiptsLife = 24 * time.Hour

// cleanReceipts deletes the receipts of stopped nodes.
func (d *postgresDB) cleanReceipts(ctx context.Context) error {
	_, err := d.home.pool.Exec(ctx, "DELETE FROM receipts WHERE date_modified < $1", time.Now().Add(-receiptsLife).UnixMilli())
	return err
}

// tidy cleans up until quit is closed. The first time is a while after the start, so
// short commands never wait for it.
func (d *postgresDB) tidy() {
	hours, changes := time.NewTicker(time.Hour), time.NewTicker(changesLife)
	defer hours.Stop()
	defer changes.Stop()
	cleaner := changeCleaner{db: d}
	var clean func(context.Context) error
	for {
		select {
		case <-hours.C:
			clean = d.cleanReceipts
		case <-changes.C:
			clean = cleaner.clean
		case <-d.quit:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
		_ = clean(ctx) // harmless; retried the next time
		cancel()
	}
}
