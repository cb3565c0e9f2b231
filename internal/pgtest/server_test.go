//go:build linux || darwin || freebsd

package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"

	"github.com/jackc/pgx/v5"
)

func TestServerKeepsPortAndData(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*pgtest.Server){
		"restart": func(*pgtest.Server) {},
		"stop":    (*pgtest.Server).Stop,
		"kill":    (*pgtest.Server).Kill,
	}
	s := pgtest.Start(t, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "17"}})
	url := s.URL()
	s.Exec(t, "CREATE TABLE things (name text)")
	for name, end := range ends {
		before := connect(t, url)
		s.Exec(t, "INSERT INTO things VALUES ($1)", name)
		end(s)
		s.Restart()
		if _, err := before.Exec(within(t), "SELECT 1"); err == nil {
			t.Errorf("%s: an old connection still works", name)
		}
		if n := queryOne[int](t, connect(t, url), "SELECT count(*) FROM things WHERE name = '"+name+"'"); n != 1 {
			t.Errorf("%s: got %d rows, want 1", name, n)
		}
	}
	conn := connect(t, url)
	for setting, want := range map[string]string{"max_connections": "17", "fsync": "on"} {
		if got := queryOne[string](t, conn, "SHOW "+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
}

func TestStoppedServerRejectsConnections(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	for _, end := range []func(*pgtest.Server){(*pgtest.Server).Stop, (*pgtest.Server).Kill} {
		end(s)
		if _, err := pgx.Connect(within(t), s.URL()); err == nil {
			t.Error("the server accepts connections")
		}
		s.Restart()
	}
}

func TestPauseAndContinue(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	conn, other := connect(t, s.URL()), connect(t, s.URL())
	s.Pause()
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(brief, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	s.Continue()
	run(t, other, "SELECT 1")
	s.Pause() // the cleanup has to work on a paused server
}

func TestTerminateBackends(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	s.Exec(t, "CREATE DATABASE other")
	conn := connect(t, s.URL())
	s.TerminateBackends(t, "other")
	run(t, conn, "SELECT 1")
	s.TerminateBackends(t, "postgres")
	if _, err := conn.Exec(within(t), "SELECT 1"); err == nil {
		t.Error("the connection still works")
	}
}

func TestStandbyIsPromoted(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	primary.Exec(t, "CREATE TABLE things (id int)")
	standby := primary.Standby(t)
	primary.Synchronous(t, standby)
	primary.Exec(t, "INSERT INTO things VALUES (1)")
	conn := connect(t, standby.URL())
	if n := queryOne[int](t, conn, "SELECT count(*) FROM things"); n != 1 {
		t.Errorf("after a synchronous commit the standby has %d rows, want 1", n)
	}
	if _, err := conn.Exec(within(t), "INSERT INTO things VALUES (2)"); err == nil {
		t.Error("the standby accepts writes")
	}
	primary.Kill()
	standby.Promote()
	standby.Exec(t, "INSERT INTO things VALUES (2)")
	standby.Restart()
	if n := queryOne[int](t, connect(t, standby.URL()), "SELECT count(*) FROM things"); n != 2 {
		t.Errorf("after the failover there are %d rows, want 2", n)
	}
}

func TestSynchronousCommitWaitsForTheStandby(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "it starts two servers, and one of them again")
	primary := pgtest.Start(t, pgtest.Options{})
	primary.Exec(t, "CREATE TABLE things (id int)")
	standby := primary.Standby(t)
	primary.Synchronous(t, standby)
	conn := connect(t, primary.URL())
	standby.Stop()
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(brief, "INSERT INTO things VALUES (1)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout of the commit", err)
	}
	standby.Restart() // it catches up through its slot
	primary.Exec(t, "INSERT INTO things VALUES (2)")
	primary.Synchronous(t, nil)
	standby.Stop()
	primary.Exec(t, "INSERT INTO things VALUES (3)")
}
