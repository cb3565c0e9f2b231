package txn

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// What the tests in package db_test cannot reach otherwise.
const (
	MaxBatch        = maxBatch
	MaxBatchTime    = maxBatchTime
	CheckpointPages = checkpointPages
)

// ErrTrouble is an error that says that the database is in trouble. Those of a
// driver cannot be made up.
var ErrTrouble = errors.New("trouble that was made up")

// Statement is one that the writer is about to run.
type Statement struct {
	Query string
	Run   func() error
	// Undo ends the transaction without its work, as SQLite does by itself
	// after some errors.
	Undo func() error
}

// OpenWith is Open, but every statement of the writer goes to a function of the
// test's, which runs it or not and says how it ended.
func OpenWith(t testing.TB, url string, migrations fs.FS, each func(Statement) error) *DB {
	t.Helper()
	e, err := engineFor(url, migrations)
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

// faulty is a session whose statements pass through a test.
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

// Log is what a checkpoint says about the write-ahead log, in pages.
type Log struct {
	Busy         bool // it could not be done as a whole
	Pages, Moved int64
}

// Checkpoint empties the log on a connection of its own.
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

// Checkpointer is one that nobody runs.
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

// Pause runs fn while the writer rests.
func (db *DB) Pause(fn func()) { db.sqlite().writer.pause(fn) }

func (db *DB) sqlite() *sqliteDB { return db.backend.(*sqliteDB) }

// SettleWithin sets how long it is tried to find out what became of a
// transaction. It comes before the first.
func (db *DB) SettleWithin(d time.Duration) { db.backend.(*postgresDB).settleTimeout = d }

// CountWaiting returns how many transactions of this database wait for an advisory
// lock of a PostgreSQL.
func (t *Tx) CountWaiting() (n int, err error) {
	err = t.QueryRow(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n)
	return n, err
}
