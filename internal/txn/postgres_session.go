package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresSession is a session on a connection of the pool. It takes one only
// when a statement's outcome is needed, and sends what came before with it.
type postgresSession struct {
	db      *postgresDB
	begin   []statement   // begins the transaction
	store   string        // for which it writes
	writes  bool          // it needs a receipt
	conn    *pgxpool.Conn // nil until a statement is sent
	receipt *receipt      // likewise
	queued  []statement
}

type statement struct {
	query string
	args  []any
	// ticket is what the statement fails for, by a division by zero, if it is not
	// good any more.
	ticket ticket
}

// acquireTimeout is how long a transaction waits for a connection of the pool.
const acquireTimeout = 3 * time.Second

var errBusy = errors.New("all connections to it are in use")

// acquire takes a connection from a pool.
func acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := pool.Acquire(wait)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case wait.Err() != nil && pool.Stat().AcquiredConns() >= pool.Config().MaxConns:
		return nil, errBusy
	}
	return nil, lostError{err}
}

func (s *postgresSession) later(query string, args []any) {
	s.queued = append(s.queued, statement{query: query, args: args})
}

func (s *postgresSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	results, err := s.send(ctx, statement{query: query, args: args})
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), s.failed(first(err, results.Close()))
}

func (s *postgresSession) query(ctx context.Context, query string, args []any) (Rows, error) {
	results, err := s.send(ctx, statement{query: query, args: args})
	if err != nil {
		return nil, err
	}
	r, err := results.Query()
	if err != nil {
		return nil, s.failed(first(err, results.Close()))
	}
	// pgx tells of an error only when the first row is asked for.
	ahead := r.Next()
	if err := r.Err(); err != nil {
		return nil, s.failed(first(err, results.Close()))
	}
	return &postgresRows{Rows: r, session: s, results: results, ahead: ahead}, nil
}

// commit sends what is queued and commits. If the connection is closed after an
// error, it is not known how that ended; else nothing is committed.
func (s *postgresSession) commit(ctx context.Context) error {
	results, err := s.send(ctx, statement{query: "COMMIT"})
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	err = s.failed(first(err, results.Close()))
	if err == nil && tag.String() != "COMMIT" {
		return fmt.Errorf("the transaction ended with %s", tag)
	}
	return first(err, warned(s.conn))
}

// errWarned is a commit that the server has made, but not as it should: its wait
// for a standby was cancelled.
var errWarned = errors.New("the server warned at the commit")

// warning is where a connection keeps that its server has warned.
const warning = "cohort: warning"

// noteWarning is called with each notice of a server. Cohort's statements give no
// reason to warn, so it is about the commit.
func noteWarning(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		conn.CustomData()[warning] = n.Message
	}
}

// warned returns errWarned if the server has warned since the last time.
func warned(conn *pgxpool.Conn) error {
	data := conn.Conn().PgConn().CustomData()
	message, yes := data[warning]
	if !yes {
		return nil
	}
	delete(data, warning)
	return fmt.Errorf("%w: %s", errWarned, message)
}

// failed marks an error after which the connection is gone.
func failed(conn *pgxpool.Conn, err error) error {
	if err != nil && conn.Conn().IsClosed() {
		return lostError{err}
	}
	return err
}

func (s *postgresSession) failed(err error) error { return failed(s.conn, err) }

// send sends what is queued and one more statement in one message, and returns
// the results from that statement's on.
func (s *postgresSession) send(ctx context.Context, last statement) (pgx.BatchResults, error) {
	if s.conn == nil {
		conn, err := acquire(ctx, s.db.pool)
		if err != nil {
			return nil, err
		}
		s.conn = conn
		s.queued = slices.Concat(s.begin, s.takeReceipt(), s.queued)
	}
	batch := &pgx.Batch{}
	for _, q := range s.queued {
		batch.Queue(q.query, q.args...)
	}
	batch.Queue(last.query, last.args...)
	before := s.queued
	s.queued = nil
	results := s.conn.SendBatch(ctx, batch)
	for _, q := range before {
		if _, err := results.Exec(); err != nil {
			return nil, q.refused(s.failed(first(err, results.Close())))
		}
	}
	return results, nil
}

// takeReceipt returns the statement that writes the transaction's number, if it
// has one.
func (s *postgresSession) takeReceipt() []statement {
	if !s.writes {
		return nil
	}
	s.receipt = s.db.receipts.take(s.store)
	return []statement{s.receipt.write()}
}

// first is the first of two errors: the second only follows from it.
func first(err, next error) error {
	if err != nil {
		return err
	}
	return next
}

// endTimeout bounds what is said to a server that nobody waits for any more.
const endTimeout = 5 * time.Second

// idle is how the server says that no transaction is open. To end one then would
// be a warning in its log.
const idle = 'I'

// undo ends the transaction without its work and gives the connection back.
func (s *postgresSession) undo() { s.end("ROLLBACK") }

func (s *postgresSession) end(how string) {
	if s.conn == nil {
		return
	}
	conn := s.conn
	s.conn = nil
	if conn.Conn().IsClosed() {
		// The receipt stays taken: the transaction may go on for a while, and
		// whoever used the row next would wait for it.
		conn.Release()
		return
	}
	s.db.receipts.giveBack(s.receipt)
	if conn.Conn().PgConn().TxStatus() == idle {
		conn.Release()
		return
	}
	s.db.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, how) // one that fails is dropped by Release
		conn.Release()
	})
}

func (s *postgresSession) close() error { return nil }

// postgresRows are rows of a batch of which one was asked for already.
type postgresRows struct {
	pgx.Rows
	session *postgresSession
	results pgx.BatchResults
	ahead   bool
	closed  bool
}

func (r *postgresRows) Next() bool {
	if r.ahead {
		r.ahead = false
		return true
	}
	return r.Rows.Next()
}

func (r *postgresRows) Err() error { return r.session.failed(r.Rows.Err()) }

func (r *postgresRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.Rows.Close()
	return r.session.failed(first(r.Rows.Err(), r.results.Close()))
}
