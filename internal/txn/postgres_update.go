package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"cohort.example/cohort"
)

// How long an update or a view is tried again when others stood in its way, or
// when the server went away. Most callers do not notice that it is restarted.
const (
	patience   = 4 * time.Second
	firstPause = 5 * time.Millisecond
	maxPause   = 250 * time.Millisecond
)

// maxConflicts is how often a unique index may refuse what an attempt had found
// free. The next attempt finds it taken, unless that is not looked at.
const maxConflicts = 3

// attemptTimeout bounds one attempt, for a server that takes what it is sent and
// does not answer. The server's own limits are shorter.
const attemptTimeout = 15 * time.Second

// beginUpdate begins a transaction that sees in each statement what is committed
// by then. What it must not miss it locks, or a unique index guards it. That it
// writes is left unsaid: a standby would refuse it like something it does not know.
const beginUpdate = "BEGIN ISOLATION LEVEL READ COMMITTED"

// readOnly is the code of an error that a standby answers a write with.
const readOnly = "25006"

// beginView begins one that sees one moment.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

func (d *postgresDB) update(ctx context.Context, fn func(*Tx) error) error {
	return d.persist(ctx, func() error {
		// An attempt goes on when its caller leaves, which is sooner over than to
		// cut it off, but not for ever.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
		defer cancel()
		return d.attempt(bounded, begun(ctx, []statement{{query: beginUpdate}}), fn)
	})
}

// view runs fn in a transaction that only reads.
func (d *postgresDB) view(ctx context.Context, fn func(*Tx) error) error {
	return d.persist(ctx, func() error {
		lookups, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
		defer cancel()
		queries, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		return d.look(queries, lookups, []statement{{query: beginView}}, fn)
	})
}

func (d *postgresDB) look(queries, lookups context.Context, begin []statement, fn func(*Tx) error) error {
	s := &postgresSession{db: d, begin: begin}
	defer s.end("COMMIT")
	err := fn(&Tx{ctx: queries, lookups: lookups, session: s, engine: d.engine})
	if err == nil && len(s.queued) > 0 {
		return errViewWrites // which the server is not asked to do
	}
	return err
}

var errViewWrites = errors.New("a view has something to write")

// forLong lifts the limits of time for a transaction.
func forLong(begin string) []statement {
	return []statement{
		{query: begin},
		{query: "SET LOCAL statement_timeout = 0"},
		{query: "SET LOCAL idle_in_transaction_session_timeout = 0"},
	}
}

func (d *postgresDB) updateLong(ctx context.Context, fn func(*Tx) error) error {
	return d.engine.classify(d.attempt(ctx, begun(ctx, forLong(beginUpdate)), fn))
}

func (d *postgresDB) viewLong(ctx context.Context, fn func(*Tx) error) error {
	return d.engine.classify(d.look(ctx, ctx, forLong(beginView), fn))
}

// persist calls attempt until it succeeds, fails for good or takes too long.
func (d *postgresDB) persist(ctx context.Context, attempt func() error) error {
	begun, pause, conflicts := time.Now(), firstPause, 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := attempt()
		if d.engine.conflict(err) {
			conflicts++
		}
		if ctx.Err() != nil && isLost(err) && !errors.Is(err, errUnknown) {
			return ctx.Err() // which is what has cut the connection, or may have been
		}
		if err == nil || ctx.Err() != nil || !d.passes(err) || time.Since(begun) > patience || conflicts > maxConflicts {
			return d.engine.classify(err)
		}
		d.repeated.Add(1)
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

// resetEvery keeps many who lose their connections at once from throwing away
// what one of them has opened since.
const resetEvery = 200 * time.Millisecond

// reset closes the connections that nobody uses. After a loss they are as old as
// the one that was lost, and may lead to a server that is not the one to write to
// any more.
func (d *postgresDB) reset() {
	now := time.Now().UnixMilli()
	last := d.lastReset.Load()
	if now-last < resetEvery.Milliseconds() || !d.lastReset.CompareAndSwap(last, now) {
		return
	}
	d.pool.Reset()
	d.ids.pool.Reset()
}

// passes reports whether an attempt that failed has left nothing behind and may
// succeed a moment later.
func (d *postgresDB) passes(err error) bool {
	if errors.Is(err, errUnknown) || errors.Is(err, errBusy) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	code := postgresCode(err)
	switch {
	case code == "":
		return isLost(err)
	case d.engine.conflict(err):
		// Two took what both had found free. Who knows that no second try helps
		// has made an error of its own of it.
		return cohort.KindOf(err) != cohort.KindInvalid
	case code == "57014": // the limit of statements: it would only be as slow again
		return false
	case code == "53300", code == readOnly: // a standby may be about to be promoted
		return true
	case code == "0A000", code == "26000": // a plan that was made for another schema
		return true
	}
	class := code[:2]
	return class == "40" || class == "08" || class == "57"
}

// attempt runs fn in a transaction of its own. If fn did not need to know what
// the database says, its statements share a transaction with others'.
func (d *postgresDB) attempt(ctx context.Context, begin []statement, fn func(*Tx) error) error {
	s := &postgresSession{db: d, begin: begin, store: ticketOf(ctx).store, writes: true}
	defer s.undo()
	tx := &Tx{ctx: ctx, lookups: ctx, session: s, engine: d.engine, ids: d.ids}
	err := fn(tx)
	if err == nil {
		err = tx.broken
	}
	switch {
	case err != nil && s.conn == nil:
		return first(d.checkTicket(ctx, s), err)
	case err != nil:
		return err
	case s.conn == nil && len(s.queued) > 0:
		err = d.insert(ctx, s.queued)
	case s.conn != nil:
		err = d.commit(ctx, s)
	}
	if err == nil {
		d.changed(tx.changes)
	}
	return err
}

// commit commits a session's transaction. If the connection is lost meanwhile, or
// the server is not sure, the receipt says how it went.
func (d *postgresDB) commit(ctx context.Context, s *postgresSession) error {
	err := s.commit(ctx)
	if s.conn == nil || !s.conn.Conn().IsClosed() && !errors.Is(err, errWarned) {
		return err
	}
	r := s.receipt
	s.receipt = nil // who settles it gives it back
	s.undo()        // the connection may be the last that can be had
	return d.settle(ctx, r, err)
}
