package groupsync_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/groupsync"

	"github.com/google/go-cmp/cmp"
)

// storeClock is the time of a client and of the store that it calls. To sleep moves the clock
// of the store, so no test waits.
type storeClock struct {
	t   *testing.T
	of  cohorttest.Clock
	mu  sync.Mutex
	now time.Time
}

func (c *storeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *storeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.of.Advance(c.t, d)
	return ctx.Err()
}

// metered is a server with a store under the quota of the smallest plan.
func metered(t *testing.T) (*cohorttest.Server, *client.Client) {
	t.Helper()
	s := cohorttest.Start(t)
	token := s.NewStore(t, cohort.Store{Hash: "shop", Plan: cohort.PlanStandard, Catalog: cohort.CatalogManaged})
	clock := &storeClock{t: t, of: s.Clock("shop"), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock.of.Freeze(t, clock.now)
	c, err := client.New("shop", token, client.WithBaseURL(s.URL), client.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// Two Cohorts play the vendor's service under the quota of its smallest plan. One is pulled
// and applied to the other, and no request gets a 429.
func TestNo429(t *testing.T) {
	t.Parallel()
	const groups, products = 260, 90
	var text strings.Builder
	text.WriteString("products:\n")
	for i := range products {
		fmt.Fprintf(&text, "- {name: P%03d, sku: S%03d, type: physical, weight: 1, price: 10}\n", i, i)
	}
	text.WriteString("price_lists:\n- name: Trade\n  records:\n")
	for i := range products {
		fmt.Fprintf(&text, "  - {variant_id: S%03d, currency: usd, price: %d}\n", i, i+1)
	}
	text.WriteString("customer_groups:\n")
	for i := range groups {
		fmt.Fprintf(&text, "- {name: G%03d, discount_rules: [{type: product, product_id: P%03d, method: percent, amount: 5}]}\n", i, i%products)
	}
	from, source := metered(t)
	from.SeedText(t, "shop", text.String())
	to, target := metered(t)

	file := pullFrom(t, source)
	want := parse(t, file)
	apply(t, target, compare(t, target, want, true))
	if diff := cmp.Diff(withoutIDs(t, file), withoutIDs(t, pullFrom(t, target))); diff != "" {
		t.Errorf("(-pulled +applied):\n%s", diff)
	}
	for name, s := range map[string]*cohorttest.Server{"from": from, "to": to} {
		if n := s.Requests("shop").Count(t, `{"status":429}`); n > 0 {
			t.Errorf("%s: %d requests got a 429", name, n)
		}
	}
	if n := to.Requests("shop").Count(t, `{}`); n < 300 {
		t.Errorf("%d requests; the test is about more than two quotas", n)
	}
}

// hurried is a clock that does not wait.
type hurried struct{}

func (hurried) Now() time.Time { return time.Time{} }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// A 429 without headers is repeated, and the pull goes on.
func TestPullWith429WithoutHeaders(t *testing.T) {
	t.Parallel()
	s := httpShop(t, "customer_groups: [{name: A}]")
	requests := 0
	send := func(r *http.Request) (*http.Response, error) {
		if requests++; requests%3 != 0 {
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return http.DefaultTransport.RoundTrip(r)
	}
	c, err := client.New(s.hash, s.token, client.WithBaseURL(s.URL), client.WithHTTPClient(&http.Client{Transport: transport(send)}), client.WithClock(hurried{}))
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := (&groupsync.Reader{Client: c}).Read(t.Context())
	if err != nil || len(d.Groups) != 1 {
		t.Errorf("%v, %v", d, err)
	}
}
