package txn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// receipts are how a node finds out whether a transaction was committed when
// the connection was lost before the server could say so. Each transaction
// writes its number into a row that belongs to it alone as long as it lasts.
// The row is as durable as the transaction, wherever that ended up: on the same
// server, after its restart, or on the standby that took over.
//
// Who asks and does not find the number leaves a higher one. A transaction that
// has not even begun then, because its message is still on its way, fails when it
// does: numbers only go up.
type receipts struct {
	node string // one process

	mu     sync.Mutex
	number int64
	free   []int // slots that no transaction uses
	slots  int
}

// receipt is that of one transaction.
type receipt struct {
	store, slot string
	index       int
	number      int64
}

func newReceipts() *receipts { return &receipts{node: rand.Text()} }

// take returns a receipt for a transaction that writes for a store.
func (r *receipts) take(store string) *receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number += 2 // the one between is for who asks
	index := r.slots
	if last := len(r.free) - 1; last >= 0 {
		index = r.free[last]
		r.free = r.free[:last]
	} else {
		r.slots++
	}
	return &receipt{store: store, slot: fmt.Sprintf("%s/%d", r.node, index), index: index, number: r.number}
}

// giveBack lets the next transaction use the row of one that has ended.
func (r *receipts) giveBack(c *receipt) {
	if c == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, c.index)
}

// write fails by the NULL in a column that takes none if the row has a higher
// number.
func (c *receipt) write() statement {
	return statement{query: `INSERT INTO receipts (store_hash, slot, number, date_modified) VALUES ($1, $2, $3, $4)
		ON CONFLICT (store_hash, slot) DO UPDATE
		SET number = CASE WHEN receipts.number < $3 THEN $3 END, date_modified = $4`,
		args: []any{c.store, c.slot, c.number, time.Now().UnixMilli()}}
}

// How long it is tried to find out what became of a transaction.
const (
	settleTimeout = 20 * time.Second
	settlePause   = 100 * time.Millisecond
)

var errUnknown = errors.New("it is unknown whether the change was made")

// settle returns nil if the transaction of a receipt was committed, and
// errUnknown if there is no finding out. Else nothing of it is left, and cause is
// returned.
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

// committed waits until the transaction of a receipt has ended and reports how;
// one that has not begun never will. It writes even if there is nothing to: if
// the server waits with commits for a standby, what was committed before is on
// the standby too when this is.
func (d *postgresDB) committed(ctx context.Context, c *receipt) (bool, error) {
	conn, err := acquire(ctx, d.pool)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	var number int64
	err = conn.QueryRow(ctx, `INSERT INTO receipts (store_hash, slot, number, date_modified) VALUES ($1, $2, $4, $5)
		ON CONFLICT (store_hash, slot) DO UPDATE
		SET number = CASE WHEN receipts.number < $3 THEN $4 ELSE receipts.number END, date_modified = $5
		RETURNING number`,
		c.store, c.slot, c.number, c.number+1, time.Now().UnixMilli()).Scan(&number)
	return number == c.number, first(err, warned(conn))
}

// receiptsLife is how long receipts of nodes that are gone are kept.
const receiptsLife = 24 * time.Hour

// cleanReceipts deletes the receipts of nodes that are gone.
func (d *postgresDB) cleanReceipts(ctx context.Context) error {
	_, err := d.pool.Exec(ctx, "DELETE FROM receipts WHERE date_modified < $1", time.Now().Add(-receiptsLife).UnixMilli())
	return err
}

// tidy cleans up from time to time until quit is closed. It does not begin with
// it: a command that opens the database for a moment has nothing to wait for.
func (d *postgresDB) tidy() {
	ticks := time.NewTicker(time.Hour)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-d.quit:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
		_ = d.cleanReceipts(ctx) // the rows do no harm, and the next hour comes
		cancel()
	}
}
