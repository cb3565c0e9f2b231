package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cohort.example/cohort"

	"github.com/pressly/goose/v3"
)

// engine is everything in which one database engine differs from another.
type engine struct {
	dialect goose.Dialect
	// prepare makes the database when it is missing, unless it has to be there,
	// and brings its schema up to date.
	prepare func(ctx context.Context, create bool) error
	// connect opens a connection: one to write with, or one that only reads.
	connect func(ctx context.Context, write bool) (session, error)
	// readers is how many connections for reading there may be.
	readers int
	// trouble says in a few words what a driver error means to a person, and ""
	// for one that is not the database's state but a mistake of ours.
	trouble func(error) string
	// conflict reports whether a driver error is a unique index refusing a row.
	conflict func(error) bool
	// orphan reports whether a driver error is a foreign key refusing a row.
	orphan func(error) bool
}

func engineFor(rawURL string) (*engine, error) {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok || path == "" {
		return nil, cohort.Invalid("db", fmt.Sprintf("%q is not a database URL; write sqlite:PATH, such as sqlite:cohort.db", rawURL))
	}
	return sqliteEngine(path)
}

// classify turns a driver error into a cohort.Error, once, on its way out of
// the package. Errors that are one already pass, and so does a context's.
func (e *engine) classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*cohort.Error](err); ok {
		return err
	}
	if errors.Is(err, errClosed) {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	if e.conflict(err) {
		return &cohort.Error{Kind: cohort.KindConflict, Err: err}
	}
	if e.orphan(err) {
		// What is missing is the store or the customer, deleted a moment ago.
		return &cohort.Error{Kind: cohort.KindNotFound, Err: err}
	}
	if e.trouble(err) != "" {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	return err
}

// openError is the one line that a person gets when the database at url cannot
// be opened.
func openError(rawURL string, err error, e *engine) error {
	why := e.trouble(err)
	if why == "" {
		why = err.Error()
	}
	return &cohort.Error{
		Kind:    cohort.KindUnavailable,
		Message: fmt.Sprintf("cannot open the database %s: %s", rawURL, why),
	}
}
