// Package pgtest gives tests real PostgreSQL: an empty database of a cluster
// that the whole test run shares ([URL]), servers of their own that can be
// stopped, killed, paused, restarted and replicated ([Start]), and a proxy that
// loses connections at the worst moment ([NewProxy]).
//
// It finds the server's programs by itself and starts them as another user when
// the tests run as root. Where there is no PostgreSQL, tests are skipped, and
// fail if CI=true. Nothing it starts outlives the tests by more than seconds,
// even if they are killed.
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

// serverVariable names a server to use instead of one that is started here: a
// URL whose user may create databases.
const serverVariable = "COHORT_TEST_POSTGRES"

// patience bounds whatever a server is asked for. It is a safety net and far
// more than anything takes, because test machines are sometimes very busy.
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

// execute runs one statement on a connection of its own.
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
