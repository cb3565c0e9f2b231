package bench

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// nodeStoreGroups is the number of groups in each store.
const nodeStoreGroups = present / benchStores

// BenchmarkNodes measures requests per second by 40 callers of two nodes on one
// PostgreSQL, with and without cached responses, and with cached responses that may be
// stale for 100 ms. All write the same rows. The caches of one side are off because its
// database has a receipt of an older version, whose writes would go unnoticed. The sides
// alternate; b.N is the number of rounds, and the figures are medians:
//
//	cd bench && go test -run '^$' -bench Nodes -benchtime 5x
func BenchmarkNodes(b *testing.B) {
	with, without, stale := newNodes(b, true, 0), newNodes(b, false, 0), newNodes(b, true, 100*time.Millisecond)
	for _, op := range []struct {
		name   string
		source func(addr string) load.Source
	}{
		{"get", getOfNode},
		{"list50", listOfNode},
		{"get+update5%", oneOf(20, updateOfNode, getOfNode)},
		{"get+create5%", oneOf(20, createOfNode, getOfNode)},
		{"create", createOfNode},
	} {
		b.Run(op.name, func(b *testing.B) {
			var on, off, ratio, staleRatio []float64
			for b.Loop() {
				off = append(off, without.run(b, op.source))
				on = append(on, with.run(b, op.source))
				ratio = append(ratio, last(on)/last(off))
				staleRatio = append(staleRatio, stale.run(b, op.source)/last(off))
			}
			b.ReportMetric(median(off), "uncached/s")
			b.ReportMetric(median(on), "cached/s")
			b.ReportMetric(median(ratio), "cached/uncached")
			b.ReportMetric(median(staleRatio), "stale/uncached")
			b.Logf("cached/uncached from %.2f to %.2f, stale/uncached from %.2f to %.2f",
				slices.Min(ratio), slices.Max(ratio), slices.Min(staleRatio), slices.Max(staleRatio))
		})
	}
}

// nodes are two servers on one database.
type nodes struct {
	addrs  [2]string
	number uint64
}

func newNodes(b *testing.B, cached bool, staleness time.Duration) *nodes {
	b.Helper()
	pg := pgtest.Start(b, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}})
	n := &nodes{}
	for i := range n.addrs {
		d := openDB(b, pg.URL())
		d.AllowStaleness(staleness)
		svc := service.New(d)
		if i == 0 {
			fillNodes(b, svc)
		}
		srv := httptest.NewServer(server.New(svc, server.Options{}))
		b.Cleanup(srv.Close)
		n.addrs[i] = srv.Listener.Addr().String()
		if !cached {
			pg.Exec(b, "INSERT INTO receipts (store_hash, slot, number, date_modified) VALUES ('', $1, 1, $2)",
				fmt.Sprint("old/", i), time.Now().UnixMilli())
		}
		if svc.CatchUp(b.Context()) != cached {
			b.Fatalf("responses are cached: %v", !cached)
		}
	}
	return n
}

func fillNodes(b *testing.B, svc *service.Service) {
	b.Helper()
	var all sync.WaitGroup
	for i := range benchStores {
		if err := addBenchStore(b.Context(), svc, benchStore(i), secretOf(i), cohort.ScopeCustomers); err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			for range nodeStoreGroups {
				if _, err := svc.CreateGroup(b.Context(), benchStore(i), newGroup()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// run returns how many requests per second both nodes respond to.
func (n *nodes) run(b *testing.B, source func(addr string) load.Source) float64 {
	r, err := load.Spread(load.Plan{
		Callers: callers, Source: source(n.addrs[0]), First: n.number, WarmUp: roundSeconds * time.Second / 4, For: roundSeconds * time.Second,
	}, n.addrs[:]...)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		b.Fatal(err)
	}
	n.number = r.Next
	return r.PerSecond()
}

// begin appends the beginning of request k, up to the path of the groups.
func begin(buf []byte, method string, k uint64) []byte {
	return fmt.Appendf(buf, "%s /stores/%s/v2/customer_groups", method, benchStore(int(k%benchStores))) //nolint:gosec // below 40
}

// end appends the rest of request k.
func end(buf []byte, addr string, k uint64, body string) []byte {
	buf = fmt.Appendf(buf, " HTTP/1.1\r\nHost: %s\r\nX-Auth-Token: %s\r\n", addr, secretOf(int(k%benchStores))) //nolint:gosec // below 40
	if body != "" {
		buf = fmt.Appendf(buf, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(buf, "\r\n"...), body...)
}

// groupOf appends the path of a group of request k.
func groupOf(buf []byte, k uint64) []byte {
	return strconv.AppendInt(append(buf, '/'), int64(pick(int(k/benchStores), nodeStoreGroups)), 10) //nolint:gosec // a count
}

func getOfNode(addr string) load.Source {
	return func(buf []byte, k uint64) []byte { return end(groupOf(begin(buf, "GET", k), k), addr, k, "") }
}

func listOfNode(addr string) load.Source {
	return func(buf []byte, k uint64) []byte {
		return end(append(begin(buf, "GET", k), "?limit=50"...), addr, k, "")
	}
}

func updateOfNode(addr string) load.Source {
	return func(buf []byte, k uint64) []byte {
		return end(groupOf(begin(buf, "PUT", k), k), addr, k, fmt.Sprintf(`{"name":"Updated %d"}`, k))
	}
}

func createOfNode(addr string) load.Source {
	return func(buf []byte, k uint64) []byte {
		return end(begin(buf, "POST", k), addr, k, numberedBody(int(k))) //nolint:gosec // a count
	}
}

// oneOf makes one request of n a rare one.
func oneOf(n uint64, rare, usual func(addr string) load.Source) func(addr string) load.Source {
	return func(addr string) load.Source {
		rare, usual := rare(addr), usual(addr)
		return func(buf []byte, k uint64) []byte {
			if k/2%n == 0 {
				return rare(buf, k)
			}
			return usual(buf, k)
		}
	}
}
