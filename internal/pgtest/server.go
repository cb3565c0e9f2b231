//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options are for [Start].
type Options struct {
	// Fsync makes the server flush its commits to the disk. Without it the
	// server is faster, and its data still survives a kill of the server.
	Fsync bool
	// Settings are parameters of the server, such as max_connections. They take
	// precedence over ALTER SYSTEM.
	Settings map[string]string
}

// Server is a PostgreSQL server for one test, on a fixed port of 127.0.0.1. Its
// methods fail the test on an error, so call them from the goroutine of the
// test.
type Server struct {
	t        testing.TB
	cluster  *cluster
	options  Options
	more     []string // settings of Citus
	port     int
	password string
}

// Start starts a server that is gone when the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	requirePrograms(t)
	r, err := thisRun() // its keeper cleans up if this process is killed
	if err != nil {
		t.Fatalf("start PostgreSQL for the tests: %v", err)
	}
	s := newServer(t, r, o)
	if s.password, err = r.copyTemplate(s.cluster.data); err != nil {
		t.Fatalf("make a cluster: %v", err)
	}
	s.startOnFreePort()
	return s
}

var serverCount atomic.Int64

// newServer returns a server without data.
func newServer(t testing.TB, r *run, o Options) *Server {
	t.Helper()
	id := fmt.Sprintf("%d_%d", os.Getpid(), serverCount.Add(1))
	folder := r.path("servers")
	if err := makePrivate(folder); err != nil {
		t.Fatal(err)
	}
	programs, err := r.programs()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, options: o, cluster: &cluster{programs: programs, data: filepath.Join(folder, id), name: r.mark() + id}}
	t.Cleanup(func() {
		if t.Failed() && s.cluster.output != nil {
			t.Logf("the end of the log of the server on port %d:\n%s", s.port, s.cluster.output.tail())
		}
		if err := s.cluster.remove(); err != nil {
			t.Errorf("remove the server: %v", err)
		}
	})
	return s
}

// startOnFreePort starts the server on a port below the range for outgoing
// connections, so that its port is still free when it restarts.
func (s *Server) startOnFreePort() {
	s.t.Helper()
	var err error
	for range 10 {
		s.port = 15000 + rand.IntN(15000)
		if !isFree(s.port) || !s.reserve() {
			continue
		}
		s.cluster.settings = s.settings()
		if err = s.cluster.start(); err == nil {
			return
		}
	}
	s.t.Fatalf("start a server: %v", err)
}

// reserve prevents other servers of the run from using the port while this one
// is stopped.
func (s *Server) reserve() bool {
	name := filepath.Join(filepath.Dir(s.cluster.data), fmt.Sprint("port-", s.port))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a folder of this run
	if err != nil {
		return false
	}
	s.t.Cleanup(func() { _ = os.Remove(name) })
	return f.Close() == nil
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func (s *Server) settings() []string {
	all := []string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=",
		"port=" + strconv.Itoa(s.port),
		"wal_level=replica",
		"max_wal_size=256MB",
	}
	if !s.options.Fsync {
		all = append(all, "fsync=off")
	}
	all = append(all, s.more...)
	for name, value := range s.options.Settings {
		all = append(all, name+"="+value)
	}
	return all
}

// Addr is the server's address, for [NewProxy].
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the URL of an empty database on the server.
func (s *Server) URL() string { return s.urlAt(s.Addr()) }

func (s *Server) urlAt(addr string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: addr, Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Size is the size of the database of [Server.URL] in bytes.
func (s *Server) Size() (bytes int64) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&bytes)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		s.t.Fatalf("read the size of the database: %v", err)
	}
	return bytes
}

// Stop ends the server as an operator does: it rolls back the transactions
// under way and closes all connections.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.cluster.shutdown(syscall.SIGINT); err != nil {
		s.t.Fatalf("stop the server: %v", err)
	}
}

// Kill kills all processes of the server.
func (s *Server) Kill() { s.cluster.kill() }

// Restart starts the server with its data on its port. It stops a running
// server first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.cluster.start(); err != nil {
		s.t.Fatalf("start the server again: %v", err)
	}
}

// Crash kills one process of the server, which then ends all connections, recovers, and goes
// on without having been started again. It returns when the server accepts connections.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		var pid int
		if err := conn.QueryRow(ctx, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").Scan(&pid); err != nil {
			return err
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		if err := process.Kill(); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "SELECT pg_sleep(1000)"); err == nil || ctx.Err() != nil {
			return fmt.Errorf("the server has not noticed the crash: %w", err)
		}
		return s.accepts(ctx)
	})
}

// accepts waits until the server accepts connections.
func (s *Server) accepts(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond) // it has no notification for that
	}
}

// Pause suspends all processes of the server. Connections stay open, and the
// server does not respond.
func (s *Server) Pause() {
	_ = s.cluster.server.Process.Signal(syscall.SIGSTOP) // first, so that it starts no more processes
	s.cluster.signal(syscall.SIGSTOP)
}

// Continue resumes a paused server.
func (s *Server) Continue() { s.cluster.signal(syscall.SIGCONT) }

// Exec runs a statement on a new connection.
func (s *Server) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	s.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// TerminateBackends ends all other connections to a database.
func (s *Server) TerminateBackends(t testing.TB, database string) {
	t.Helper()
	s.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
		" WHERE datname = $1 AND pid <> pg_backend_pid()", database)
}

func (s *Server) with(t testing.TB, fn func(context.Context, *pgx.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := fn(ctx, conn); err != nil {
		t.Fatal(err)
	}
}

// Count returns the number that a query on the server's first database returns.
func (s *Server) Count(t testing.TB, sql string, args ...any) (n int64) {
	t.Helper()
	s.with(t, func(ctx context.Context, conn *pgx.Conn) error { return conn.QueryRow(ctx, sql, args...).Scan(&n) })
	return n
}
