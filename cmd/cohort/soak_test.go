package main_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// The numbers of well-behaved and misbehaving clients. Together they stay below
// the concurrency limit.
const (
	regulars  = 20
	nuisances = 10
)

// soakTime is the duration of the load, from COHORT_SOAK, such as 10m. The
// -timeout of go test must be longer.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("COHORT_SOAK")
	if text == "" {
		return testenv.Times(3*time.Second, time.Second)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("COHORT_SOAK: %v", err)
	}
	return d
}

// soakPace returns the pause of each client before a request, from
// COHORT_SOAK_PACE. The default is none.
func soakPace(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("COHORT_SOAK_PACE")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("COHORT_SOAK_PACE: %v", err)
	}
	return d
}

// TestSoak runs well-behaved and misbehaving clients against one server at the
// same time. The well-behaved ones get exactly the expected responses, no
// response is a 5xx, and the log has no errors. In the second half of a long
// soak, neither memory nor goroutines, descriptors or files grow. When all
// clients have left, nothing of theirs remains. The short form runs on SQLite.
func TestSoak(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "cohort.db")
		soakServer(t, "sqlite:"+file, func() diskUse { return sqliteUse(t, file) })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		testenv.Long(t, "it starts a PostgreSQL server")
		pg := pgtest.Start(t, pgtest.Options{})
		soakServer(t, pg.URL(), func() diskUse { return diskUse{database: pg.Size()} })
	})
}

// soakServer runs the load on a server with this database. use measures the
// database.
func soakServer(t *testing.T, url string, use func() diskUse) {
	w := watchServe(t, "--dev", "--db", url)
	before := w.vitals(t)
	s := newSoak(t, w)
	shop := newShop(s)
	ctx, cancel := context.WithTimeout(t.Context(), soakTime(t))
	defer cancel()
	var load sync.WaitGroup
	run := func(client func(context.Context)) {
		load.Go(func() {
			defer s.endIfFailed(cancel)
			client(ctx)
		})
	}
	for i := range regulars {
		run(newRegular(s, i).run)
	}
	for i := range shoppers {
		run(newShopper(s, shop, i).run)
	}
	for i := range nuisances {
		run(newNuisance(s, i).run)
	}
	during := sampleSoak(t, ctx, s, use)
	load.Wait()
	s.http.CloseIdleConnections()
	s.wantNothingLeft()
	s.http.CloseIdleConnections()
	after := w.awaitCalm(t, before)
	t.Logf("%v of load\nresponses: %s\nbefore: %s\n%s\nafter:  %s", soakTime(t), &s.figures, before, during, after)
	s.wantEverythingTried()
	during.wantFlat(t)
	w.end(t)
}

// soak is shared by the clients of one server.
type soak struct {
	*testing.T
	server   *watched
	http     *http.Client
	figures  figures
	flagged  [2]int64 // ids of the groups that the flags move between
	groups   int      // that stay
	pace     time.Duration
	mu       sync.Mutex
	promises map[int]promise // by regular
}

// promise is the last acknowledged state of the group of a regular.
type promise struct {
	group   int64 // 0 for none
	version int
	leaving bool // its deletion was requested
}

func newSoak(t *testing.T, w *watched) *soak {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	s := &soak{T: t, server: w, http: &http.Client{Transport: transport, Timeout: time.Minute}, pace: soakPace(t), promises: map[int]promise{}}
	r := newRegular(s, -1)
	s.groups = len(s.flagged)
	for i := range s.flagged {
		_, s.flagged[i] = r.create("/customer_groups", fmt.Sprintf(`{"name":"flagged %d","is_default":true,"is_group_for_guests":true}`, i))
	}
	return s
}

func (s *soak) promised(regular int) promise {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.promises[regular]
}

func (s *soak) promise(regular int, p promise) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promises[regular] = p
}

// endIfFailed ends a long soak after the first failure.
func (s *soak) endIfFailed(end func()) {
	if s.Failed() {
		end()
	}
}

// wantNothingLeft fails unless the store is as before the clients came: the
// regulars and shoppers have deleted their things, and the incomplete requests
// of the nuisances had no effect.
func (s *soak) wantNothingLeft() {
	r := newRegular(s, -1)
	groups := fmt.Sprintf(`{"count":%d}`, s.groups)
	for path, want := range map[string]string{"/customer_groups/count": groups, "/customers/count": `{"count":0}`} {
		if got := r.ask("GET", path, "", 200); got != want {
			s.Errorf("after all clients have left, %s is %s, want %s", path, got, want)
		}
	}
}

// wantEverythingTried fails if a kind of client did nothing.
func (s *soak) wantEverythingTried() {
	if n := s.figures.of("regulars", 204); n < regulars {
		s.Errorf("the regulars have deleted only %d groups and customers", n)
	}
	if s.figures.total("shoppers") == 0 {
		s.Error("no shopper asked for a price")
	}
	for _, m := range mischiefs {
		if s.figures.total(m.name) == 0 {
			s.Errorf("no client %s", m.name)
		}
	}
}

// figures counts responses by client and status; 0 is none.
type figures struct {
	mu     sync.Mutex
	counts map[string]map[int]int
}

func (f *figures) add(who string, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]map[int]int{}
	}
	if f.counts[who] == nil {
		f.counts[who] = map[int]int{}
	}
	f.counts[who][status]++
}

func (f *figures) of(who string, status int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[who][status]
}

func (f *figures) total(who string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, count := range f.counts[who] {
		n += count
	}
	return n
}

// all returns the number of responses to all clients.
func (f *figures) all() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, counts := range f.counts {
		for status, count := range counts {
			if status != 0 {
				n += int64(count)
			}
		}
	}
	return n
}

func (f *figures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, who := range slices.Sorted(maps.Keys(f.counts)) {
		fmt.Fprintf(&b, "\n  %s:", who)
		for _, status := range slices.Sorted(maps.Keys(f.counts[who])) {
			fmt.Fprintf(&b, " %d times %d;", f.counts[who][status], status)
		}
	}
	return b.String()
}
