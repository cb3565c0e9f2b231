package bench

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

const (
	benchStores = 40
	// roundSeconds is the time of each side in a round. pgbench only accepts
	// whole seconds.
	roundSeconds = 2
)

// BenchmarkPostgres measures creates per second on PostgreSQL with flushed
// commits, beside pgbench, which inserts and commits the same row, and beside
// Cohort on SQLite. In each round all sides take turns; b.N is the number of
// rounds, and the figures are medians:
//
//	cd bench && go test -run '^$' -bench Postgres -benchtime 5x
//
// "service" is the work of the service and the database, "http" adds a server
// and its clients on the same machine.
func BenchmarkPostgres(b *testing.B) {
	pg := pgtest.Start(b, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}})
	onPostgres := newShop(b, pg.URL())
	onSQLite := newShop(b, sqliteURL(b))
	limit := newPgbench(b, pg)
	for _, load := range []struct{ callers, stores int }{{1, 1}, {8, 1}, {40, 1}, {40, benchStores}} {
		b.Run(fmt.Sprintf("callers=%d/stores=%d", load.callers, load.stores), func(b *testing.B) {
			sides := []struct {
				name string
				run  func(*testing.B, int, int) float64
			}{
				{"pgbench", limit.run}, {"service", onPostgres.service}, {"http", onPostgres.http},
				{"service-sqlite", onSQLite.service}, {"http-sqlite", onSQLite.http},
			}
			perSecond, share := map[string][]float64{}, map[string][]float64{}
			for b.Loop() {
				for _, s := range sides {
					n := s.run(b, load.callers, load.stores)
					perSecond[s.name] = append(perSecond[s.name], n)
					share[s.name] = append(share[s.name], n/last(perSecond["pgbench"]))
				}
			}
			for _, s := range sides {
				b.ReportMetric(median(perSecond[s.name]), s.name+"/s")
			}
			for _, name := range []string{"service", "http"} {
				b.ReportMetric(median(share[name]), name+"/pgbench")
				b.Logf("%s/pgbench from %.2f to %.2f", name, slices.Min(share[name]), slices.Max(share[name]))
			}
		})
	}
}

func last(list []float64) float64 { return list[len(list)-1] }

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// shop is Cohort on a database with the stores of the benchmark.
type shop struct {
	svc    *service.Service
	addr   string
	number atomic.Uint64
}

func benchStore(i int) string { return fmt.Sprint("bench-", i) }

func newShop(b *testing.B, url string) *shop {
	b.Helper()
	d := openDB(b, url)
	s := &shop{svc: service.New(d)}
	for i := range benchStores {
		if err := addBenchStore(b.Context(), s.svc, benchStore(i), secretOf(i), cohort.ScopeCustomers); err != nil {
			b.Fatal(err)
		}
	}
	srv := httptest.NewServer(server.New(s.svc, server.Options{}))
	b.Cleanup(srv.Close)
	s.addr = srv.Listener.Addr().String()
	return s
}

func secretOf(i int) string { return fmt.Sprint("secret-", i) }

// service creates groups through the service with concurrent callers, and
// returns how many per second.
func (s *shop) service(b *testing.B, callers, stores int) float64 {
	ctx, cancel := context.WithTimeout(b.Context(), roundSeconds*time.Second)
	defer cancel()
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			store := benchStore(i % stores)
			as := service.ForBearer(b.Context(), service.Bearer{Token: cohort.NewToken(secretOf(i % stores)), Store: cohort.Store{Key: store}})
			for ctx.Err() == nil {
				if _, err := s.svc.CreateGroup(as, store, newGroup()); err != nil {
					b.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	begun := time.Now()
	all.Wait()
	return float64(made.Load()) / time.Since(begun).Seconds()
}

// http does the same through the server.
func (s *shop) http(b *testing.B, callers, stores int) float64 {
	source := func(buf []byte, n uint64) []byte {
		i := int(n % uint64(stores)) //nolint:gosec // below 40
		body := numberedBody(int(n)) //nolint:gosec // a count
		buf = fmt.Appendf(buf, "POST /stores/%s/v2/customer_groups HTTP/1.1\r\nHost: %s\r\nX-Auth-Token: %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", benchStore(i), s.addr, secretOf(i), len(body), body)
		return buf
	}
	r, err := load.Run(load.Plan{
		Addr: s.addr, Callers: callers, Source: source, First: s.number.Load(), WarmUp: roundSeconds * time.Second / 5, For: roundSeconds * time.Second,
	})
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		b.Fatal(err)
	}
	s.number.Store(r.Next)
	return r.PerSecond()
}

// pgbench inserts and commits rows like those of Cohort, into the same table.
type pgbench struct {
	program string
	url     string
	dir     string
}

func newPgbench(b *testing.B, pg *pgtest.Server) *pgbench {
	b.Helper()
	pg.Exec(b, "CREATE SEQUENCE pgbench_id START 1000000000 CACHE 1000")
	return &pgbench{pgtest.Program(b, "pgbench"), pg.URL(), b.TempDir()}
}

var tps = regexp.MustCompile(`tps = ([0-9.]+) \(without`)

func (p *pgbench) run(b *testing.B, callers, stores int) float64 {
	script := filepath.Join(p.dir, strconv.Itoa(stores)+".sql")
	if err := os.WriteFile(script, fmt.Appendf(nil, `\set store random(0, %d)
\set name random(1, 9000000000000000000)
INSERT INTO customer_groups (store_hash, name_folded, id, name, category_access, discount_rules, is_default, is_group_for_guests, date_created, date_modified)
VALUES ('bench-' || :store, 'wholesale ' || :name, nextval('pgbench_id'), 'Wholesale ' || :name, '{"type":"specific","categories":[18,19]}',
'[{"type":"all","method":"percent","amount":"5"},{"type":"category","target":18,"method":"price","amount":"2.5"}]',
false, false, 1700000000000, 1700000000000);
`, stores-1), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), p.program, "-n", "-M", "prepared", "-c", strconv.Itoa(callers), "-j", "2",
		"-T", strconv.Itoa(roundSeconds), "-f", script, p.url)
	out, err := cmd.CombinedOutput()
	m := tps.FindSubmatch(out)
	if err != nil || m == nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// newGroups counts the groups that newGroup has returned.
var newGroups atomic.Int64

// newGroup returns the group that body describes, with a name of its own.
func newGroup() cohort.Group {
	return cohort.Group{
		Name:           fmt.Sprintf("Wholesale group %d", newGroups.Add(1)),
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19}},
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)},
			{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.New(25, -1)},
		},
	}
}
