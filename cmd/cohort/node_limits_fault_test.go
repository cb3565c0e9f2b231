package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// quiet returns callers that send only the requests of the test.
func quiet(t *testing.T, nodes ...string) *callers {
	t.Helper()
	return &callers{
		t: t, nodes: nodes, groups: map[int64]string{}, statuses: map[int]int{},
		http: &http.Client{Transport: &http.Transport{}, Timeout: time.Minute},
	}
}

// want sends a request to a node and checks the status and a part of the
// response.
func (c *callers) want(node, method, path, body string, status int, part string) {
	c.t.Helper()
	got, text, err := c.send(node, method, path, body)
	if err != nil || got != status || !strings.Contains(text, part) {
		c.t.Errorf("%s %s %s: %d %s (%v), want %d with %s", method, path, body, got, text, err, status, part)
	}
}

const firstGroup = "/stores/demo/v2/customer_groups/1"

// hold locks the first group against changes.
func hold(t *testing.T, d *db.DB) (release func()) {
	t.Helper()
	held, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	errUndone := errors.New("undone")
	go func() {
		ended <- d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.GroupForUpdate("demo", 1)
			close(held)
			<-end
			return errors.Join(err, errUndone)
		})
	}()
	<-held
	return sync.OnceFunc(func() {
		close(end)
		if err := <-ended; !errors.Is(err, errUndone) {
			t.Error(err)
		}
	})
}

// awaitWaiting waits until n transactions wait for a lock.
func awaitWaiting(t *testing.T, s *pgtest.Server, n int) {
	t.Helper()
	s.Exec(t, fmt.Sprintf(`DO $$ BEGIN
		FOR i IN 1..3000 LOOP
			PERFORM pg_stat_clear_snapshot();
			IF (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock') >= %d THEN RETURN; END IF;
			PERFORM pg_sleep(0.01);
		END LOOP;
		RAISE 'no transaction waits';
	END $$`, n))
}

// Another transaction holds a row for longer than the limits in the URL allow.
func TestStatementTakesTooLong(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	outsider := dbtest.Open(t, s.URL())
	for i, limit := range []string{"lock_timeout=200ms", "statement_timeout=200ms"} {
		c := quiet(t, serve(t, "--db", s.URL()+"&"+limit).url)
		node := c.nodes[0]
		if i == 0 {
			c.want(node, "POST", "/stores/demo/v2/customer_groups", `{"name":"as it was"}`, 200, `"id":1,`)
		}
		release := hold(t, outsider)
		begun := time.Now()
		c.want(node, "PUT", firstGroup, `{"name":"never"}`, 503, "")
		c.want(node, "DELETE", firstGroup, "", 503, "")
		c.want(node, "GET", firstGroup, "", 200, `"as it was"`)
		c.want(node, "GET", "/readyz", "", 200, "ok")
		t.Logf("%s: rejected twice in %s", limit, time.Since(begun).Round(time.Millisecond))
		release()
		c.want(node, "GET", firstGroup, "", 200, `"as it was"`)
		c.want(node, "PUT", firstGroup, `{"name":"as it was"}`, 200, `"as it was"`)
	}
}

// All connections of a node wait for a row lock.
func TestConnectionsAreUsedUp(t *testing.T) {
	testenv.Long(t, "it waits for timeouts of 5 s")
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	outsider := dbtest.Open(t, s.URL())
	c := quiet(t, serve(t, "--db", s.URL()+"&pool_max_conns=2&lock_timeout=60s&statement_timeout=60s").url)
	node := c.nodes[0]
	c.want(node, "POST", "/stores/demo/v2/customer_groups", `{"name":"as it was"}`, 200, `"id":1,`)
	release := hold(t, outsider)
	defer release()
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Go(func() { c.want(node, "PUT", firstGroup, `{"name":"changed"}`, 200, `"changed"`) })
	}
	awaitWaiting(t, s, 2)
	begun := time.Now()
	var asking sync.WaitGroup
	asking.Go(func() { c.want(node, "GET", "/readyz", "", 503, "the database does not answer") })
	asking.Go(func() { c.want(node, "GET", firstGroup, "", 503, "") })
	asking.Go(func() { c.want(node, "POST", "/stores/demo/v2/customer_groups", `{"name":"never"}`, 503, "") })
	asking.Go(func() { c.want(node, "GET", "/livez", "", 200, "ok") })
	asking.Wait()
	t.Logf("rejected after %s", time.Since(begun).Round(time.Millisecond))
	release()
	waiting.Wait()
	c.want(node, "GET", "/readyz", "", 200, "ok")
	c.want(node, "GET", firstGroup, "", 200, `"changed"`)
	c.want(node, "GET", "/stores/demo/v2/customer_groups/count", "", 200, `{"count":1}`)
}

// An older version serves requests while a newer one changes the schema, and
// afterwards. Only the start of an older version fails.
func TestSchemaIsUpgradedUnderLoad(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	c := newCallers(t, serve(t, "--db", s.URL()).url, serve(t, "--db", s.URL()).url)
	for _, step := range []string{
		"ALTER TABLE customer_groups ADD COLUMN priority BIGINT NOT NULL DEFAULT 7",
		"ALTER TABLE customers ADD COLUMN code TEXT NOT NULL DEFAULT gen_random_uuid()::text",
		"CREATE TABLE something_new (store_hash TEXT NOT NULL REFERENCES stores (hash) ON DELETE CASCADE, id BIGINT NOT NULL)",
		"CREATE INDEX customer_groups_of_the_test ON customer_groups (store_hash, name)",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)",
	} {
		c.await(some() / 4)
		s.Exec(t, step)
	}
	c.await(some())
	late := start(t, "--db", s.URL())
	<-late.ended
	if late.err == nil || !strings.Contains(late.log.String(), "its schema is newer than this version of cohort") {
		t.Errorf("an old version starts on a newer schema: %v\n%s", late.err, &late.log)
	}
	c.await(some())
	c.check()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.statuses[http.StatusServiceUnavailable]; n > 0 {
		t.Errorf("%d requests were rejected", n)
	}
}
