package db

import (
	"context"
	"database/sql"
)

// session is one connection of an engine. It is used by one goroutine at a time.
//
// It stands below database/sql where an engine has a shorter way: a statement
// is prepared once and kept, and nothing is locked that nobody shares.
type session interface {
	// exec returns how many rows the statement changed.
	exec(ctx context.Context, query string, args []any) (int64, error)
	// query returns rows that have to be closed before the next statement.
	query(ctx context.Context, query string, args []any) (rows, error)
	close() error
}

// deferrer is a session that can send a statement together with the next one.
type deferrer interface {
	later(query string, args []any)
}

// rows is what a query returns, to be read as a sql.Rows is.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// scanner is what a row and rows share.
type scanner interface{ Scan(dest ...any) error }

// row is the only row of a query.
type row struct {
	rows rows
	err  error
}

// Scan copies the row into dest and closes it. It returns sql.ErrNoRows when
// there is none.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// collect scans every row with scan and closes the rows.
func collect[T any](rows rows, scan func(scanner) (T, error)) ([]T, error) {
	return all(func(fn func(T) bool) error { return each(rows, scan, fn) })
}

// each scans row by row with scan and calls fn with each, until fn returns false. It
// closes the rows.
func each[T any](rows rows, scan func(scanner) (T, error), fn func(T) (more bool)) error {
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
