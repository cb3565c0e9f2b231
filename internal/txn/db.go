// Package txn runs transactions on a SQL database. It has the engines SQLite and
// PostgreSQL with their sessions and pools, the group commit of writes, ids,
// migrations and the notification of changes. Package db has the SQL of the
// resources; engine.go and sql.go hold everything in which the engines differ.
//
// Of the schema txn itself uses the tables stores and tokens, to check whether a
// request may write, counters for ids, and receipts for the outcome of commits.
package txn

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// DB is an open database. Its only doors are [DB.Update] and [DB.View].
type DB struct {
	engine   *engine
	backend  backend
	watchers atomic.Pointer[[]func([]Change)]

	failedWrites atomic.Int64

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // transactions
}

// backend is how the databases of an engine are written and read.
type backend interface {
	update(ctx context.Context, fn func(*Tx) error) error
	view(ctx context.Context, fn func(*Tx) error) error
	// updateLong and viewLong are for one long piece of work. There is no time
	// limit, and they call fn once.
	updateLong(ctx context.Context, fn func(*Tx) error) error
	viewLong(ctx context.Context, fn func(*Tx) error) error
	// probeSlot is the slot among the receipts that ProbeWrite writes.
	probeSlot() string
	// scratch calls fn with a connection of its own that is in no transaction, and
	// closes it. It may write temporary tables and nothing else.
	scratch(ctx context.Context, fn func(*Tx) error) error
	// close is called when nothing is under way any more.
	close() error
}

// Open opens the database that the URL names and brings its schema up to date with
// migrations, the files of goose.
// URLs are "sqlite:PATH", which makes the file when it is missing, and
// "postgres://…" or "postgresql://…" as pgx reads them, whose database has to
// be there.
//
// It returns a cohort.Error of KindUnavailable whose message is one line for a
// person when the database is locked, read-only, of a newer schema, not a
// database at all, or does not answer.
func Open(ctx context.Context, url string, migrations fs.FS) (*DB, error) {
	return open(ctx, url, migrations, true)
}

// OpenExisting is Open for callers who expect the database to be there: it
// creates nothing and fails when it is missing.
func OpenExisting(ctx context.Context, url string, migrations fs.FS) (*DB, error) {
	return open(ctx, url, migrations, false)
}

func open(ctx context.Context, url string, migrations fs.FS, create bool) (*DB, error) {
	e, err := engineFor(url, migrations)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(ctx, create); err != nil {
		return nil, openError(url, err, e)
	}
	return start(ctx, url, e)
}

// start opens the connections of a database that is prepared.
func start(ctx context.Context, url string, e *engine) (db *DB, err error) {
	db = &DB{engine: e}
	db.watchers.Store(&[]func([]Change){})
	if db.backend, err = e.open(ctx, db.changed); err != nil {
		return nil, openError(url, err, e)
	}
	return db, nil
}

// Close waits for transactions under way and closes the database. Transactions
// that come later get KindUnavailable. To close it again does nothing.
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

// Update runs fn in a transaction and commits it. When Update returns nil, what
// fn wrote is on disk; when it returns an error, nothing of it is there. (Two
// exceptions: if a disk fails to flush, what it was given may be back after a
// crash; and if a server is gone for long in the moment of a commit, the error
// says that the outcome is unknown. See docs/durability.md.)
//
// fn must do nothing but database work. It is called at a moment and in the
// company of other functions that Update chooses. Where several processes write
// it may be called again, when what it did before was undone; it must not build
// on what an earlier call has left in variables.
//
// The end of ctx ends the wait, with ctx's error. If fn was called by then, the
// transaction may go on without its caller, and whether it succeeds stays
// unknown; the error says so.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.countWrite(db.backend.update(ctx, fn))
}

// UpdateLong is Update for one long piece of work: there is no limit of time, and
// fn is called once.
func (db *DB) UpdateLong(ctx context.Context, fn func(*Tx) error) error {
	return db.countWrite(db.long(ctx, db.backend.updateLong, fn))
}

// ViewLong is View likewise.
func (db *DB) ViewLong(ctx context.Context, fn func(*Tx) error) error {
	return db.long(ctx, db.backend.viewLong, fn)
}

// Scratch calls fn with a connection of its own that is in no transaction, and
// closes the connection. It may write temporary tables and nothing else.
func (db *DB) Scratch(ctx context.Context, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.engine.classify(db.backend.scratch(ctx, fn))
}

func (db *DB) long(ctx context.Context, do func(context.Context, func(*Tx) error) error, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return do(ctx, fn)
}

// View runs fn in one read-only transaction: everything fn reads is of one
// moment. It does not wait for writers. The end of ctx interrupts it. When the
// database is lost in the middle, fn may be called again.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.backend.view(ctx, fn)
}

// pingTimeout is how long a database may take to answer that it is there.
const pingTimeout = 2 * time.Second

// Ping reports whether the database answers, and whether a file is still where its
// path leads.
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
