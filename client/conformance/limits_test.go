package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/client"
	"cohort.example/cohort/cohorttest"
)

// TestWall has another client use up the quota: the client waits as long as the server says.
func TestWall(t *testing.T) {
	s := cohorttest.Start(t)
	clock := &storeClock{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	c := meteredStore(t, s, "metered", clock)
	must(c.Groups.List(t.Context(), client.GroupFilter{}, client.Page{}))(t)
	s.Limits("metered").Exhaust(t)
	var res client.Response
	must(c.Groups.List(client.WithResponse(t.Context(), &res), client.GroupFilter{}, client.Page{}))(t)
	if res.Attempts != 2 || clock.slept < 29*time.Second || clock.slept > 34*time.Second {
		t.Errorf("%d attempts, after %v", res.Attempts, clock.slept)
	}
}

// TestConcurrencyLimits has more callers than the server serves at the same time.
func TestConcurrencyLimits(t *testing.T) {
	s := cohorttest.Start(t)
	store, token := s.TempStore(t)
	c := newClient(t, s, store, token, client.WithRetry(client.RetryPolicy{Attempts: 1}))
	list := must(c.PriceLists.Create(t.Context(), client.PriceListUpdate{Name: client.Set("A")}))(t)
	s.Faults(store).Set(t, `{"operation":"deletePriceList","delay":"10ms"}`, `{"operation":"updateCustomersV3","delay":"10ms"}`, `{"operation":"getCategoriesOfTree","delay":"10ms"}`)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() { // one of them deletes, the others find nothing; none gets a 429
			_ = c.PriceLists.Delete(t.Context(), list.ID+int64(i))
		})
		wg.Go(func() { _, _ = c.CustomersV3.Update(t.Context(), []client.CustomerV3Update{{ID: 1}}) })
		wg.Go(func() { _, _ = c.CategoryTrees.Categories(t.Context(), 1) })
	}
	wg.Wait()
	if n := s.Requests(store).Count(t, `{"status":429}`); n > 0 {
		t.Errorf("%d requests got a 429", n)
	}
	if n := s.Requests(store).Count(t, `{}`); n != 37 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestCall reaches an operation without a method, through the same errors and bounds.
func TestCall(t *testing.T) {
	s := cohorttest.Start(t)
	c := newClient(t, s, s.Store, s.Token)
	var made struct {
		Data []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"data"`
	}
	if err := c.Call(t.Context(), "POST", "/v3/segments", nil, []map[string]string{{"name": "S"}}, &made); err != nil || len(made.Data) != 1 || made.Data[0].Name != "S" {
		t.Errorf("got %+v, %v", made, err)
	}
	if err := c.Call(t.Context(), "DELETE", "/v3/segments", url.Values{"id:in": {made.Data[0].ID}}, nil, nil); err != nil {
		t.Error(err)
	}
}

// lossy loses each third answer of reads.
type lossy struct {
	mu sync.Mutex
	n  int
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n++; l.n%3 == 0 && r.Method == "GET" && err == nil {
		_ = res.Body.Close()
		return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("bad gateway")), Request: r}, nil
	}
	return res, err
}

// TestProxyThatFails reads a list through a proxy that loses answers.
func TestProxyThatFails(t *testing.T) {
	s := cohorttest.Start(t)
	c := newClient(t, s, s.Store, s.Token, client.WithHTTPClient(&http.Client{Transport: &lossy{}}),
		client.WithRetry(client.RetryPolicy{Attempts: 4, MinWait: time.Millisecond, MaxWait: time.Second}))
	for i := range 20 {
		must(c.Groups.Create(t.Context(), client.GroupUpdate{Name: client.Set(fmt.Sprint("Group ", i))}))(t)
		if n := must(c.Groups.Count(t.Context(), client.GroupFilter{}))(t); n != i+1 {
			t.Errorf("there are %d groups", n)
		}
	}
}
