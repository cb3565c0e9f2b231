package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// patience is far longer than any operation here takes.
const patience = time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(within(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(within(t), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func queryOne[T any](t *testing.T, conn *pgx.Conn, sql string) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(within(t), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

const countTables = "SELECT count(*) FROM pg_class WHERE relname = 'things'"

func TestURLReturnsSeparateDatabases(t *testing.T) {
	t.Parallel()
	one, two := connect(t, pgtest.URL(t)), connect(t, pgtest.URL(t))
	run(t, one, "CREATE TABLE things (id int)")
	if n := queryOne[int](t, two, countTables); n != 0 {
		t.Error("a table of another database exists")
	}
	if n := queryOne[int](t, connect(t, pgtest.URL(t)), countTables); n != 0 {
		t.Error("a table of an older database exists")
	}
}

// A later test may get the same database. It sees nothing of the earlier test.
func TestURLIsGoneAfterTheTest(t *testing.T) {
	t.Parallel()
	var url, name string
	t.Run("test", func(t *testing.T) {
		url = pgtest.URL(t)
		conn, err := pgx.Connect(within(t), url)
		if err != nil {
			t.Fatal(err)
		}
		name = queryOne[string](t, conn, "SELECT current_database()")
		run(t, conn, "CREATE TABLE things (id int); CREATE SCHEMA other; CREATE TABLE other.things (id int)")
		run(t, conn, "ALTER DATABASE "+name+" SET statement_timeout = '1234s'")
		run(t, conn, "BEGIN; LOCK TABLE things") // its connection stays open
	})
	for range 10 { // more than other tests can have given back
		next := connect(t, pgtest.URL(t))
		if n := queryOne[int](t, next, countTables); n != 0 {
			t.Errorf("an empty database has %d tables", n)
		}
		if timeout := queryOne[string](t, next, "SHOW statement_timeout"); timeout != "0" {
			t.Errorf("a new database has a setting of an older one: %s", timeout)
		}
		run(t, next, "CREATE TABLE things (id int)")
	}
	_, err := pgx.Connect(within(t), url)
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "3D000" {
		t.Errorf("got %v, want error 3D000: no such database", err)
	}
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	conn, bystander := connect(t, url), connect(t, pgtest.URL(t))
	pgtest.Terminate(t, url)
	if _, err := conn.Exec(within(t), "SELECT 1"); err == nil {
		t.Error("the connection still works")
	}
	run(t, bystander, "SELECT 1")
}
