// Package db keeps the nouns of package cohort in a SQL database. It holds the
// only SQL in the tree, one text for every engine; engine.go holds what differs.
package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// DB is an open database. Its only doors are [DB.Update] and [DB.View].
type DB struct {
	engine      *engine
	writer      *writer
	readers     *pool
	checkpoints *checkpointer
	watchers    atomic.Pointer[[]func([]Change)]

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
	if err := e.prepare(ctx, create); err != nil {
		return nil, openError(url, err, e)
	}
	db := &DB{engine: e, readers: newPool(e.readers, func(ctx context.Context) (session, error) { return e.connect(ctx, false) })}
	db.watchers.Store(&[]func([]Change){})
	if err := db.start(ctx); err != nil {
		return nil, openError(url, err, e)
	}
	return db, nil
}

// start opens the connections that write, and sets those to work who use them.
func (db *DB) start(ctx context.Context) error {
	write, err := db.engine.connect(ctx, true)
	if err != nil {
		return err
	}
	if db.writer, err = newWriter(write, db.engine); err != nil {
		return errors.Join(err, write.close())
	}
	move, err := db.engine.connect(ctx, true)
	if err != nil {
		return errors.Join(err, write.close())
	}
	db.checkpoints = newCheckpointer(move, db.writer)
	db.writer.changed = db.changed
	db.writer.written = db.checkpoints.written
	go db.writer.run()
	go db.checkpoints.run()
	return nil
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
	return errors.Join(db.readers.close(), db.checkpoints.stop(), db.writer.stop())
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
// fn wrote is on disk; when it returns an error, nothing of it is there. (One
// exception: if a disk fails to flush, what it was given may be back after a
// crash; see docs/durability.md.)
//
// fn must do nothing but database work. It is called at a moment and in the
// company of other functions that Update chooses, once or not at all.
//
// The end of ctx ends the wait, with ctx's error. If fn was called by then, the
// transaction goes on without its caller, and whether it succeeds stays
// unknown; the error says so.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	return db.writer.do(ctx, fn)
}

// View runs fn in one read-only transaction: everything fn reads is of one
// moment. It does not wait for writers. The end of ctx interrupts it.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.running.Done()
	s, err := db.readers.take(ctx)
	if err != nil {
		return db.engine.classify(err)
	}
	tx := &Tx{ctx: ctx, session: s, engine: db.engine}
	ended := false
	defer func() {
		if ended {
			db.readers.put(s)
		} else {
			db.readers.drop(s)
		}
	}()
	if _, err := s.exec(context.Background(), "BEGIN", nil); err != nil {
		return db.engine.classify(fmt.Errorf("begin: %w", err))
	}
	err = fn(tx)
	_, endErr := s.exec(context.Background(), "COMMIT", nil)
	ended = endErr == nil
	return db.engine.classify(err)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		var n int
		return tx.queryRow("SELECT count(*) FROM stores WHERE hash = $1", "").Scan(&n)
	})
}
