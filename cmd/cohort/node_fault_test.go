package main_test

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// ifNoResponse is how long a request may take on a server that does not respond.
const ifNoResponse = 20 * time.Second

// soon is how long a node may take to notice that the database is unavailable or
// available again. The race detector makes processes several times slower.
var soon = func() time.Duration {
	if testenv.Race {
		return 20 * time.Second
	}
	return 5 * time.Second
}()

// some is how many changes are acknowledged before and after each event of a test.
func some() int64 { return testenv.Times[int64](100, 15) }

// An operator stops the server and starts it again.
func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	c := newCallers(t, serve(t, "--db", s.URL()).url)
	for range testenv.Times(2, 1) {
		c.await(some())
		s.Restart()
	}
	c.await(some())
	s.Stop()
	c.awaitReadyAll(503, soon)
	s.Restart()
	c.awaitReadyAll(200, soon)
	c.await(some())
	c.check()
}

// The server is killed, with no time to write or to notify anything.
func TestDatabaseIsKilled(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	c := newCallers(t, serve(t, "--db", s.URL()).url)
	for range testenv.Times(2, 1) {
		c.await(some())
		s.Kill()
		s.Restart()
	}
	c.await(some())
	s.Kill()
	c.awaitReadyAll(503, soon)
	s.Restart()
	c.awaitReadyAll(200, soon)
	c.await(some())
	c.check()
}

// The network cuts connections, also during commits, and an operator terminates
// them.
func TestConnectionsAreCutUnderLoad(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	p := pgtest.NewProxy(t, s.Addr())
	c := newCallers(t, serve(t, "--db", p.URL(s.URL())).url)
	for range testenv.Times(10, 1) {
		c.await(some() / 5)
		p.CutAll()
		c.await(some() / 5)
		<-p.LoseResponse("COMMIT")
		<-p.CutAfter("COMMIT")
		<-p.CutBefore("COMMIT")
		s.TerminateBackends(t, "postgres")
	}
	c.await(some())
	c.check()
}

// The standby takes over, and the nodes connect to it by themselves.
func TestPrimaryMoves(t *testing.T) {
	t.Parallel()
	primary, standby, c := newPair(t)
	c.await(some())
	standby.Promote()
	primary.Stop()
	c.awaitReadyAll(200, soon)
	c.await(some())
	c.check()
}

// The standby takes over some time after the primary has died.
func TestPrimaryDies(t *testing.T) {
	t.Parallel()
	primary, standby, c := newPair(t)
	c.await(some())
	primary.Kill()
	c.awaitReadyAll(503, soon)
	standby.Promote()
	c.awaitReadyAll(200, soon)
	c.await(some())
	c.check()
}

// newPair starts a server, a synchronous standby, and callers of two nodes that
// know both.
func newPair(t *testing.T) (primary, standby *pgtest.Server, c *callers) {
	t.Helper()
	primary = pgtest.Start(t, pgtest.Options{})
	standby = primary.Standby(t)
	primary.Synchronous(t, standby)
	u, err := url.Parse(primary.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = primary.Addr() + "," + standby.Addr()
	u.RawQuery += "&target_session_attrs=read-write"
	return primary, standby, newCallers(t, serve(t, "--db", u.String()).url, serve(t, "--db", u.String()).url)
}

// The server accepts requests and does not respond.
func TestDatabaseHangs(t *testing.T) {
	testenv.Long(t, "it waits for timeouts of 10 s")
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	c := newCallers(t, serve(t, "--db", s.URL()).url)
	c.await(some())
	s.Pause()
	begun := time.Now()
	var asking sync.WaitGroup
	asking.Go(func() { c.want(c.nodes[0], "GET", "/stores/demo/v2/customer_groups", "", 503, "") })
	asking.Go(func() { c.want(c.nodes[0], "PUT", "/stores/demo/v2/customer_groups/1", `{"is_default":true}`, 503, "") })
	c.awaitReadyAll(503, soon)
	asking.Wait()
	if took := time.Since(begun); took > ifNoResponse {
		t.Errorf("requests are rejected after %s", took)
	}
	s.Continue()
	c.awaitReadyAll(200, soon)
	c.await(some())
	c.check()
}
