package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// prepared is the database that [Prepared] copies, made once per test binary.
var prepared struct {
	once     sync.Once
	err      error
	template string
	schema   string   // see schemaOf
	filled   []string // the tables with rows, quoted
	spares   spareNames
}

// Prepared returns the URL of a database as prepare leaves an empty one; it is
// gone when the test ends. prepare is called once per test binary, so all calls
// have to give the same function, and it must close its connections. The
// databases of other tests are copies.
func Prepared(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	if os.Getenv(serverVariable) != "" { // no test would remove a template from a server that stays
		url := URL(t)
		if err := prepare(url); err != nil {
			t.Fatalf("prepare a database: %v", err)
		}
		return url
	}
	admin := sharedServer(t)
	prepared.once.Do(func() { prepared.err = makePrepared(t, admin, prepare) })
	if prepared.err != nil {
		t.Fatalf("prepare a database: %v", prepared.err)
	}
	name := newName()
	if err := create(admin, name, &prepared.spares, "TEMPLATE "+prepared.template); err != nil {
		t.Fatalf("copy a database: %v", err)
	}
	url := withDatabase(t, admin, name)
	t.Cleanup(func() {
		if empty(url, name) == nil {
			prepared.spares.add(name)
		} else if err := drop(admin, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return url
}

func makePrepared(t testing.TB, admin string, prepare func(url string) error) error {
	t.Helper()
	name := newName()
	if err := create(admin, name, &spareNames{}, "TEMPLATE template0"); err != nil {
		return err
	}
	url := withDatabase(t, admin, name)
	if err := prepare(url); err != nil {
		return err
	}
	prepared.template = name
	return within(url, func(ctx context.Context, tx pgx.Tx) (err error) {
		if prepared.filled, err = collect(ctx, tx, tablesWithRows, nil); err != nil {
			return err
		}
		prepared.schema, err = schemaOf(ctx, tx)
		return err
	})
}

// within runs fn in a transaction on a connection of its own.
func within(url string, fn func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fn(ctx, tx) })
	return errors.Join(err, conn.Close(ctx))
}

func collect(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// ownTables is the condition of pg_class for the tables of the database's users.
const ownTables = `relkind IN ('r', 'p') AND relpersistence <> 't'
	AND relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'`

// tablesWithRows returns the tables with rows, quoted, except those in $1.
const tablesWithRows = `SELECT oid::regclass::text FROM pg_class WHERE ` + ownTables + `
	AND pg_relation_size(oid) > 0 AND oid::regclass::text <> ALL(coalesce($1::text[], '{}'))`

// lockTables ends the other connections and waits until what they were doing has
// ended too.
const lockTables = terminateOthers + `;
SET LOCAL lock_timeout = '20s';
DO $$
DECLARE name text;
BEGIN
	FOR name IN SELECT oid::regclass FROM pg_class WHERE ` + ownTables + ` ORDER BY oid LOOP
		EXECUTE 'LOCK TABLE ' || name;
	END LOOP;
END $$`

// largestTable is the size in bytes up to which rows are deleted. Deleted rows
// still take space, so the databases of many tests grow.
const largestTable = 1 << 20

// empty ends the other connections to a copy of the template, and deletes its
// rows. It returns an error if the copy differs from the template in anything
// else, or if it has become large.
func empty(url, name string) error {
	return within(url, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockTables); err != nil {
			return err
		}
		switch schema, err := schemaOf(ctx, tx); {
		case err != nil:
			return err
		case schema != prepared.schema:
			return errors.New("the test has changed the schema")
		}
		large, err := collect(ctx, tx, tablesWithRows+" AND pg_relation_size(oid) > $2", nil, largestTable)
		if err != nil || len(large) > 0 {
			return fmt.Errorf("large tables: %q, error: %w", large, err)
		}
		filled, err := collect(ctx, tx, tablesWithRows, prepared.filled)
		if err != nil {
			return err
		}
		// As on a replica, foreign keys are not checked: all rows go.
		statements := []string{"SET LOCAL session_replication_role = replica"}
		for _, table := range filled {
			statements = append(statements, "DELETE FROM "+table)
		}
		statements = append(statements, "ALTER DATABASE "+name+" RESET ALL", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
		_, err = tx.Exec(ctx, strings.Join(statements, ";"))
		return err
	})
}

// schemaOf returns a digest of the definitions in the database, and of the rows
// of the tables that have rows in the template.
func schemaOf(ctx context.Context, tx pgx.Tx) (string, error) {
	parts := []string{definitions}
	for _, table := range prepared.filled {
		parts = append(parts, "SELECT row::text FROM "+table+" AS row")
	}
	var digest string
	err := tx.QueryRow(ctx, "SELECT md5(string_agg(part, ',' ORDER BY part)) FROM ("+
		strings.Join(parts, " UNION ALL ")+") AS parts (part)").Scan(&digest)
	return digest, err
}

// definitions has a row for each catalog: how many definitions it has, and the last
// transaction that wrote one. A copy has the transactions of its template, and a later
// change has a higher one. Dropping a definition lowers the number.
const definitions = `
SELECT format('namespace %s %s', count(*), max(xmin::text::bigint)) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL SELECT format('class %s %s', count(*), max(xmin::text::bigint)) FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't'
UNION ALL SELECT format('attribute %s %s', count(*), max(a.xmin::text::bigint))
	FROM pg_attribute a JOIN pg_class ON pg_class.oid = attrelid WHERE attrelid >= 16384 AND relpersistence <> 't'
UNION ALL SELECT format('default %s %s', count(*), max(xmin::text::bigint)) FROM pg_attrdef
UNION ALL SELECT format('index %s %s', count(*), max(i.xmin::text::bigint)) FROM pg_index i
	JOIN pg_class ON pg_class.oid = indexrelid WHERE indexrelid >= 16384 AND relpersistence <> 't'
UNION ALL SELECT format('constraint %s %s', count(*), max(xmin::text::bigint)) FROM pg_constraint WHERE oid >= 16384
UNION ALL SELECT format('trigger %s %s', count(*), max(xmin::text::bigint)) FROM pg_trigger
UNION ALL SELECT format('function %s %s', count(*), max(xmin::text::bigint)) FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT format('event trigger %s %s', count(*), max(xmin::text::bigint)) FROM pg_event_trigger
UNION ALL SELECT format('extension %s %s', count(*), max(xmin::text::bigint)) FROM pg_extension`
