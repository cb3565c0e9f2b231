package limit_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/limit/redistest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
)

// pair is two servers of one service, as two nodes are, with limits that they
// share.
type pair struct {
	servertest.Server
	nodes   [2]http.Handler
	limits  [2]*limit.Shared
	metrics [2]*server.Metrics
}

func startPair(t *testing.T, d *db.DB, url string) *pair {
	t.Helper()
	svc := service.New(d)
	p := &pair{Server: servertest.Server{Service: svc}}
	for i := range p.nodes {
		l, err := limit.OpenPatiently(t.Context(), url, limit.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		p.limits[i], p.metrics[i] = l, server.NewMetrics()
		p.nodes[i] = server.New(svc, server.Options{Metrics: p.metrics[i], Limits: l})
	}
	return p
}

// caller makes a store, and returns a function that has a node answer a request
// to it.
func (p *pair) caller(t *testing.T, st cohort.Store) func(node int, w http.ResponseWriter, method, path string) {
	t.Helper()
	st.Hash = strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:]) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	p.Store(t, st)
	token := p.Token(t, st.Hash, cohort.ScopeCustomers)
	return func(node int, w http.ResponseWriter, method, path string) {
		r := httptest.NewRequest(method, "/stores/"+st.Hash+"/v2"+path, strings.NewReader("{}"))
		r.Header.Set("X-Auth-Token", token)
		p.nodes[node].ServeHTTP(w, r)
	}
}

// Two servers give out a quota once, and their headers count it down together.
func TestServersShareQuota(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{Plan: cohort.PlanStandard})
		answers := make([]*httptest.ResponseRecorder, 400)
		var wg sync.WaitGroup
		for i := range answers {
			answers[i] = httptest.NewRecorder()
			wg.Go(func() { call(i%2, answers[i], "GET", "/time") })
		}
		wg.Wait()
		var left []int
		for _, w := range answers {
			header := func(name string) int {
				n, err := strconv.Atoi(w.Header().Get(name))
				if err != nil {
					t.Errorf("%s of %d %s: %v", name, w.Code, w.Body, err)
				}
				return n
			}
			reset := header("X-Rate-Limit-Time-Reset-Ms")
			if header("X-Rate-Limit-Requests-Quota") != 150 || header("X-Rate-Limit-Time-Window-Ms") != 30000 || reset <= 0 || reset > 30000 {
				t.Errorf("the headers are %v", w.Header())
			}
			if w.Code == http.StatusOK {
				left = append(left, header("X-Rate-Limit-Requests-Left"))
				continue
			}
			if w.Code != http.StatusTooManyRequests || header("X-Rate-Limit-Requests-Left") != 0 || header("X-Retry-After") != (reset+999)/1000 {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
		}
		slices.Sort(left)
		for i, n := range left {
			if n != i {
				t.Errorf("of those that are let in, number %d has %d left", len(left)-i, n)
			}
		}
		if len(left) != 150 {
			t.Errorf("%d are let in, want 150", len(left))
		}
		p.mustHaveShared(t)
	})
}

// Trials of passwords are counted together.
func TestServersShareRate(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{})
		for i := range 14 {
			want := http.StatusBadRequest // the password is missing, which is looked at later
			if i >= 10 {
				want = http.StatusTooManyRequests
			}
			w := httptest.NewRecorder()
			call(i%2, w, "POST", "/customers/7/validate")
			if w.Code != want || want == http.StatusTooManyRequests && w.Header().Get("X-Retry-After") == "" {
				t.Errorf("trial %d: %d %s %v, want %d", i+1, w.Code, w.Body, w.Header(), want)
			}
		}
		p.mustHaveShared(t)
	})
}

// heldWriter keeps an answer that is no refusal at its first byte.
type heldWriter struct {
	*httptest.ResponseRecorder
	arrived chan<- struct{}
	release <-chan struct{}
}

func (w heldWriter) WriteHeader(status int) {
	w.ResponseRecorder.WriteHeader(status)
	if status != http.StatusTooManyRequests {
		w.arrived <- struct{}{}
		<-w.release
	}
}

// Two servers together have no more requests of one operation under way than a
// store may.
func TestServersShareGate(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{Concurrency: 7})
		for range 3 { // each round finds the places of the last one free
			const all = 60
			arrived, refused, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
			var wg sync.WaitGroup
			for i := range all {
				wg.Go(func() {
					w := heldWriter{httptest.NewRecorder(), arrived, release}
					call(i%2, w, "GET", "/customer_groups")
					if w.Code == http.StatusTooManyRequests {
						refused <- struct{}{}
					}
				})
			}
			in, out := 0, 0
			for in+out < all {
				select {
				case <-arrived:
					in++
				case <-refused:
					out++
				}
			}
			close(release)
			wg.Wait()
			if in != 7 {
				t.Fatalf("%d of %d are under way together, want 7", in, all)
			}
			p.awaitRoom(t, call, 7)
		}
		p.mustHaveShared(t)
	})
}

// awaitRoom waits until a node's freed places are free on the other.
func (p *pair) awaitRoom(t *testing.T, call func(int, http.ResponseWriter, string, string), room int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		arrived, release := make(chan struct{}, 2*room), make(chan struct{})
		var wg sync.WaitGroup
		served := 0
		for i := range room {
			done := make(chan struct{})
			w := heldWriter{httptest.NewRecorder(), arrived, release}
			wg.Go(func() {
				defer close(done)
				call(i%2, w, "GET", "/customer_groups")
			})
			select {
			case <-arrived:
				served++
			case <-done:
			}
		}
		close(release)
		wg.Wait()
		if served == room {
			p.awaitEmpty(t)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d places are free", served, room)
		}
	}
}

// awaitEmpty waits until nothing is to be removed from Redis any more.
func (p *pair) awaitEmpty(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for p.limits[0].Waiting()+p.limits[1].Waiting() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("freed places are not removed")
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

func (p *pair) mustHaveShared(t *testing.T) {
	t.Helper()
	for i, l := range p.limits {
		if !l.Sharing() || l.DecidedLocally() != 0 {
			t.Errorf("node %d: sharing %v, %d decided alone", i, l.Sharing(), l.DecidedLocally())
		}
	}
}

// The metrics tell whether limits are shared, and what was decided alone.
func TestMetricsOfSharing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		redis := redistest.Start(t)
		p := startPair(t, d, redis.URL(""))
		call := p.caller(t, cohort.Store{Plan: cohort.PlanStandard})
		want := func(lines ...string) {
			t.Helper()
			w := httptest.NewRecorder()
			p.metrics[0].Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			for _, line := range lines {
				if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
					t.Errorf("the metrics do not have %q", line)
				}
			}
		}
		answer := func() {
			t.Helper()
			w := httptest.NewRecorder()
			if call(0, w, "GET", "/time"); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		answer()
		want("cohort_limits_shared 1", "cohort_limits_decided_locally_total 0")
		redis.Kill()
		answer()
		answer()
		want("cohort_limits_shared 0", "cohort_limits_decided_locally_total 2")
	})
	alone := httptest.NewRecorder()
	server.NewMetrics().Handler().ServeHTTP(alone, httptest.NewRequest("GET", "/metrics", nil))
	if strings.Contains(alone.Body.String(), "cohort_limits") {
		t.Error("a node that is to share nothing tells of it")
	}
}
