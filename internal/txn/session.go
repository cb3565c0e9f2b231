package txn

import (
	"context"
	"database/sql"
	"slices"
)

// session is one connection of an engine. One goroutine uses it at a time.
//
// It replaces database/sql on the request path: it keeps prepared statements and
// needs no locks. docs/decisions/0029 has the measurements.
type session interface {
	// exec returns how many rows the statement changed.
	exec(ctx context.Context, query string, args []any) (int64, error)
	// query returns rows. The caller closes them before the next statement.
	query(ctx context.Context, query string, args []any) (Rows, error)
	close() error
}

// deferrer is a session that can queue a statement and send it with the next one.
type deferrer interface {
	later(order, query string, args []any)
	hasQueued() bool
	// forget drops the queued statements.
	forget()
}

// Rows is the result of a query. It is read like a sql.Rows.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Scanner is the part that Row and Rows share.
type Scanner interface{ Scan(dest ...any) error }

// ErrNoRows is the error of a query for one row that finds none.
var ErrNoRows = sql.ErrNoRows

// Row is the result of a query for one row.
type Row struct {
	rows Rows
	err  error
}

// Scan copies the row into dest and closes it. It returns ErrNoRows if there is no
// row.
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

// Collect returns every row, converted by scan, and closes the rows.
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

// Each converts each row by scan and calls fn with it, until fn returns false. It
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
