package txn

import (
	"context"
)

// Tx is a transaction. It carries its own context because the caller's may end
// while work of other callers shares the transaction.
type Tx struct {
	ctx     context.Context
	lookups context.Context // of lookup
	session session
	engine  *engine
	changes []Change
	ids     idGiver // nil where nothing is written
	trace   func(query string)
	// broken is the first error that says that the database is in trouble.
	// SQLite may by itself have undone the whole transaction then, and a later
	// statement would be one of its own.
	broken error
}

// SQL returns the fragments of SQL in which the engines differ.
func (t *Tx) SQL() *SQL { return &t.engine.SQL }

// Trace calls fn with each query from now on, before it runs.
func (t *Tx) Trace(fn func(query string)) { t.trace = fn }

// QueryRow runs a query of one row.
func (t *Tx) QueryRow(query string, args ...any) Row {
	rows, err := t.Query(query, args...)
	return Row{rows, err}
}

// Lookup is QueryRow for a row that is found by its key. It is over before
// anybody could want to stop it, and to stop it, or only to listen for that,
// costs more than it does.
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
		t.trace(query)
	}
	rows, err := t.session.query(ctx, query, args)
	if err != nil {
		return nil, t.failed(err)
	}
	return rows, nil
}

// Exec returns how many rows the statement changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	n, err := t.session.exec(t.ctx, query, args)
	if err != nil {
		return 0, t.failed(err)
	}
	return n, nil
}

// Later runs a statement that changes what it has to change, or fails. Where
// that saves a trip to the server it is sent with the next statement or with the
// commit, and only then does an error show: at the latest Update returns it.
func (t *Tx) Later(query string, args ...any) error {
	if d, ok := t.session.(deferrer); ok && t.broken == nil {
		d.later(query, args)
		return nil
	}
	_, err := t.Exec(query, args...)
	return err
}

// Note keeps what a statement has changed for those who watch, unless it failed.
func (t *Tx) Note(err error, c Change) error {
	if err == nil {
		t.changes = append(t.changes, c)
	}
	return err
}

// failed classifies a statement's error at once, so that who writes can tell a
// conflict from other trouble.
func (t *Tx) failed(err error) error {
	if t.engine.trouble(err) != "" {
		t.broken = t.engine.classify(err)
		return t.broken
	}
	return t.engine.classify(err)
}
