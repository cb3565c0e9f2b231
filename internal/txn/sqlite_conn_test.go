package txn

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// newConn returns a connection to an empty database.
func newConn(t *testing.T, write bool) *sqliteConn {
	t.Helper()
	d, _ := openSQLite(t)
	s, err := d.sqlite().connect(t.Context(), write)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*sqliteConn)
}

// one runs a query of one row.
func (c *sqliteConn) one(query string, args ...any) Row {
	r, err := c.query(context.Background(), query, args)
	return Row{r, err}
}

func TestStatementsAreReused(t *testing.T) {
	c := newConn(t, false)
	const query = "SELECT $2 || $1"
	var kept *sqliteStmt
	for i := range 3 {
		var got string
		if err := c.one(query, "x", fmt.Sprint(i)).Scan(&got); err != nil || got != fmt.Sprint(i, "x") {
			t.Errorf("got %q, error %v", got, err)
		}
		if kept != nil && c.statements[query] != kept {
			t.Error("the statement was prepared again")
		}
		kept = c.statements[query]
	}
}

// Lists with optional filters have more forms than a connection keeps statements.
func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	c := newConn(t, true)
	if _, err := c.exec(t.Context(), "CREATE TABLE numbers (n INTEGER)", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.exec(t.Context(), "PRAGMA synchronous = OFF", nil); err != nil { // for speed
		t.Fatal(err)
	}
	const different = 2*maxStatements + 50
	for i := range different {
		var got int
		if err := c.one(fmt.Sprintf("SELECT %d + $1", i), 1).Scan(&got); err != nil || got != i+1 {
			t.Fatalf("query %d: got %d, error %v", i, got, err)
		}
		if n, err := c.exec(t.Context(), fmt.Sprintf("INSERT INTO numbers VALUES ($1 + %d)", i), []any{0}); err != nil || n != 1 {
			t.Fatalf("insert %d: changed %d rows, error %v", i, n, err)
		}
		if len(c.statements) > maxStatements {
			t.Fatalf("%d statements are kept, want at most %d", len(c.statements), maxStatements)
		}
	}
	var n, sum int
	if err := c.one("SELECT count(*), sum(n) FROM numbers").Scan(&n, &sum); err != nil || n != different || sum != different*(different-1)/2 {
		t.Errorf("%d rows with the sum %d, error %v", n, sum, err)
	}
}

// Closing the kept statements during a transaction does not affect it.
func TestStatementsAreClosedInATransaction(t *testing.T) {
	t.Parallel()
	c := newConn(t, true)
	run := func(query string) {
		if _, err := c.exec(t.Context(), query, nil); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	run("CREATE TABLE numbers (n INTEGER)")
	run("BEGIN IMMEDIATE")
	run("SAVEPOINT request")
	run("INSERT INTO numbers VALUES (1)")
	for i := range maxStatements + 1 {
		run(fmt.Sprint("INSERT INTO numbers VALUES (", i, ")"))
	}
	run("ROLLBACK TO request")
	run("RELEASE request")
	run("COMMIT")
	n := -1
	if err := c.one("SELECT count(*) FROM numbers").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, error %v", n, err)
	}
}

func TestInvalidArguments(t *testing.T) {
	c := newConn(t, false)
	var got string
	for _, bad := range []any{struct{}{}, []string{"x"}, math.MaxUint64 - uint64(1)} {
		if err := c.one("SELECT $1 || $2", "a", bad).Scan(&got); err == nil || !strings.Contains(err.Error(), "$2") {
			t.Errorf("%T: got %q, error %v", bad, got, err)
		}
	}
	if err := c.one("SELECT $1 || $2", "a").Scan(&got); err == nil {
		t.Errorf("an argument is missing: got %q", got)
	}
	if err := c.one("SELECT $1 || $2", "a", word("b")).Scan(&got); err != nil || got != "ab" {
		t.Errorf("got %q, error %v", got, err)
	}
}
