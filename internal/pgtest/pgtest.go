// Package pgtest gives tests a real PostgreSQL: a database of a server that the
// whole test run shares ([URL], [Prepared]); servers of their own that a test
// can stop, kill, pause, restart and replicate ([Start]); and a proxy that cuts
// connections at a chosen moment ([NewProxy]).
//
// It finds the server's programs, and starts them as another user when the
// tests run as root. Without PostgreSQL, tests are skipped, or fail with
// CI=true. Every process it starts ends a few seconds after the tests at the
// latest, even if the tests are killed.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"

	"github.com/jackc/pgx/v5"
)

// serverVariable names an environment variable: the URL of a server to use
// instead of starting one. Its user must be allowed to create databases.
const serverVariable = "COHORT_TEST_POSTGRES"

// patience is the longest wait for a server. It is far longer than any
// operation takes, because test machines are sometimes overloaded.
const patience = time.Minute

// Terminate ends every other connection to the database at url, as an operator
// or a failover does.
func Terminate(t testing.TB, url string) {
	t.Helper()
	err := execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
		" WHERE datname = current_database() AND pid <> pg_backend_pid()")
	if err != nil {
		t.Fatalf("end the connections: %v", err)
	}
}

// Execute runs a statement on the database at url.
func Execute(t testing.TB, url, sql string) {
	t.Helper()
	if err := execute(url, sql); err != nil {
		t.Fatal(err)
	}
}

// sharedServer returns the URL of the server that tests share.
func sharedServer(t testing.TB) string {
	t.Helper()
	if server := os.Getenv(serverVariable); server != "" {
		return server
	}
	requirePrograms(t)
	r, err := thisRun()
	if err != nil {
		t.Fatalf("start PostgreSQL for the tests: %v", err)
	}
	return r.url()
}

// requirePrograms skips a test that needs a PostgreSQL server where there is
// none.
func requirePrograms(t testing.TB) {
	t.Helper()
	if _, err := programs(); err != nil {
		testenv.Need(t, "PostgreSQL", notInstalled(err))
	}
}

// Missing returns why tests cannot run on PostgreSQL, "" if they can.
func Missing() string {
	if os.Getenv(serverVariable) != "" {
		return ""
	}
	if _, err := programs(); err != nil {
		return notInstalled(err)
	}
	return ""
}

func notInstalled(err error) string {
	return fmt.Sprintf("%v; install the server (on Debian: apt install postgresql), or set %s to the URL of one", err, serverVariable)
}

// execute runs one statement on a new connection.
func execute(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

func withDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", serverVariable, err)
	}
	u.Path = "/" + name
	return u.String()
}
