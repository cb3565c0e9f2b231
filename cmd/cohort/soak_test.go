package main_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// The numbers of well-behaved and misbehaving clients. Together they stay below
// the concurrency limit.
const (
	regulars  = 20
	nuisances = 10
)

// The shortest soak in which the use of memory is meaningful.
const longSoak = time.Minute

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

// TestSoak runs well-behaved and misbehaving clients against one server at the
// same time. The well-behaved ones get exactly the expected responses, no
// response is a 5xx, and the log has no errors. When all clients have left, no
// goroutine, descriptor or memory of theirs remains.
func TestSoak(t *testing.T) {
	t.Parallel()
	w := watch(t)
	before := w.vitals(t)
	s := newSoak(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), soakTime(t))
	defer cancel()
	var load sync.WaitGroup
	for i := range regulars {
		load.Go(func() {
			defer s.endIfFailed(cancel)
			newRegular(s, i).run(ctx)
		})
	}
	for i := range nuisances {
		load.Go(func() {
			defer s.endIfFailed(cancel)
			newNuisance(s, i).run(ctx)
		})
	}
	during := w.sample(t, ctx)
	load.Wait()
	s.http.CloseIdleConnections()
	s.wantNothingLeft()
	s.http.CloseIdleConnections()
	after := w.awaitCalm(t, before)
	t.Logf("%v of load\nresponses: %s\nbefore: %s\nmiddle: %s\nend:    %s\nafter:  %s",
		soakTime(t), &s.figures, before, mean(during[len(during)/3:len(during)*2/3]), mean(during[len(during)*2/3:]), after)
	s.wantEverythingTried()
	wantFlat(t, during)
	w.end(t)
}

// soak is shared by the clients of one server.
type soak struct {
	*testing.T
	server   *watched
	http     *http.Client
	figures  figures
	flagged  [2]int64 // ids of the groups that the flags move between
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
	s := &soak{T: t, server: w, http: &http.Client{Transport: transport, Timeout: time.Minute}, promises: map[int]promise{}}
	r := newRegular(s, -1)
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
// regulars have deleted their things, and the incomplete requests of the
// nuisances had no effect.
func (s *soak) wantNothingLeft() {
	r := newRegular(s, -1)
	for path, want := range map[string]string{"/customer_groups/count": `{"count":2}`, "/customers/count": `{"count":0}`} {
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
