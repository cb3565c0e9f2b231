package txn

import (
	"context"
	"errors"
)

type joinKey struct{}

// Join returns a context with which Update, View and their long forms run their functions
// in this transaction, as long as it lasts, and neither commit nor check an
// authorization. An Update that fails undoes only what it has written.
//
// It is for several calls that must be one transaction. They must not run at the same
// time, and must not wait for other updates: on SQLite those wait for this one.
func (t *Tx) Join(ctx context.Context) context.Context {
	return context.WithValue(ctx, joinKey{}, t)
}

// Joined reports whether calls with a context are part of a running transaction. What
// they read may never be committed, so no cache may keep it.
func Joined(ctx context.Context) bool { return ctx.Value(joinKey{}) != nil }

// joined returns the transaction on this database that a context is part of, or nil.
func (db *DB) joined(ctx context.Context) *Tx {
	t, _ := ctx.Value(joinKey{}).(*Tx)
	if t == nil || t.engine != db.engine {
		return nil
	}
	return t
}

// nested runs fn in a savepoint.
func (t *Tx) nested(fn func(*Tx) error) error {
	if _, err := t.Exec("SAVEPOINT part"); err != nil {
		return err
	}
	changes, closing, from := len(t.changes), len(t.closing), t.closingFrom
	t.closingFrom = closing
	err := fn(t)
	t.closingFrom = from
	if err == nil {
		_, err = t.Exec("RELEASE SAVEPOINT part")
	}
	if err == nil {
		return nil
	}
	err = t.engine.classify(err)
	t.changes, t.closing = t.changes[:changes], t.closing[:closing]
	if t.broken != nil {
		return err
	}
	t.forgetQueued()
	_, undo := t.Exec("ROLLBACK TO SAVEPOINT part")
	if undo == nil {
		_, undo = t.Exec("RELEASE SAVEPOINT part")
	}
	return errors.Join(err, undo)
}

// forgetQueued drops the statements that Later has not sent.
func (t *Tx) forgetQueued() {
	if d, ok := t.session.(deferrer); ok {
		d.forget()
	}
}
