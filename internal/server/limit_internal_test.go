package server

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"

	"github.com/google/go-cmp/cmp"
)

// A store's concurrency limit replaces that of an operation, unless the operation has no
// limit or a limit of one.
func TestLimitsOfARequest(t *testing.T) {
	ids := api.IDs{{Name: "list_id", Text: "7"}, {Name: "id", Text: "8"}, {Name: "currency", Text: "usd"}}
	for _, c := range []struct {
		name               string
		concurrency, store int
		rate               api.Rate
		want               limit.Request
	}{
		{"none", 0, 0, api.Rate{}, limit.Request{}},
		{"none, with a limit of the store", 0, 5, api.Rate{}, limit.Request{}},
		{"the operation's", 40, 0, api.Rate{}, limit.Request{Concurrency: 40}},
		{"the store's, which is lower", 40, 5, api.Rate{}, limit.Request{Concurrency: 5}},
		{"the store's, which is higher", 2, 5, api.Rate{}, limit.Request{Concurrency: 5}},
		{"the store's, which is one", 40, 1, api.Rate{}, limit.Request{Concurrency: 1}},
		{"one at a time", 1, 0, api.Rate{}, limit.Request{Concurrency: 1}},
		{"one at a time, with a limit of the store", 1, 1000, api.Rate{}, limit.Request{Concurrency: 1}},
		{"a rate, by all variable parts of the path", 0, 0, api.Rate{PerPath: 3, PerStore: 9}, limit.Request{PerPath: 3, PerStore: 9, Path: "7/8/usd"}},
	} {
		store := cohort.Store{Hash: "abc", Key: "abc~2", Plan: cohort.PlanUnlimited, Concurrency: c.store}
		got := limitsOf(store, api.Route{Operation: "test", Concurrency: c.concurrency, PerMinute: c.rate}, ids)
		c.want.Store, c.want.Operation = "abc~2", "test"
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// requestRecorder is a limiter that keeps the requests and admits them.
type requestRecorder struct {
	limit.Limiter
	requests []limit.Request
}

func (r *requestRecorder) Admit(q limit.Request) (limit.Decision, func()) {
	r.requests = append(r.requests, q)
	return limit.Decision{}, func() {}
}

// A handler that counts for an id counts with the requests of the operation that has the
// id in its path: both give the limiter the same request, in memory and in Redis, on
// nodes of any version.
func TestCounterCountsWithThePath(t *testing.T) {
	store := cohort.Store{Hash: "abc", Key: "abc~2", Plan: cohort.PlanUnlimited}
	recorder := &requestRecorder{}
	e := &endpoint{server: &Server{limits: recorder}}
	if err := e.counter(store)(api.PasswordChecks, "7"); err != nil {
		t.Fatal(err)
	}
	for _, dialect := range Dialects(nil) {
		for _, route := range dialect.Routes {
			if route.Operation == api.PasswordChecks.Operation {
				recorder.Admit(limitsOf(store, route, api.IDs{{Name: "customer_id", Text: "7"}}))
			}
		}
	}
	if len(recorder.requests) != 2 {
		t.Fatalf("%d requests, want that of the handler and that of the route", len(recorder.requests))
	}
	if diff := cmp.Diff(recorder.requests[1], recorder.requests[0]); diff != "" {
		t.Errorf("the request of a handler (-route +handler):\n%s", diff)
	}
}
