//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Citus is a coordinator with two workers for one test. The other servers reach each
// worker through a proxy only, so a test can cut the connections between servers too.
type Citus struct {
	Coordinator *Server
	Workers     []*Server
	Proxies     []*Proxy // of the workers
}

// StartCitus starts a coordinator and its workers, with an empty database that has no
// tables. They are gone when the test ends. It skips the test where there is no Citus.
func StartCitus(t testing.TB) *Citus {
	t.Helper()
	RequireCitus(t)
	r, err := thisCitusRun()
	if err != nil {
		t.Fatalf("start Citus for the tests: %v", err)
	}
	c := &Citus{Coordinator: startCitusNode(t, r)}
	for range citusNodes - 1 {
		worker := startCitusNode(t, r)
		c.Workers = append(c.Workers, worker)
		c.Proxies = append(c.Proxies, NewProxy(t, worker.Addr()))
	}
	for _, node := range append(c.Workers, c.Coordinator) {
		node.Exec(t, "CREATE EXTENSION citus")
		node.Exec(t, fmt.Sprintf("INSERT INTO pg_dist_authinfo VALUES (0, '%s', 'password=%s')", superuser, node.password))
	}
	c.Coordinator.Exec(t, fmt.Sprintf("SELECT citus_set_coordinator_host('127.0.0.1', %d)", c.Coordinator.port))
	for _, p := range c.Proxies {
		host, port, err := net.SplitHostPort(p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.Coordinator.Exec(t, fmt.Sprintf("SELECT citus_add_node('%s', %s)", host, port))
	}
	return c
}

func startCitusNode(t testing.TB, r *run) *Server {
	t.Helper()
	s := newServer(t, r, Options{})
	var err error
	if s.password, err = r.copyTemplate(s.cluster.data); err != nil {
		t.Fatalf("make a cluster: %v", err)
	}
	s.more = append(slices.Clone(citusSettings), "citus.node_conninfo=sslmode=disable", "citus.recover_2pc_interval=1s")
	s.startOnFreePort()
	return s
}

// WorkerOf returns the index of the worker that has the rows of a store, by its
// store_hash, in a distributed table.
func (c *Citus) WorkerOf(t testing.TB, table, store string) (index int) {
	t.Helper()
	var port int
	c.Coordinator.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid)
			WHERE shardid = get_shard_id_for_distribution_column($1::text::regclass, $2::text)`, table, store).Scan(&port)
	})
	for i, p := range c.Proxies {
		if _, text, _ := net.SplitHostPort(p.Addr()); text == fmt.Sprint(port) {
			return i
		}
	}
	t.Fatalf("no worker has the port %d", port)
	return 0
}
