package txn

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Constants for the tests in package txn_test.
const (
	MaxBatch        = maxBatch
	MaxBatchTime    = maxBatchTime
	MaxSharedTime   = maxSharedTime
	CheckpointPages = checkpointPages
)

// ErrTrouble is an error that the engine classifies as trouble with the database. A
// test cannot construct such an error of the driver.
var ErrTrouble = errors.New("simulated trouble")

// Statement is a statement that the writer is about to run.
type Statement struct {
	Query string
	Run   func() error
	// Undo rolls the transaction back, as SQLite does by itself after some errors.
	Undo func() error
}

// OpenWith is Open, but the writer passes every statement to each instead of running
// it. Each decides whether the statement runs, and returns its error.
func OpenWith(t testing.TB, url string, schema Schema, each func(Statement) error) *DB {
	t.Helper()
	e, err := engineFor(url, schema)
	if err != nil {
		t.Fatal(err)
	}
	file, trouble, first := sqliteFile{strings.TrimPrefix(url, "sqlite:")}, e.trouble, true
	e.trouble = func(err error) string {
		if errors.Is(err, ErrTrouble) {
			return err.Error()
		}
		return trouble(err)
	}
	e.open = func(ctx context.Context, changed func([]Change)) (backend, error) {
		return newSQLiteDB(ctx, e, file.path, func(ctx context.Context, write bool) (session, error) {
			s, err := file.connect(ctx, write)
			if write && first && err == nil {
				s, first = faulty{s, each}, false
			}
			return s, err
		}, changed)
	}
	if err := e.prepare(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	d, err := start(t.Context(), url, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return d
}

// faulty is a session that passes its statements to a function of the test.
type faulty struct {
	session
	each func(Statement) error
}

func (f faulty) exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = f.each(f.statement(ctx, query, func() (err error) {
		n, err = f.session.exec(ctx, query, args)
		return err
	}))
	return n, err
}

func (f faulty) query(ctx context.Context, query string, args []any) (r Rows, err error) {
	err = f.each(f.statement(ctx, query, func() (err error) {
		r, err = f.session.query(ctx, query, args)
		return err
	}))
	return r, err
}

func (f faulty) statement(ctx context.Context, query string, run func() error) Statement {
	return Statement{query, run, func() error {
		_, err := f.session.exec(ctx, "ROLLBACK", nil)
		return err
	}}
}

// Log is the state of the write-ahead log that a checkpoint returns, in pages.
type Log struct {
	Busy         bool // the checkpoint could not complete
	Pages, Moved int64
}

// Checkpoint runs a checkpoint on a connection of its own.
func (db *DB) Checkpoint(t testing.TB, mode string) (log Log) {
	t.Helper()
	s, err := db.sqlite().connect(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	tx := &Tx{ctx: t.Context(), lookups: t.Context(), session: s, engine: db.engine}
	if err := tx.QueryRow("PRAGMA wal_checkpoint("+mode+")").Scan(&log.Busy, &log.Pages, &log.Moved); err != nil {
		t.Fatal(err)
	}
	return log
}

// Checkpointer is a checkpointer without its goroutine: tests call its methods.
type Checkpointer struct{ *checkpointer }

func (db *DB) NewCheckpointer(t testing.TB) Checkpointer {
	t.Helper()
	s, err := db.sqlite().connect(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return Checkpointer{newCheckpointer(s, db.sqlite().writer)}
}

func (c Checkpointer) Bound() { c.bound() }

// Pause runs fn while the writer is paused.
func (db *DB) Pause(fn func()) { db.sqlite().writer.pause(fn) }

func (db *DB) sqlite() *sqliteDB { return db.backend.(*sqliteDB) }

// Timeouts are how long updates on PostgreSQL wait. Zero means the default.
type Timeouts struct {
	Acquire time.Duration // for a connection of the pool
	Retry   time.Duration // while attempts are retried
	Settle  time.Duration // to find out whether a commit succeeded
	Pause   time.Duration // after a query for the changes of other nodes has failed
}

// SetTimeouts sets the timeouts. Call it before the first transaction.
func (db *DB) SetTimeouts(to Timeouts) {
	d := db.backend.(*postgresDB)
	d.acquireTimeout = cmp.Or(to.Acquire, d.acquireTimeout)
	d.retryTimeout = cmp.Or(to.Retry, d.retryTimeout)
	d.settleTimeout = cmp.Or(to.Settle, d.settleTimeout)
	f := d.follower
	f.failurePause, f.unrecordedPause = cmp.Or(to.Pause, f.failurePause), cmp.Or(to.Pause, f.unrecordedPause)
}

// ChangeCleaner deletes recent changes of PostgreSQL. A change is gone after the second
// call of Clean that follows it.
type ChangeCleaner struct{ c *changeCleaner }

func (db *DB) NewChangeCleaner() ChangeCleaner {
	return ChangeCleaner{&changeCleaner{db: db.backend.(*postgresDB)}}
}

func (c ChangeCleaner) Clean(t testing.TB) {
	t.Helper()
	if err := c.c.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// CountWaiting returns how many transactions of this PostgreSQL database wait for an
// advisory lock.
func (t *Tx) CountWaiting() (n int, err error) {
	err = t.QueryRow(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n)
	return n, err
}
