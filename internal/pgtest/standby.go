//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a standby of s with a replication slot, so that it catches up
// after it was stopped. It has the same password as s.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	r, err := thisRun()
	if err != nil {
		t.Fatal(err)
	}
	standby := newServer(t, r, s.options)
	standby.password = s.password
	err = program(s.cluster.programs, "pg_basebackup", "-D", standby.cluster.data, "-d", s.URL(), "-R", "-C", "-S", standby.slot(),
		"-X", "stream", "-c", "fast", "--no-sync")
	if err != nil {
		t.Fatalf("copy the server: %v", err)
	}
	if err := standby.forgetStandbys(); err != nil {
		t.Fatal(err)
	}
	standby.startOnFreePort()
	return standby
}

// slot is the name of the replication slot of s on its primary.
func (s *Server) slot() string { return strings.ToLower(s.cluster.name) }

// forgetStandbys removes the synchronous standbys from the configuration of s,
// which is a copy of the primary, so that s does not wait for them after it is
// promoted.
func (s *Server) forgetStandbys() error {
	f, err := os.OpenFile(filepath.Join(s.cluster.data, "postgresql.auto.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("synchronous_standby_names = ''\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// Synchronous makes every commit on s wait until the standby has applied it;
// with nil, commits wait for no standby. It returns when the standby has caught
// up.
func (s *Server) Synchronous(t testing.TB, standby *Server) {
	t.Helper()
	if standby == nil {
		s.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = ''")
		s.Exec(t, "SELECT pg_reload_conf()")
		return
	}
	s.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = '\""+standby.cluster.name+"\"'")
	s.Exec(t, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
	s.Exec(t, "SELECT pg_reload_conf()")
	s.await(t, "SELECT count(*) = 1 FROM pg_stat_replication WHERE application_name = $1 AND sync_state = 'sync'",
		standby.cluster.name)
}

// await repeats the query until its result is true. The server has no
// notification for these events.
func (s *Server) await(t testing.TB, sql string, args ...any) {
	t.Helper()
	s.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		for {
			var yes bool
			if err := conn.QueryRow(ctx, sql, args...).Scan(&yes); err != nil || yes {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// Promote turns a standby into a server that accepts writes.
func (s *Server) Promote() {
	s.t.Helper()
	s.await(s.t, "SELECT pg_promote(true, 60)")
}
