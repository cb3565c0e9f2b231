package txn

import (
	"context"
	"database/sql"
	"slices"
)

// session is one connection of an engine. It is used by one goroutine at a time.
//
// It stands below database/sql where an engine has a shorter way: a statement
// is prepared once and kept, and nothing is locked that nobody shares.
type session interface {
	// exec returns how many rows the statement changed.
	exec(ctx context.Context, query string, args []any) (int64, error)
	// query returns rows that have to be closed before the next statement.
	query(ctx context.Context, query string, args []any) (Rows, error)
	close() error
}

// deferrer is a session that can send a statement together with the next one.
type deferrer interface {
	later(query string, args []any)
}

// Rows is what a query returns, to be read as a sql.Rows is.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Scanner is what a row and rows share.
type Scanner interface{ Scan(dest ...any) error }

// ErrNoRows says that a query of one row has found none.
var ErrNoRows = sql.ErrNoRows

// Row is the only row of a query.
type Row struct {
	rows Rows
	err  error
}

// Scan copies the row into dest and closes it. It returns ErrNoRows when
// there is none.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// Collect scans every row with scan and closes the rows.
func Collect[T any](rows Rows, scan func(Scanner) (T, error)) ([]T, error) {
	var list []T
	err := Each(rows, scan, func(v T) bool {
		list = append(list, v)
		return true
	})
	if err != nil {
		return nil, err
	}
	return slices.Clip(list), nil
}

// Each scans row by row with scan and calls fn with each, until fn returns false. It
// closes the rows.
func Each[T any](rows Rows, scan func(Scanner) (T, error), fn func(T) (more bool)) error {
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return err
		}
		if !fn(v) {
			return rows.Close()
		}
	}
	return rows.Err()
}
