// Package db keeps the nouns of package cohort in a SQL database. It holds the
// only SQL in the tree, one text for every engine; engine.go holds what differs.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// DB is an open database. Its only doors are [DB.Update] and [DB.View].
type DB struct {
	engine *engine
	write  *sql.DB
	read   *sql.DB

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // transactions
}

// Open opens the database that the URL names, creates it when it is missing
// and brings its schema up to date. URLs are "sqlite:PATH".
//
// It returns a cohort.Error of KindUnavailable whose message is one line for a
// person when the database is locked, read-only, of a newer schema, or not a
// database at all.
func Open(ctx context.Context, url string) (*DB, error) { return open(ctx, url, true) }

// OpenExisting is Open for callers who expect the database to be there: it
// creates nothing and fails when it is missing.
func OpenExisting(ctx context.Context, url string) (*DB, error) { return open(ctx, url, false) }

func open(ctx context.Context, url string, create bool) (*DB, error) {
	e, err := engineFor(url)
	if err != nil {
		return nil, err
	}
	db := &DB{engine: e}
	if db.write, db.read, err = e.open(ctx, create); err != nil {
		return nil, openError(url, err, e)
	}
	if err := migrate(ctx, db.write, e); err != nil {
		return nil, errors.Join(openError(url, err, e), db.Close())
	}
	return db, nil
}

// Close waits for transactions under way and closes the database. Transactions
// that come later get KindUnavailable.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	db.mu.Unlock()
	db.running.Wait()
	return errors.Join(db.read.Close(), db.write.Close())
}

var errClosed = errors.New("the database is closed")

// enter keeps the database open until running.Done is called.
func (db *DB) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return errClosed
	}
	db.running.Add(1)
	return nil
}

// Update runs fn in one transaction and commits it. When Update returns nil,
// what fn wrote is on disk; when it returns an error, nothing of it is there.
//
// fn must do nothing but database work, and may be called at a moment and in
// the company of other functions that Update chooses. The end of ctx stops the
// wait for a turn; a transaction that has begun runs to its own end.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.transact(ctx, db.write, context.WithoutCancel(ctx), fn)
}

// View runs fn in one read-only transaction: everything fn reads is of one
// moment. It does not wait for writers. The end of ctx interrupts it.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.transact(ctx, db.read, ctx, fn)
}

// transact waits for a connection of the pool until wait ends, and runs fn in
// a transaction on it until ctx ends.
func (db *DB) transact(wait context.Context, pool *sql.DB, ctx context.Context, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return db.engine.classify(err)
	}
	defer db.running.Done()
	conn, err := pool.Conn(wait)
	if err != nil {
		return db.engine.classify(err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return db.engine.classify(fmt.Errorf("begin: %w", err))
	}
	// After Commit this does nothing; after an error or a panic it undoes all.
	defer tx.Rollback()
	if err := fn(&Tx{ctx: ctx, tx: tx, engine: db.engine}); err != nil {
		return db.engine.classify(err)
	}
	if err := tx.Commit(); err != nil {
		return db.engine.classify(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		var n int
		return tx.queryRow("SELECT count(*) FROM stores WHERE hash = $1", "").Scan(&n)
	})
}

// Tx is a transaction. It carries its own context because the caller's may end
// while work of other callers shares the transaction.
type Tx struct {
	ctx    context.Context
	tx     *sql.Tx
	engine *engine
}

func (t *Tx) queryRow(query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, query, args...)
}

func (t *Tx) query(query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(t.ctx, query, args...)
}

// exec returns how many rows the statement changed. Its errors are classified
// here already, so that who writes can tell a conflict from other trouble.
func (t *Tx) exec(query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, t.engine.classify(err)
	}
	return res.RowsAffected()
}

// collect scans every row with scan and closes the rows.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// scanner is what *sql.Row and *sql.Rows share.
type scanner interface{ Scan(dest ...any) error }
