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
