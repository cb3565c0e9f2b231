//go:build linux || darwin || freebsd

package pgtest_test

import (
	"testing"

	"cohort.example/cohort/internal/pgtest"
)

// spread makes a table that is distributed over the workers.
const spread = "CREATE TABLE spread (store_hash text, n int); SELECT create_distributed_table('spread', 'store_hash')"

// A database on Citus, and its copies, have the same tables on each server.
func TestCitusDatabases(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	conn := connect(t, pgtest.CitusURL(t))
	run(t, conn, spread)
	if n := queryOne[int64](t, conn, "SELECT count(*) FROM pg_dist_node"); n != 3 {
		t.Errorf("there are %d servers", n)
	}
	prepare := func(url string) error {
		run(t, connect(t, url), spread)
		return nil
	}
	for range 2 {
		url := pgtest.PreparedCitus(t, prepare)
		run(t, connect(t, url), "INSERT INTO spread SELECT n::text, n FROM generate_series(1, 100) AS n")
		for _, node := range pgtest.CitusNodeURLs(t, url) {
			if n := queryOne[int64](t, connect(t, node), "SELECT count(*) FROM spread"); n != 100 {
				t.Errorf("a server sees %d rows", n)
			}
		}
	}
}

func TestCitusWorkerIsKilled(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	c := pgtest.StartCitus(t)
	c.Coordinator.Exec(t, "CREATE TABLE spread (store_hash text, n int)")
	c.Coordinator.Exec(t, "SELECT create_distributed_table('spread', 'store_hash')")
	c.Coordinator.Exec(t, "INSERT INTO spread SELECT n::text, n FROM generate_series(1, 20) AS n")
	lost := c.WorkerOf(t, "spread", "1")
	c.Workers[lost].Kill()
	conn := connect(t, c.Coordinator.URL())
	for n := range 20 {
		store := string(rune('a' + n))
		_, err := conn.Exec(within(t), "SELECT count(*) FROM spread WHERE store_hash = $1", store)
		if isLost := c.WorkerOf(t, "spread", store) == lost; isLost != (err != nil) {
			t.Errorf("store %s is of the lost worker: %v; the error is %v", store, isLost, err)
		}
	}
	c.Workers[lost].Restart()
	if n := c.Coordinator.Count(t, "SELECT count(*) FROM spread"); n != 20 {
		t.Errorf("%d rows after the restart", n)
	}
}
