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

// expensiveEndpoint returns an endpoint whose server runs one expensive request at a
// time, with no queue.
func expensiveEndpoint(handle api.Handler) *endpoint {
	queue := limit.NewFairQueue(limit.FairQueueOptions{Name: limit.ExpensiveRequests, Concurrency: 1})
	return &endpoint{
		server: &Server{expensive: queue, metrics: NewMetrics()},
		route:  api.Route{Expensive: true, Handle: handle},
	}
}

func expensiveRequest(ctx context.Context) *api.Request {
	return &api.Request{Request: httptest.NewRequestWithContext(ctx, "POST", "/", nil), Store: cohort.Store{Hash: "abc"}}
}

// While a handler computes its response it holds the slot, so another request is
// rejected and counted. The slot is released before the first byte is sent.
func TestExpensiveRequestHoldsSlot(t *testing.T) {
	var e *endpoint
	running := func() int {
		n, _ := e.server.expensive.Usage()
		return n
	}
	e = expensiveEndpoint(func(w http.ResponseWriter, r *api.Request) error {
		if running() != 1 {
			t.Errorf("%d slots are held during the computation, want 1", running())
		}
		err := e.run(httptest.NewRecorder(), expensiveRequest(r.Context()), &entry{})
		rejected := httptest.NewRecorder()
		if !e.rejectFull(rejected, err) || rejected.Code != http.StatusTooManyRequests || rejected.Header().Get("X-Retry-After") != "1" {
			t.Errorf("another request: error %v, status %d", err, rejected.Code)
		}
		w.WriteHeader(http.StatusOK)
		if running() != 0 {
			t.Error("the slot is held while the client reads")
		}
		return nil
	})
	if err := e.run(httptest.NewRecorder(), expensiveRequest(t.Context()), &entry{}); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewRecorder()
	e.server.metrics.Handler().ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if !strings.Contains(page.Body.String(), `cohort_http_requests_refused_total{limit="expensive"} 1`) {
		t.Error("the rejection is not counted")
	}
	if running() != 0 {
		t.Error("the slot was not released")
	}
}

// The slot is released after an error and after a panic. A request that was canceled
// before does not start.
func TestExpensiveRequestReleasesSlot(t *testing.T) {
	failure := errors.New("failure")
	for name, handle := range map[string]api.Handler{
		"an error": func(http.ResponseWriter, *api.Request) error { return failure },
		"a panic":  func(http.ResponseWriter, *api.Request) error { panic(failure) },
	} {
		t.Run(name, func(t *testing.T) {
			e := expensiveEndpoint(handle)
			func() {
				defer func() { _ = recover() }()
				if err := e.run(httptest.NewRecorder(), expensiveRequest(t.Context()), &entry{}); !errors.Is(err, failure) {
					t.Errorf("got error %v", err)
				}
			}()
			if n, _ := e.server.expensive.Usage(); n != 0 {
				t.Errorf("%d slots are held", n)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := expensiveEndpoint(func(http.ResponseWriter, *api.Request) error {
		t.Error("the handler ran for a canceled request")
		return nil
	})
	if err := e.run(httptest.NewRecorder(), expensiveRequest(ctx), &entry{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

// TestExpensiveRoutes checks which routes are expensive.
func TestExpensiveRoutes(t *testing.T) {
	want := map[string]bool{
		"getPrices": true, "explainPrices": true, "checkAccess": true, "getCatalogSummary": true,
		"moveMembers": true, "deleteGroupSafely": true, "getGroupAsOf": true, "getMembership": true,
	}
	for _, d := range Dialects(nil) {
		for _, r := range d.Routes {
			if r.Expensive != want[r.Operation] {
				t.Errorf("%s: expensive: %t", r.Operation, r.Expensive)
			}
		}
	}
	if one, two, eight := expensiveConcurrency(1), expensiveConcurrency(2), expensiveConcurrency(8); one != 1 || two != 1 || eight != 7 {
		t.Errorf("concurrency is %d on one processor, %d on two and %d on eight", one, two, eight)
	}
}
