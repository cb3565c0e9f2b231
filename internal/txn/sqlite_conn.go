package txn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

func init() {
	// Queries use COLLATE "C" where order matters. PostgreSQL has that collation
	// built in; it compares by byte, as strings.Compare does.
	sqlite.MustRegisterCollationUtf8("C", strings.Compare)
}

// maxStatements bounds the prepared statements that a connection keeps. Lists with
// optional filters have many forms.
const maxStatements = 200

// sqliteConn is a session on SQLite.
type sqliteConn struct {
	conn       driver.Conn
	statements map[string]*sqliteStmt
	args       []driver.NamedValue // of the current statement
}

type sqliteStmt struct {
	driver.Stmt
	query driver.StmtQueryContext
	exec  driver.StmtExecContext
}

func (c *sqliteConn) exec(ctx context.Context, query string, args []any) (int64, error) {
	stmt, named, err := c.prepare(ctx, query, args)
	if err != nil {
		return 0, err
	}
	result, err := stmt.exec.ExecContext(ctx, named)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, query string, args []any) (Rows, error) {
	stmt, named, err := c.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	r, err := stmt.query.QueryContext(ctx, named)
	if err != nil {
		return nil, err
	}
	return &sqliteRows{ctx: ctx, rows: r, values: make([]driver.Value, len(r.Columns()))}, nil
}

// prepare returns the prepared statement for a query, and the arguments in the form
// of the driver. The arguments are valid until the next call.
func (c *sqliteConn) prepare(ctx context.Context, query string, args []any) (*sqliteStmt, []driver.NamedValue, error) {
	stmt, err := c.statement(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	c.args = c.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, nil, fmt.Errorf("argument $%d: %w", i+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return stmt, c.args, nil
}

func (c *sqliteConn) statement(ctx context.Context, query string) (*sqliteStmt, error) {
	if stmt, ok := c.statements[query]; ok {
		return stmt, nil
	}
	if len(c.statements) >= maxStatements {
		if err := c.forget(); err != nil {
			return nil, err
		}
	}
	prepared, err := c.conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt := &sqliteStmt{prepared, prepared.(driver.StmtQueryContext), prepared.(driver.StmtExecContext)}
	c.statements[query] = stmt
	return stmt, nil
}

// forget closes all prepared statements.
func (c *sqliteConn) forget() (err error) {
	for _, stmt := range c.statements {
		err = errors.Join(err, stmt.Close())
	}
	clear(c.statements)
	return err
}

func (c *sqliteConn) close() error { return errors.Join(c.forget(), c.conn.Close()) }

// sqliteRows adapts the rows of the driver.
type sqliteRows struct {
	ctx    context.Context
	rows   driver.Rows
	values []driver.Value
	err    error
	closed bool
}

func (r *sqliteRows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	err := r.ctx.Err() // the driver stops checking ctx at the first row
	if err == nil {
		err = r.rows.Next(r.values)
	}
	if err == nil {
		return true
	}
	if !errors.Is(err, io.EOF) {
		r.err = err
	}
	// Reset the statement: it would hold its snapshot otherwise.
	r.err = errors.Join(r.err, r.Close())
	return false
}

func (r *sqliteRows) Err() error { return r.err }

func (r *sqliteRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return r.rows.Close()
}

func (r *sqliteRows) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("%d columns for %d destinations", len(r.values), len(dest))
	}
	for i, d := range dest {
		if !assign(d, r.values[i]) {
			return fmt.Errorf("column %d: %T does not go into %T", i+1, r.values[i], d)
		}
	}
	return nil
}

// assign copies a value of the driver to where dest points. SQLite stores booleans
// as integers.
func assign(dest any, value driver.Value) (ok bool) {
	switch d := dest.(type) {
	case *string:
		if n, isInt := value.(int64); isInt { // as database/sql does
			*d = strconv.FormatInt(n, 10)
			return true
		}
		*d, ok = value.(string)
		return ok
	case *int64:
		*d, ok = value.(int64)
		return ok
	case *bool:
		n, ok := value.(int64)
		*d = n != 0
		return ok
	}
	at := reflect.ValueOf(dest).Elem()
	switch v := value.(type) {
	case string:
		if at.Kind() == reflect.String {
			at.SetString(v)
			return true
		}
	case int64:
		if at.CanInt() && !at.OverflowInt(v) {
			at.SetInt(v)
			return true
		}
	}
	return false
}
