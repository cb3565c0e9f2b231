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

// pair is two nodes: two servers of one service that share their limits.
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

// caller creates a store, and returns a function that sends a request for it to a node.
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

// Two nodes together allow the quota once, and their headers count it down together.
func TestServersShareQuota(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{Plan: cohort.PlanStandard})
		responses := make([]*httptest.ResponseRecorder, 400)
		var wg sync.WaitGroup
		for i := range responses {
			responses[i] = httptest.NewRecorder()
			wg.Go(func() { call(i%2, responses[i], "GET", "/time") })
		}
		wg.Wait()
		var left []int
		for _, w := range responses {
			header := func(name string) int {
				n, err := strconv.Atoi(w.Header().Get(name))
				if err != nil {
					t.Errorf("%s of %d %s: %v", name, w.Code, w.Body, err)
				}
				return n
			}
			reset := header("X-Rate-Limit-Time-Reset-Ms")
			if header("X-Rate-Limit-Requests-Quota") != 150 || header("X-Rate-Limit-Time-Window-Ms") != 30000 || reset <= 0 || reset > 30000 {
				t.Errorf("headers: %v", w.Header())
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
				t.Errorf("admitted request %d has %d left, want %d", len(left)-i, n, i)
			}
		}
		if len(left) != 150 {
			t.Errorf("%d requests were admitted, want 150", len(left))
		}
		p.mustHaveShared(t)
	})
}

// Two nodes count password checks together.
func TestServersShareRate(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{})
		for i := range 14 {
			want := http.StatusBadRequest // the password is missing, which is checked after the limits
			if i >= 10 {
				want = http.StatusTooManyRequests
			}
			w := httptest.NewRecorder()
			call(i%2, w, "POST", "/customers/7/validate")
			if w.Code != want || want == http.StatusTooManyRequests && w.Header().Get("X-Retry-After") == "" {
				t.Errorf("check %d: %d %s %v, want %d", i+1, w.Code, w.Body, w.Header(), want)
			}
		}
		p.mustHaveShared(t)
	})
}

// heldWriter holds a response at its first byte, unless it is a 429.
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

// Two nodes together run as many requests of an operation as the concurrency limit allows.
func TestServersShareConcurrency(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := startPair(t, d, url)
		call := p.caller(t, cohort.Store{Concurrency: 7})
		for range 3 { // each round needs the slots of the previous one
			const all = 60
			arrived, rejected, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
			var wg sync.WaitGroup
			for i := range all {
				wg.Go(func() {
					w := heldWriter{httptest.NewRecorder(), arrived, release}
					call(i%2, w, "GET", "/customer_groups")
					if w.Code == http.StatusTooManyRequests {
						rejected <- struct{}{}
					}
				})
			}
			in, out := 0, 0
			for in+out < all {
				select {
				case <-arrived:
					in++
				case <-rejected:
					out++
				}
			}
			close(release)
			wg.Wait()
			if in != 7 {
				t.Fatalf("%d of %d requests run concurrently, want 7", in, all)
			}
			p.awaitFree(t, call, 7)
		}
		p.mustHaveShared(t)
	})
}

// awaitFree waits until n slots are free on both nodes.
func (p *pair) awaitFree(t *testing.T, call func(int, http.ResponseWriter, string, string), n int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		arrived, release := make(chan struct{}, 2*n), make(chan struct{})
		var wg sync.WaitGroup
		served := 0
		for i := range n {
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
		if served == n {
			p.awaitEmpty(t)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d slots are free", served, n)
		}
	}
}

// awaitEmpty waits until all freed slots are removed from Redis.
func (p *pair) awaitEmpty(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for p.limits[0].Waiting()+p.limits[1].Waiting() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("freed slots are not removed")
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *pair) mustHaveShared(t *testing.T) {
	t.Helper()
	for i, l := range p.limits {
		if !l.Sharing() || l.DecidedLocally() != 0 {
			t.Errorf("node %d: sharing %v, %d local decisions", i, l.Sharing(), l.DecidedLocally())
		}
	}
}

// The metrics have whether the limits are shared, and the number of local decisions.
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
					t.Errorf("the metrics lack %q", line)
				}
			}
		}
		getTime := func() {
			t.Helper()
			w := httptest.NewRecorder()
			if call(0, w, "GET", "/time"); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		getTime()
		want("cohort_limits_shared 1", "cohort_limits_decided_locally_total 0")
		redis.Kill()
		getTime()
		getTime()
		want("cohort_limits_shared 0", "cohort_limits_decided_locally_total 2")
	})
	unshared := httptest.NewRecorder()
	server.NewMetrics().Handler().ServeHTTP(unshared, httptest.NewRequest("GET", "/metrics", nil))
	if strings.Contains(unshared.Body.String(), "cohort_limits") {
		t.Error("a node without shared limits has metrics of sharing")
	}
}
