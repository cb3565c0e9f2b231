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

// postgresSession is a session on a connection of the pool. It acquires the
// connection when the first result is needed, and sends all queued statements with
// that one.
type postgresSession struct {
	db      *postgresDB
	begin   []statement   // the statements that begin the transaction
	store   string        // the key of the store that it is for
	place   storePlace    // of the store
	writes  bool          // it needs a receipt
	conn    *pgxpool.Conn // nil until a statement is sent
	receipt *receipt      // nil until then
	queued  []statement

	awaitsEnd bool // see awaitEnd
	once      bool // it runs one query without a transaction
}

type statement struct {
	query string
	args  []any
	// authorization is set for a check, which fails with a division by zero if the
	// authorization is not valid any more.
	authorization authorization
	order         string // see Tx.LaterInOrder
	run           string // of a check of the server's run; otherwise ""
	row           *RowInsert
}

// acquireTimeout is how long a transaction waits for a connection of the pool.
const acquireTimeout = 3 * time.Second

var errBusy = errors.New("all connections to it are in use")

// acquire takes a connection from a pool. It waits for timeout at most.
func acquire(ctx context.Context, pool *pgxpool.Pool, timeout time.Duration) (*pgxpool.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, timeout)
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

func (s *postgresSession) later(order, query string, args []any) {
	s.queued = append(s.queued, statement{query: query, args: args, order: order})
}

func (s *postgresSession) hasQueued() bool { return len(s.queued) > 0 }

func (s *postgresSession) forget() { s.queued = nil }

func (s *postgresSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	if s.once {
		return 0, errViewWrites
	}
	results, err := s.send(ctx, statement{query: query, args: args})
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), s.failed(first(err, results.Close()))
}

func (s *postgresSession) query(ctx context.Context, query string, args []any) (Rows, error) {
	if s.once && (s.conn != nil || len(s.queued) > 0) {
		return nil, errSecond
	}
	query, args = s.literal(query, args)
	results, err := s.send(ctx, statement{query: query, args: args})
	if err != nil {
		return nil, err
	}
	r, err := results.Query()
	if err != nil {
		return nil, s.failed(first(err, results.Close()))
	}
	// pgx reports an error only when the first row is read.
	ahead := r.Next()
	if err := r.Err(); err != nil {
		return nil, s.failed(first(err, results.Close()))
	}
	return &postgresRows{Rows: r, session: s, results: results, ahead: ahead}, nil
}

// commit sends the queued statements and commits. If the connection is closed after
// an error, the outcome is unknown; otherwise an error means a rollback.
func (s *postgresSession) commit(ctx context.Context) error {
	results, err := s.send(ctx, statement{query: "COMMIT"})
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	err = s.failed(first(err, results.Close()))
	if s.db.cluster != nil && (lostWorker(err) != "" || postgresCode(err) == internalError) {
		err = fmt.Errorf("%w: %w", errWorkerLost, err)
	}
	if err == nil && tag.String() != "COMMIT" {
		return fmt.Errorf("the transaction ended with %s", tag)
	}
	return first(err, warned(s.conn))
}

// errWarned means that the server committed, but its wait for a synchronous standby
// was cancelled.
var errWarned = errors.New("the server warned at the commit")

// errWorkerLost means that Citus lost a worker while it committed there. If all rows of a
// transaction are on one worker, Citus commits in one phase: the worker may have committed.
// Some of the errors of Citus then are internal ones that do not name the worker.
var errWorkerLost = errors.New("a worker was lost during the commit")

// warning is the key under which a connection stores a warning of its server.
const warning = "cohort: warning"

// noteWarning is called with each notice of the server. Cohort's statements cause no
// warnings, so a warning is about the commit.
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

// failed marks an error after which the connection is closed.
func failed(conn *pgxpool.Conn, err error) error {
	if err != nil && conn.Conn().IsClosed() {
		return lostError{err}
	}
	return err
}

func (s *postgresSession) failed(err error) error { return failed(s.conn, err) }

// send sends the queued statements and one more in one message. It returns the
// results from the last statement on.
func (s *postgresSession) send(ctx context.Context, last statement) (pgx.BatchResults, error) {
	if s.conn == nil {
		conn, err := acquire(ctx, s.place.server.pool, s.db.acquireTimeout)
		if err != nil {
			s.db.noteLoss(s.place.server, err)
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
			return nil, q.rejected(s.failed(first(err, results.Close())))
		}
	}
	return results, nil
}

// takeReceipt returns the statement that writes the receipt, if the transaction
// writes.
func (s *postgresSession) takeReceipt() []statement {
	if !s.writes {
		return nil
	}
	s.receipt = s.db.receipts.take(s.store)
	return []statement{s.receipt.write()}
}

// first returns the first of two errors: the second only follows from it.
func first(err, next error) error {
	if err != nil {
		return err
	}
	return next
}

// endTimeout bounds a ROLLBACK or COMMIT whose result no caller waits for.
const endTimeout = 5 * time.Second

// idle is the transaction status "no transaction". Ending a transaction then would
// cause a warning in the server's log.
const idle = 'I'

// undo rolls back and releases the connection.
func (s *postgresSession) undo() { s.end("ROLLBACK") }

func (s *postgresSession) end(how string) {
	if s.conn == nil {
		return
	}
	conn := s.conn
	s.conn = nil
	if conn.Conn().IsClosed() {
		// Do not free the receipt: the server may still run the transaction, and the
		// next user of the row would wait for it.
		conn.Release()
		return
	}
	s.db.receipts.giveBack(s.receipt)
	if conn.Conn().PgConn().TxStatus() == idle {
		conn.Release()
		return
	}
	send := func() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, how) // Release drops a broken connection
		conn.Release()
	}
	if s.awaitsEnd {
		send()
		return
	}
	s.db.background.Go(send)
}

// awaitEnd makes end wait for the server: after a failure a caller may try at once to take a lock
// that this transaction has, see Tx.TryLock.
func (s *postgresSession) awaitEnd() { s.awaitsEnd = true }

func (s *postgresSession) close() error { return nil }

// postgresRows are rows of which the first has been read ahead.
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
