// Package txn runs transactions on a SQL database. It has the engines SQLite and
// PostgreSQL with their sessions and pools, the group commit of writes, ids,
// migrations and the notification of changes. Package db has the SQL of the
// resources; engine.go and sql.go hold everything in which the engines differ.
//
// Of the schema txn itself uses the tables stores and tokens, to check whether a
// request may write, counters for ids, receipts for the outcome of commits,
// and recent_changes for the caches of other nodes.
package txn

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// DB is an open database. [DB.Update] and [DB.View] run transactions on it.
type DB struct {
	engine   *engine
	backend  backend
	watchers atomic.Pointer[[]func([]Change)]

	failedWrites atomic.Int64
	trace        atomic.Pointer[func(query string, args []any)]

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // transactions
}

// backend runs transactions on an engine.
type backend interface {
	update(ctx context.Context, fn func(*Tx) error) error
	view(ctx context.Context, fn func(*Tx) error) error
	// updateLong and viewLong have no time limit and call fn once.
	updateLong(ctx context.Context, fn func(*Tx) error) error
	viewLong(ctx context.Context, fn func(*Tx) error) error
	// probeSlot is the receipt slot that ProbeWrite updates.
	probeSlot() string
	// scratch implements DB.Scratch.
	scratch(ctx context.Context, fn func(*Tx) error) error
	// close is called when no transaction is running.
	close() error
}

// Open opens the database that the URL names and brings its schema up to date with
// the migrations of the schema.
// URLs are "sqlite:PATH", whose file is created if it is missing, and "postgres://…"
// or "postgresql://…" as pgx reads them, whose database has to exist.
//
// If the database is locked, read-only, of a newer schema, not a database at all,
// or cannot be reached, Open returns a cohort.Error of KindUnavailable with a
// one-line message for people.
func Open(ctx context.Context, url string, schema Schema) (*DB, error) {
	return open(ctx, url, schema, true)
}

// OpenExisting is Open, but it fails if the database does not exist.
func OpenExisting(ctx context.Context, url string, schema Schema) (*DB, error) {
	return open(ctx, url, schema, false)
}

func open(ctx context.Context, url string, schema Schema, create bool) (*DB, error) {
	e, err := engineFor(url, schema)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(ctx, create); err != nil {
		return nil, openError(url, err, e)
	}
	return start(ctx, url, e)
}

// start opens the connections of a prepared database.
func start(ctx context.Context, url string, e *engine) (db *DB, err error) {
	db = &DB{engine: e}
	db.watchers.Store(&[]func([]Change){})
	if db.backend, err = e.open(ctx, db.changed); err != nil {
		return nil, openError(url, err, e)
	}
	return db, nil
}

// Close waits for running transactions and closes the database. Later transactions
// fail with KindUnavailable. Closing it again does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closed
	db.closed = true
	db.mu.Unlock()
	if again {
		return nil
	}
	db.running.Wait()
	return db.backend.close()
}

var errClosed = errors.New("the database is closed")

// enter keeps the database open until running.Done is called.
func (db *DB) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return db.engine.classify(errClosed)
	}
	db.running.Add(1)
	return nil
}

// Update runs fn in a transaction and commits it. If Update returns nil, the writes
// of fn are on disk. If it returns an error, none of them is. There are two
// exceptions: after a failed flush of the disk, writes may reappear after a crash;
// and if a server disappears during a commit and does not come back in time, the
// error says that the outcome is unknown. See docs/durability.md.
//
// fn must only use the database. Update decides when to call it, and may commit it
// together with the functions of other callers. On PostgreSQL it may call fn again
// after a rollback, so fn must not rely on variables that an earlier call has set.
//
// When ctx ends, Update returns its error. If fn has been called by then, the
// transaction may still be committed, and the error says that the outcome is
// unknown.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if t := db.joined(ctx); t != nil {
		return t.nested(fn)
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.countWrite(db.backend.update(ctx, db.traced(fn)))
}

// UpdateLong is Update without a time limit. It calls fn once.
func (db *DB) UpdateLong(ctx context.Context, fn func(*Tx) error) error {
	if t := db.joined(ctx); t != nil {
		return t.nested(fn)
	}
	return db.countWrite(db.long(ctx, db.backend.updateLong, fn))
}

// ViewLong is View without a time limit. It calls fn once.
func (db *DB) ViewLong(ctx context.Context, fn func(*Tx) error) error {
	if t := db.joined(ctx); t != nil {
		return fn(t)
	}
	return db.long(ctx, db.backend.viewLong, fn)
}

// Scratch calls fn with a new connection, outside a transaction, and closes the
// connection afterwards. fn may write to temporary tables only.
func (db *DB) Scratch(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.classify(db.long(ctx, db.backend.scratch, fn))
}

func (db *DB) long(ctx context.Context, do func(context.Context, func(*Tx) error) error, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return do(ctx, db.traced(fn))
}

// View runs fn in a read-only transaction: all reads of fn see the same snapshot.
// It does not wait for writers. The end of ctx interrupts it. If the connection is
// lost, it may call fn again.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) (err error) {
	if t := db.joined(ctx); t != nil {
		return fn(t)
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.backend.view(ctx, db.traced(fn))
}

// TraceStatements calls fn with each statement of transactions that begin from now on; see
// [Tx.Trace]. fn is called concurrently.
func (db *DB) TraceStatements(fn func(query string, args []any)) { db.trace.Store(&fn) }

func (db *DB) traced(fn func(*Tx) error) func(*Tx) error {
	trace := db.trace.Load()
	if trace == nil {
		return fn
	}
	return func(t *Tx) error {
		t.Trace(*trace)
		return fn(t)
	}
}

type oneQueryKey struct{}

// OneQuery returns a context for a View of one query. It needs no transaction, whose begin and
// end cost PostgreSQL as much as a lookup. A second query of its function fails.
func OneQuery(ctx context.Context) context.Context {
	return context.WithValue(ctx, oneQueryKey{}, true)
}

func isOneQuery(ctx context.Context) bool { return ctx.Value(oneQueryKey{}) != nil }

// pingTimeout is how long Ping waits for the database.
const pingTimeout = 2 * time.Second

// Ping checks that the database responds, and on SQLite that its files are still at
// their paths.
func (db *DB) Ping(ctx context.Context) error {
	if s, ok := db.backend.(*sqliteDB); ok {
		if err := s.files.check(); err != nil {
			return db.engine.classify(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return db.View(ctx, func(tx *Tx) error {
		var n int
		return tx.QueryRow("SELECT count(*) FROM stores WHERE hash = $1", "").Scan(&n)
	})
}
