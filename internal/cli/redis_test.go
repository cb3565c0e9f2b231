package cli_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort/internal/limit/redistest"
)

// Two servers on one database share the quota of a store in Redis.
func TestServeSharesLimits(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--requirepass", "open-sesame")
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--plan", "enterprise", "--quota", "10000000", "--db", db)
	secret := strings.TrimSpace(mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--db", db).out)
	nodes := []*serving{
		serve(t, "--db", db, "--redis", redis.URL("open-sesame")),
		serve(t, "--db", db, "--redis", redis.URL("open-sesame")),
	}
	left := func(s *serving) int {
		n, err := strconv.Atoi(s.get(t, "/stores/abc/v2/time", secret).header.Get("X-Rate-Limit-Requests-Left"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// On a busy machine, a node may have counted for itself for a moment.
	eventually(t, "the two count down one figure", func() bool {
		first := left(nodes[0])
		return left(nodes[1]) == first-1 && left(nodes[0]) == first-2 && left(nodes[1]) == first-3
	})
	for i, s := range nodes {
		if status := s.stop(); status != 0 {
			t.Errorf("server %d ended with exit status %d", i+1, status)
		}
		if text := s.err.String(); !strings.Contains(text, "limits are shared") || strings.Contains(text, "open-sesame") {
			t.Errorf("the log of server %d:\n%s", i+1, text)
		}
	}
}

// A server serves without its Redis.
func TestServeWithoutItsRedis(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t), "--redis", "redis://:open-sesame@127.0.0.1:1")
	if a := s.get(t, "/stores/demo/v2/time", "demo-token"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	text := s.err.String()
	if strings.Count(text, "limits are not shared") != 1 || !strings.Contains(text, "level=WARN") || strings.Contains(text, "open-sesame") {
		t.Errorf("the log:\n%s", text)
	}
}

// An invalid Redis URL is rejected before the database is created. The error does not
// quote it, because it may contain a password.
func TestServeRejectsInvalidRedisURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://:open-sesame@localhost", "redis://:open#sesame@localhost", "localhost:6379"} {
		db := newDB(t)
		wantFailure(t, run(t, "serve", "--addr", "127.0.0.1:0", "--db", db, "--redis", url), 2,
			"--redis cannot be used: it is not the URL of a Redis, such as redis://USER:PASSWORD@HOST:PORT/DB, rediss://… or unix:///PATH")
		if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:")); err == nil {
			t.Errorf("%s: the command created the database", url)
		}
	}
}
