package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// expensiveEndpoint is a route of a server on which one thing runs at once and
// nothing waits.
func expensiveEndpoint(handle api.Handler) *endpoint {
	work := limit.NewWork(limit.WorkOptions{Name: limit.ExpensiveWork, Concurrency: 1})
	return &endpoint{
		server: &Server{work: work, metrics: NewMetrics()},
		route:  api.Route{Expensive: true, Handle: handle},
	}
}

func expensiveRequest(ctx context.Context) *api.Request {
	return &api.Request{Request: httptest.NewRequestWithContext(ctx, "POST", "/", nil), Store: cohort.Store{Hash: "abc"}}
}

// TestExpensiveWorkHoldsAPlace: while a handler computes its answer, another is
// refused, and the refusal is counted. From the first byte on, there is room.
func TestExpensiveWorkHoldsAPlace(t *testing.T) {
	var e *endpoint
	running := func() int {
		n, _ := e.server.work.Usage()
		return n
	}
	e = expensiveEndpoint(func(w http.ResponseWriter, r *api.Request) error {
		if running() != 1 {
			t.Errorf("%d places are taken while it computes", running())
		}
		err := e.work(httptest.NewRecorder(), expensiveRequest(r.Context()))
		refused := httptest.NewRecorder()
		if !e.refuseFull(refused, err) || refused.Code != http.StatusTooManyRequests || refused.Header().Get("X-Retry-After") != "1" {
			t.Errorf("another got %v, and the answer %d", err, refused.Code)
		}
		w.WriteHeader(http.StatusOK)
		if running() != 0 {
			t.Error("it keeps its place while the client reads")
		}
		return nil
	})
	if err := e.work(httptest.NewRecorder(), expensiveRequest(t.Context())); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewRecorder()
	e.server.metrics.Handler().ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if !strings.Contains(page.Body.String(), `cohort_http_requests_refused_total{limit="work"} 1`) {
		t.Error("the refusal is not counted")
	}
	if running() != 0 {
		t.Error("a place is lost")
	}
}

// TestExpensiveWorkGivesItsPlaceBack: also where it fails, or panics, or its
// client has left before.
func TestExpensiveWorkGivesItsPlaceBack(t *testing.T) {
	trouble := errors.New("trouble")
	for name, handle := range map[string]api.Handler{
		"an error": func(http.ResponseWriter, *api.Request) error { return trouble },
		"a panic":  func(http.ResponseWriter, *api.Request) error { panic(trouble) },
	} {
		t.Run(name, func(t *testing.T) {
			e := expensiveEndpoint(handle)
			func() {
				defer func() { _ = recover() }()
				if err := e.work(httptest.NewRecorder(), expensiveRequest(t.Context())); !errors.Is(err, trouble) {
					t.Errorf("got error %v", err)
				}
			}()
			if n, _ := e.server.work.Usage(); n != 0 {
				t.Errorf("%d places are taken", n)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := expensiveEndpoint(func(http.ResponseWriter, *api.Request) error {
		t.Error("it began for a client that has left")
		return nil
	})
	if err := e.work(httptest.NewRecorder(), expensiveRequest(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

// TestExpensiveRoutes: what the route table marks.
func TestExpensiveRoutes(t *testing.T) {
	want := map[string]bool{"getPrices": true, "explainPrices": true, "checkAccess": true}
	for _, d := range Dialects(nil) {
		for _, r := range d.Routes {
			if r.Expensive != want[r.Operation] {
				t.Errorf("%s is expensive: %t", r.Operation, r.Expensive)
			}
		}
	}
	if one, two, eight := expensiveConcurrency(1), expensiveConcurrency(2), expensiveConcurrency(8); one != 1 || two != 1 || eight != 7 {
		t.Errorf("at once run %d on one processor, %d on two and %d on eight", one, two, eight)
	}
}
