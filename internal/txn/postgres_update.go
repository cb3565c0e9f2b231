package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"cohort.example/cohort"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// How long an update or a view is retried after a conflict with other transactions
// or the loss of the server. Most callers do not notice a restart of the server.
const (
	retryTimeout = 4 * time.Second
	firstPause   = 5 * time.Millisecond
	maxPause     = 250 * time.Millisecond
)

// maxConflicts is how often an attempt is retried after a violation of a unique
// index. Usually the next attempt sees the conflicting row and reports it.
const maxConflicts = 3

// attemptTimeout bounds one attempt, in case the server stops responding. The
// server's own timeouts are shorter.
const attemptTimeout = 15 * time.Second

// beginUpdate begins a transaction in which each statement sees everything committed
// before it. Row locks and unique indexes protect what that leaves open. It does not
// say READ WRITE, because a standby rejects that with a different error code.
const beginUpdate = "BEGIN ISOLATION LEVEL READ COMMITTED"

// readOnly is the error code of a write on a standby.
const readOnly = "25006"

// beginView begins a transaction that reads one snapshot.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

func (d *postgresDB) update(ctx context.Context, fn func(*Tx) error) error {
	return d.retry(ctx, func() error {
		// An attempt continues when its caller leaves, which is cheaper than to cut the
		// connection, but not for ever.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
		defer cancel()
		return d.attempt(bounded, []statement{{query: beginUpdate}}, fn)
	})
}

// view runs fn in a read-only transaction.
func (d *postgresDB) view(ctx context.Context, fn func(*Tx) error) error {
	return d.retry(ctx, func() error {
		lookups, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
		defer cancel()
		queries, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		begin := []statement{{query: beginView}}
		if isOneQuery(ctx) {
			begin = nil
		}
		return d.look(queries, lookups, begin, fn)
	})
}

func (d *postgresDB) look(queries, lookups context.Context, begin []statement, fn func(*Tx) error) error {
	store := authorizationOf(queries).store
	s := &postgresSession{db: d, store: store, place: d.placeOf(lookups, store), once: len(begin) == 0}
	s.begin = d.limitWorkers(begin, s.place)
	defer s.end("COMMIT")
	err := fn(&Tx{ctx: queries, lookups: lookups, session: s, engine: d.engine})
	if err == nil && len(s.queued) > 0 {
		return errViewWrites // they are never sent
	}
	return err
}

var (
	errViewWrites = errors.New("a view has something to write")
	errSecond     = errors.New("a view of one query has a second one")
)

// forLong returns the statements that begin a transaction without timeouts.
func forLong(begin string) []statement {
	return []statement{
		{query: begin},
		{query: "SET LOCAL statement_timeout = 0"},
		{query: "SET LOCAL idle_in_transaction_session_timeout = 0"},
	}
}

func (d *postgresDB) updateLong(ctx context.Context, fn func(*Tx) error) error {
	return d.engine.classify(d.attempt(ctx, forLong(beginUpdate), fn))
}

func (d *postgresDB) viewLong(ctx context.Context, fn func(*Tx) error) error {
	return d.engine.classify(d.look(ctx, ctx, forLong(beginView), fn))
}

