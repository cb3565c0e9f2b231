package txn

import (
	"context"
)

// Tx is a transaction. It has a context of its own, because the transaction may
// contain the work of several callers and must outlive the context of each.
type Tx struct {
	ctx     context.Context
	lookups context.Context // for Lookup
	session session
	engine  *engine
	changes []Change
	ids     idSource // nil in a read-only transaction
	trace   func(query string, args []any)
	// closing are the rows of InsertAtEnd; those of the current update begin at closingFrom.
	closing     []closingRow
	closingFrom int
	// broken is the first error that means that the database is in trouble. SQLite
	// may have rolled the whole transaction back by then, and a later statement would
	// run outside a transaction.
	broken error
}

// SQL returns the fragments of SQL in which the engines differ.
func (t *Tx) SQL() *SQL { return &t.engine.SQL }

// Trace calls fn with each statement from now on, before it runs.
func (t *Tx) Trace(fn func(query string, args []any)) { t.trace = fn }

// QueryRow runs a query of one row.
func (t *Tx) QueryRow(query string, args ...any) Row {
	rows, err := t.Query(query, args...)
	return Row{rows, err}
}

// Lookup is QueryRow for a lookup by key. It ignores cancellation: the query takes
// microseconds, and watching a context costs more than the query.
func (t *Tx) Lookup(query string, args ...any) Row {
	rows, err := t.queryUntil(t.lookups, query, args)
	return Row{rows, err}
}

// Query runs a query. The rows have to be closed before the next statement.
func (t *Tx) Query(query string, args ...any) (Rows, error) {
	return t.queryUntil(t.ctx, query, args)
}

func (t *Tx) queryUntil(ctx context.Context, query string, args []any) (Rows, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	if t.trace != nil {
		t.trace(query, args)
	}
	rows, err := t.session.query(ctx, query, args)
	if err != nil {
		return nil, t.failed(err)
	}
	return rows, nil
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	if t.trace != nil {
		t.trace(query, args)
	}
	n, err := t.session.exec(t.ctx, query, args)
	if err != nil {
		return 0, t.failed(err)
	}
	return n, nil
}

// Later runs a statement whose result the caller does not need. On PostgreSQL it is
// sent with the next statement or with the commit, which saves a round trip. Its
// error shows then, at the latest as the error of Update.
func (t *Tx) Later(query string, args ...any) error {
	return t.LaterInOrder("", query, args...)
}

// LaterInOrder is Later for a statement that inserts a unique key which another
// transaction may insert too. order is that key, in a form that sorts. Updates that
// share a transaction run in this order, so that two such transactions wait for each
// other's keys in one direction only and do not deadlock.
func (t *Tx) LaterInOrder(order, query string, args ...any) error {
	if d, ok := t.session.(deferrer); ok && t.broken == nil {
		if t.trace != nil {
			t.trace(query, args)
		}
		d.later(order, query, args)
		return nil
	}
	_, err := t.Exec(query, args...)
	return err
}

// Await waits for the statements that Later has not sent yet. A caller that depends on
// their locks calls it before it allocates an id, which is done on another connection.
func (t *Tx) Await() error {
	if d, ok := t.session.(deferrer); !ok || !d.hasQueued() {
		return nil
	}
	_, err := t.Exec("SELECT 1")
	return err
}

// Note adds a change for the watchers, unless the statement failed with err. It
// returns err.
func (t *Tx) Note(err error, c Change) error {
	if err == nil {
		t.changes = append(t.changes, c)
	}
	return err
}

// failed classifies the error of a statement, so that the caller can tell a conflict
// from other errors.
func (t *Tx) failed(err error) error {
	if t.engine.trouble(err) != "" {
		t.broken = t.engine.classify(err)
		return t.broken
	}
	return t.engine.classify(err)
}
