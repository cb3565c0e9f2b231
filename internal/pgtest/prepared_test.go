package pgtest_test

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepare makes the tables that the tests below expect.
func prepare(url string) error {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), `
		CREATE TABLE versions (id int); INSERT INTO versions VALUES (7);
		CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE things (owner int REFERENCES owners)`)
	return errors.Join(err, conn.Close(context.Background()))
}

func TestPreparedCopiesTheTemplate(t *testing.T) {
	t.Parallel()
	for range 3 {
		conn := connect(t, pgtest.Prepared(t, prepare))
		wantAsPrepared(t, conn)
		run(t, conn, "INSERT INTO owners VALUES (1); INSERT INTO things VALUES (1)")
	}
}

func wantAsPrepared(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for query, want := range map[string]string{
		"SELECT string_agg(id::text, ',') FROM versions": "7",
		"SELECT count(*)::text FROM owners":              "0",
		"SELECT count(*)::text FROM things":              "0",
		"SHOW statement_timeout":                         "0",
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace": "owners owners_pkey things versions",
		"SELECT count(*)::text FROM pg_trigger WHERE NOT tgisinternal":                                               "0",
		"SELECT count(*)::text FROM pg_largeobject_metadata":                                                         "0",
	} {
		if got := queryOne[string](t, conn, query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	_, err := conn.Exec(within(t), "INSERT INTO things VALUES (1)")
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "23503" {
		t.Errorf("got %v, want a violated foreign key", err)
	}
}

// A later test may get the same database. It sees no change of the earlier test, and the
// earlier URL is not valid any more.
func TestPreparedIsGoneAfterTheTest(t *testing.T) {
	t.Parallel()
	step := testenv.Times(1, 3) // a part of the changes in the short form
	for i, change := range []string{
		"INSERT INTO owners VALUES (1); INSERT INTO things VALUES (1)",
		"INSERT INTO owners SELECT generate_series(1, 50000)",
		"INSERT INTO versions VALUES (8)",
		"UPDATE versions SET id = 8",
		"DELETE FROM versions",
		"DROP TABLE things",
		"DROP TABLE things; CREATE TABLE things (owner int)",
		"CREATE TABLE others (id int); INSERT INTO others VALUES (1)",
		"CREATE TEMPORARY TABLE others (id int)",
		"ALTER TABLE things DROP COLUMN owner, ADD COLUMN name text",
		"ALTER TABLE things ALTER COLUMN owner SET DEFAULT 3",
		"CREATE UNIQUE INDEX one ON things (owner)",
		"ALTER TABLE things DISABLE TRIGGER ALL",
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER t BEFORE INSERT ON things EXECUTE FUNCTION f()",
		"SELECT lo_create(0)",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 1234', current_database()); END $$",
	} {
		if i%step != 0 {
			continue
		}
		t.Run(change, func(t *testing.T) {
			var url string
			t.Run("test", func(t *testing.T) {
				url = pgtest.Prepared(t, prepare)
				conn := connect(t, url)
				run(t, conn, change)
				run(t, conn, "BEGIN; INSERT INTO owners VALUES (100000)") // its connection stays open
			})
			for range max(1, pgtest.PreparedSpares()) { // one of them is the same, if it was kept
				wantAsPrepared(t, connect(t, pgtest.Prepared(t, prepare)))
			}
			_, err := pgx.Connect(within(t), url)
			if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "3D000" {
				t.Errorf("got %v, want error 3D000: no such database", err)
			}
		})
	}
}