// retry calls attempt until it succeeds, fails with a permanent error, or takes too
// long.
func (d *postgresDB) retry(ctx context.Context, attempt func() error) error {
	begun, pause, conflicts := time.Now(), firstPause, 0
	for attempts := 1; ; attempts++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := attempt()
		if d.engine.conflict(err) {
			conflicts++
		}
		if ctx.Err() != nil && isLost(err) && !errors.Is(err, errUnknown) {
			return ctx.Err() // its end has probably cut the connection
		}
		if err == nil || ctx.Err() != nil || !d.retryable(err) || time.Since(begun) > d.retryTimeout || conflicts > maxConflicts || d.isGone(err) {
			return d.engine.classify(err)
		}
		d.repeated.Add(1)
		trace.SpanFromContext(ctx).SetAttributes(attribute.Int("cohort.attempts", attempts+1))
		if isLost(err) || postgresCode(err) == readOnly {
			d.reset()
		}
		select {
		case <-time.After(rand.N(pause)): //nolint:gosec // to spread out needs no secret
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
}

// isGone reports whether an attempt failed because a worker of Citus has been lost for so
// long that another one would fail too.
func (d *postgresDB) isGone(err error) bool {
	worker := lostWorker(err)
	return worker != "" && d.outages.lasts(worker, time.Now())
}

// resetEvery limits resets: when many transactions lose their connections together,
// they must not close the connections that one of them has just opened.
const resetEvery = 200 * time.Millisecond

// reset closes the idle connections. After the loss of a connection they may be dead
// too, or lead to a server that is no longer the primary.
func (d *postgresDB) reset() {
	now := time.Now().UnixMilli()
	last := d.lastReset.Load()
	if now-last < resetEvery.Milliseconds() || !d.lastReset.CompareAndSwap(last, now) {
		return
	}
	d.home.reset()
	if d.cluster != nil {
		d.cluster.each((*postgresServer).reset)
	}
	d.follower.reset()
}

// retryable reports whether a failed attempt was rolled back and may succeed a moment
// later.
func (d *postgresDB) retryable(err error) bool {
	if errors.Is(err, errUnknown) || errors.Is(err, errBusy) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	code := postgresCode(err)
	switch {
	case errors.Is(err, errOtherServer), errors.Is(err, errWorkerLost):
		return true
	case code == "":
		return isLost(err)
	case d.engine.conflict(err):
		// Two transactions inserted the same key. A caller that knows that a retry
		// cannot help has turned the error into KindInvalid.
		return cohort.KindOf(err) != cohort.KindInvalid && d.engine.taken(err) == nil
	case code == "57014": // statement timeout: it would be as slow again
		return false
	case code == "53300", code == readOnly: // a standby may be about to be promoted
		return true
	case code == "0A000", code == "26000": // a plan prepared for another schema
		return true
	}
	class := code[:2]
	return lostWorker(err) != "" || class == "40" || class == "08" || class == "57"
}

// attempt runs fn in a transaction. If fn needed no result from the database, its
// statements are committed in one transaction with those of other callers.
func (d *postgresDB) attempt(ctx context.Context, begin []statement, fn func(*Tx) error) error {
	store := authorizationOf(ctx).store
	s := &postgresSession{db: d, store: store, place: d.placeOf(ctx, store), writes: true}
	s.begin = append(d.limitWorkers(begin, s.place), s.place.checks([]authorization{authorizationOf(ctx)})...)
	defer s.undo()
	tx := &Tx{ctx: ctx, lookups: ctx, session: s, engine: d.engine, ids: serverIDs{d}}
	err := fn(tx)
	if err == nil {
		err = tx.broken
	}
	if r, ok := tx.ids.(*replacedIDs); ok && err == nil {
		err = r.write(tx)
	}
	switch {
	case err != nil && s.conn == nil:
		return first(d.checkAuthorization(ctx, s), err)
	case err != nil:
		return err
	case s.conn == nil && len(s.queued)+len(tx.closing) > 0:
		err = d.insert(ctx, s.place, s.queued, tx)
	case s.conn != nil:
		s.queued = slices.Concat(s.queued, d.engine.closingStatements(tx.closing), d.recording(tx.changes))
		err = d.commit(ctx, s)
	}
	if err == nil {
		d.changed(tx.changes)
	}
	return err
}

// commit commits a session's transaction. If a connection is lost, also one to a worker, or
// the server warns about the commit, it finds out the outcome by the receipt.
func (d *postgresDB) commit(ctx context.Context, s *postgresSession) error {
	err := s.commit(ctx)
	if s.conn == nil || !s.conn.Conn().IsClosed() && !errors.Is(err, errWarned) && !errors.Is(err, errWorkerLost) {
		return err
	}
	r := s.receipt
	s.receipt = nil // settle gives it back
	s.undo()        // free the connection: settle needs one
	return d.settle(ctx, r, err)
}
