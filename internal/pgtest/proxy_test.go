//go:build linux || darwin || freebsd

package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// commits are the ways in which drivers commit.
var commits = map[string]func(context.Context, *pgx.Conn) error{
	"simple": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "commit")
		return err
	},
	"prepared": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "done")
		return err
	},
	"unnamed": func(ctx context.Context, conn *pgx.Conn) error {
		return conn.PgConn().ExecParams(ctx, "COMMIT", nil, nil, nil, nil).Read().Err
	},
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	tests := map[string]func(*testing.T, *pgtest.Server, *pgtest.Proxy){
		"loses commits":   testLosesCommits,
		"cuts after":      testCutAfterDeliversTheCommit,
		"cuts once":       testCutsOnce,
		"cut all":         testCutAll,
		"cut after bytes": testCutAfterBytes,
		"stalls":          testStalls,
		"refuses":         testRefuses,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, s, pgtest.NewProxy(t, s.Addr())) })
	}
}

func testLosesCommits(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	s.Exec(t, "CREATE TABLE IF NOT EXISTS things (id int)")
	cuts := map[string]struct {
		arm    func(string) <-chan struct{}
		landed bool
	}{
		"before":        {p.CutBefore, false},
		"after":         {p.CutAfter, true},
		"lose response": {p.LoseResponse, true},
	}
	for name, cut := range cuts {
		for way, commit := range commits {
			t.Run(name+" "+way, func(t *testing.T) {
				s.Exec(t, "TRUNCATE things")
				conn := connect(t, p.URL(s.URL()))
				if _, err := conn.Prepare(within(t), "done", "commit"); err != nil {
					t.Fatal(err)
				}
				done := cut.arm("COMMIT")
				run(t, conn, "BEGIN")
				run(t, conn, "INSERT INTO things VALUES (1)")
				if err := commit(within(t), conn); err == nil {
					t.Fatal("the client got a response to its commit")
				}
				waitFor(t, done)
				// The table lock is free when the transaction has ended.
				direct := connect(t, s.URL())
				run(t, direct, "BEGIN; LOCK TABLE things")
				if landed := queryOne[int](t, direct, "SELECT count(*) FROM things") == 1; landed != cut.landed {
					t.Errorf("committed: %t, want %t", landed, cut.landed)
				}
			})
		}
	}
}

// The connection of the client is cut before the server has read the commit.
func testCutAfterDeliversTheCommit(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	s.Exec(t, "CREATE TABLE IF NOT EXISTS things (id int)")
	s.Exec(t, "TRUNCATE things")
	conn := connect(t, p.URL(s.URL()))
	run(t, conn, "BEGIN; INSERT INTO things VALUES (1)")
	s.Pause()
	p.CutAfter("commit")
	if _, err := conn.Exec(within(t), "commit"); err == nil {
		t.Error("the client got a response to its commit")
	}
	s.Continue()
	direct := connect(t, s.URL())
	run(t, direct, "BEGIN; LOCK TABLE things")
	if n := queryOne[int](t, direct, "SELECT count(*) FROM things"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func waitFor(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-within(t).Done():
		t.Fatal("the connection was not reset")
	}
}

func testCutsOnce(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	p.CutBefore("forty")
	if _, err := connect(t, p.URL(s.URL())).Exec(within(t), "SELECT 'forty'"); err == nil {
		t.Error("the connection was not cut")
	}
	run(t, connect(t, p.URL(s.URL())), "SELECT 'forty'")

	p.CutBefore("commit")
	run(t, connect(t, p.URL(s.URL())), "SELECT 'uncommitted', 'committed'") // not the word COMMIT
}

func testCutAll(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	one, two := connect(t, p.URL(s.URL())), connect(t, p.URL(s.URL()))
	p.CutAll()
	for _, conn := range []*pgx.Conn{one, two} {
		if _, err := conn.Exec(within(t), "SELECT 1"); err == nil {
			t.Error("a connection still works")
		}
	}
	run(t, connect(t, p.URL(s.URL())), "SELECT 1")
}

func testCutAfterBytes(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	s.Exec(t, "CREATE TABLE IF NOT EXISTS things (id int)")
	const insert = "INSERT INTO things VALUES (1)"
	size := int64(1 + 4 + len(insert) + 1) // type, length, SQL and a zero byte
	for less, want := range []int{1, 0} {
		s.Exec(t, "TRUNCATE things")
		conn := connect(t, p.URL(s.URL()))
		p.CutAfterBytes(size - int64(less))
		_, err := conn.Exec(within(t), insert)
		if (err == nil) != (want == 1) {
			t.Errorf("%d bytes less: %v", less, err)
		}
		if err == nil {
			_, err = conn.Exec(within(t), "SELECT 1")
		}
		if err == nil {
			t.Errorf("%d bytes less: the connection was not cut", less)
		}
		direct := connect(t, s.URL())
		run(t, direct, "BEGIN; LOCK TABLE things")
		if n := queryOne[int](t, direct, "SELECT count(*) FROM things"); n != want {
			t.Errorf("%d bytes less: %d rows, want %d", less, n, want)
		}
		run(t, direct, "ROLLBACK")
	}
}

func testStalls(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	conn, other := connect(t, p.URL(s.URL())), connect(t, p.URL(s.URL()))
	p.Stall()
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(brief, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	p.Resume()
	run(t, other, "SELECT 1")
}

func testRefuses(t *testing.T, s *pgtest.Server, p *pgtest.Proxy) {
	before := connect(t, p.URL(s.URL()))
	p.Refuse(true)
	if _, err := pgx.Connect(within(t), p.URL(s.URL())); err == nil {
		t.Error("a new connection was accepted")
	}
	run(t, before, "SELECT 1")
	p.Refuse(false)
	connect(t, p.URL(s.URL()))
}
