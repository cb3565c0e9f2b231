package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// citusVariable names an environment variable: the folder of the programs of a
// PostgreSQL in which Citus is installed, such as /usr/lib/postgresql/15/bin. Tests on
// Citus run only if it is set.
const citusVariable = "COHORT_TEST_CITUS"

// citusSuffix ends the name of the folder of a run whose servers are those of Citus.
const citusSuffix = "-citus"

// citusNodes is how many servers there are: the coordinator, which is the first, and
// its workers.
const citusNodes = 3

// citusSettings are the settings of each server, besides those of every shared server.
var citusSettings = []string{
	"shared_preload_libraries=citus",
	"max_prepared_transactions=300",
	"max_worker_processes=64", // Citus has a process for each database
	"citus.node_conninfo=sslmode=prefer",
	"citus.enable_statistics_collection=off",
}

// citusPrograms returns the folder that citusVariable names.
func citusPrograms() (string, error) {
	folder := os.Getenv(citusVariable)
	if !isProgram(filepath.Join(folder, "postgres")) || !isProgram(filepath.Join(folder, "initdb")) {
		return "", fmt.Errorf("%s=%q is not a folder with the programs of a PostgreSQL server", citusVariable, folder)
	}
	return folder, nil
}

// HasCitus reports whether tests run on Citus.
func HasCitus() bool { return os.Getenv(citusVariable) != "" }

// RequireCitus skips a test where there is no Citus. Citus is optional in CI too.
func RequireCitus(t testing.TB) {
	t.Helper()
	if !HasCitus() {
		t.Skipf("needs Citus: set %s to the folder of the programs of a PostgreSQL with Citus", citusVariable)
	}
}

func sharedCitus(t testing.TB) *run {
	t.Helper()
	RequireCitus(t)
	r, err := thisCitusRun()
	if err != nil {
		t.Fatalf("start Citus for the tests: %v", err)
	}
	return r
}

// CitusURL returns the URL, at the coordinator, of an empty database of a coordinator
// with two workers. It is gone when the test ends.
func CitusURL(t testing.TB) string {
	t.Helper()
	r := sharedCitus(t)
	name := newName()
	if err := makeCitus(r, name); err != nil {
		t.Fatalf("create a database on Citus: %v", err)
	}
	t.Cleanup(func() { dropCitus(t, r, name) })
	return withDatabase(t, r.url(), name)
}

// CitusNodeURLs returns the URLs of the same database at the coordinator and at each
// worker.
func CitusNodeURLs(t testing.TB, url string) []string {
	t.Helper()
	r := sharedCitus(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for node := range citusNodes {
		urls = append(urls, withDatabase(t, r.nodeURL(node), config.Database))
	}
	return urls
}

// onNodes runs a statement in a database of every node, at the same time.
func onNodes(r *run, database, sql string) error {
	errs := make([]error, citusNodes)
	var nodes sync.WaitGroup
	for node := range citusNodes {
		nodes.Go(func() { errs[node] = execute(withPath(r.nodeURL(node), database), sql) })
	}
	nodes.Wait()
	return errors.Join(errs...)
}

// withPath replaces the database of the URL of a shared server, whose form is known.
func withPath(url, database string) string {
	return strings.Replace(url, "/postgres?", "/"+database+"?", 1)
}

// makeCitus makes a database on every node and connects the nodes.
func makeCitus(r *run, name string) error {
	if err := onNodes(r, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := onNodes(r, name, "CREATE EXTENSION citus"); err != nil {
		return err
	}
	// Each database tells the workers of the users, which are the same for all databases. Two
	// cannot do that at the same time.
	return within(r.url(), func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(1)"); err != nil {
			return err
		}
		return execute(withPath(r.url(), name), joinNodes(r.path("socket"), firstPort))
	})
}

// joinNodes returns the statements that make a coordinator of the server on the first
// port, and workers of those on the next ports.
func joinNodes(host string, first int) string {
	sql := fmt.Sprintf("SELECT citus_set_coordinator_host('%s', %d)", host, first)
	for node := 1; node < citusNodes; node++ {
		sql += fmt.Sprintf("; SELECT citus_add_node('%s', %d)", host, first+node)
	}
	return sql
}

func dropCitus(t testing.TB, r *run, name string) {
	t.Helper()
	// The servers end their connections to each other after those of the test, so the first
	// attempt may find some that do not end at once.
	const inUse = "55006"
	for deadline := time.Now().Add(patience); ; {
		err := onNodes(r, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		if err == nil {
			return
		}
		if failure, ok := errors.AsType[*pgconn.PgError](err); !ok || failure.Code != inUse || time.Now().After(deadline) {
			t.Errorf("drop the test's database: %v", err)
			return
		}
	}
}

// preparedCitus is the database that [PreparedCitus] copies, made once per test binary.
var preparedCitus struct {
	once     sync.Once
	err      error
	template string
}

// PreparedCitus is [Prepared] on Citus: the URL, at the coordinator, of a database as
// prepare leaves an empty one.
func PreparedCitus(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	r := sharedCitus(t)
	preparedCitus.once.Do(func() {
		preparedCitus.template = newName()
		preparedCitus.err = makePreparedCitus(r, preparedCitus.template, prepare)
	})
	if preparedCitus.err != nil {
		t.Fatalf("prepare a database on Citus: %v", preparedCitus.err)
	}
	name := newName()
	// The copies of the nodes know each other by the name of the database, which is the same
	// on each. A copy of the files takes less than half the time of one through the log.
	if err := onNodes(r, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+preparedCitus.template+" STRATEGY file_copy"); err != nil {
		t.Fatalf("copy a database on Citus: %v", err)
	}
	t.Cleanup(func() { dropCitus(t, r, name) })
	return withDatabase(t, r.url(), name)
}

func makePreparedCitus(r *run, name string, prepare func(url string) error) error {
	if err := makeCitus(r, name); err != nil {
		return err
	}
	if err := prepare(withPath(r.url(), name)); err != nil {
		return err
	}
	// PostgreSQL does not copy a database that has connections. Those of Citus itself would come back.
	if err := onNodes(r, "postgres", "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false"); err != nil {
		return err
	}
	for node := range citusNodes {
		if err := awaitUnused(r.nodeURL(node), name); err != nil {
			return err
		}
	}
	return nil
}

// awaitUnused ends the connections to a database and waits until there are none.
func awaitUnused(server, name string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var left int
		err := within(server, func(ctx context.Context, tx pgx.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name).Scan(&left)
		})
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d connections to %s do not end", left, name)
		}
	}
}
