// Package dbtest runs tests on real databases that have Cohort's tables and no
// rows, on one engine after another.
package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// engine is a database engine that tests run on. Its functions return the URL of
// a database that is deleted when the test ends.
type engine struct {
	name     string
	migrated func(testing.TB) string // has Cohort's tables, without rows
	empty    func(testing.TB) string // has no tables
}

var engines = []engine{
	{"sqlite", MigratedSQLiteURL, SQLiteURL},
	{"postgres", MigratedPostgresURL, pgtest.URL},
}

// citus is a third engine where Citus is installed.
var citus = engine{"citus", MigratedCitusURL, pgtest.CitusURL}

// withCitus returns the engines, and Citus where it is installed.
func withCitus(some []engine) []engine {
	if !pgtest.HasCitus() {
		return some
	}
	return append(slices.Clone(some), citus)
}

// migrate creates Cohort's tables in the database at url.
func migrate(url string) error {
	d, err := db.Open(context.Background(), url)
	if err != nil {
		return err
	}
	return d.Close()
}

// SQLiteURL returns the URL of a SQLite database whose file does not exist yet,
// for tests of the file. The file is deleted when the test ends.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + sqlitePath(t)
}

func sqlitePath(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp(testenv.MemoryFolder(), "cohort-dbtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("remove the database: %v", err)
		}
	})
	return filepath.Join(folder, "cohort.db")
}

// migratedSQLite is a SQLite file with Cohort's tables. Copying it takes much
// less time than running every migration.
var migratedSQLite = sync.OnceValues(func() (content []byte, err error) {
	folder, err := os.MkdirTemp(testenv.MemoryFolder(), "cohort-dbtest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "cohort.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// MigratedSQLiteURL returns the URL of a SQLite database with Cohort's tables and
// without rows. The file is gone when the test ends.
func MigratedSQLiteURL(t testing.TB) string {
	t.Helper()
	content, err := migratedSQLite()
	if err != nil {
		t.Fatalf("create the database to copy: %v", err)
	}
	path := sqlitePath(t)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// MigratedPostgresURL returns the URL of a PostgreSQL database with Cohort's tables
// and without rows. It is gone when the test ends.
func MigratedPostgresURL(t testing.TB) string {
	t.Helper()
	return pgtest.Prepared(t, migrate)
}

// MigratedCitusURL returns the URL, at the coordinator, of a database with Cohort's tables
// and without rows that is distributed over two workers of Citus. It is gone when the test
// ends.
func MigratedCitusURL(t testing.TB) string {
	t.Helper()
	return pgtest.PreparedCitus(t, Distribute)
}

// citusShards is how many shards the tables of tests have: both workers get two.
const citusShards = 4

// Distribute distributes the database at the URL of a coordinator of Citus.
func Distribute(url string) error {
	_, err := db.Distribute(context.Background(), url, db.DistributeOptions{Shards: citusShards})
	return err
}

// SQLite opens a SQLite database without rows, for tests that need only SQLite.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, MigratedSQLiteURL(t))
}

// EveryEngineWithRace makes Each and its like use every engine in runs with the race detector
// too. The package that speaks to the engines sets it before its tests begin. Above it the same
// code runs on every engine, and PostgreSQL takes most of the time.
var EveryEngineWithRace bool

// usual returns the engines of most tests.
func usual() []engine {
	if testenv.Race && !EveryEngineWithRace {
		return engines[:1]
	}
	return engines
}

// Each runs fn on a database of every engine, without rows, as subtests in
// parallel. With the race detector it may leave out PostgreSQL: see EveryEngineWithRace.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { fn(t, Open(t, url)) })
}

// EachLogic is Each for tests of code above the database whose queries other tests
// run on every engine. The short form of the tests runs them on SQLite only.
func EachLogic(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachLogicURL(t, func(t *testing.T, url string) { fn(t, Open(t, url)) })
}

// EachLogicURL is EachLogic for tests that open the database themselves.
func EachLogicURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	each(t, withCitus(testenv.Times(usual(), engines[:1])), func(t *testing.T, e engine) { fn(t, e.migrated(t)) })
}

// EachURL is Each for tests that open the database themselves.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	each(t, withCitus(usual()), func(t *testing.T, e engine) { fn(t, e.migrated(t)) })
}

// EachEmptyURL is EachURL for tests of how Cohort creates its tables: the database
// has none, and the SQLite file does not exist.
func EachEmptyURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	each(t, engines, func(t *testing.T, e engine) { fn(t, e.empty(t)) })
}

func each(t *testing.T, on []engine, fn func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range on {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			fn(t, e)
		})
	}
}

// OnStatement is called with each statement on databases of Open. A package may set it before
// its tests begin.
var OnStatement func(query string, args []any)

// Open opens the database at url and closes it when the test ends.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	if OnStatement != nil {
		d.TraceStatements(OnStatement)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return d
}
