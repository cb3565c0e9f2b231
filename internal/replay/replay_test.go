package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/recorder"
	"cohort.example/cohort/internal/replay"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/upstream"

	"github.com/google/go-cmp/cmp"
)

// requests are what a client does with a store. {group} and so on are ids of responses.
var requests = []string{
	`POST /v2/customer_groups {"name":"Wholesale","discount_rules":[{"type":"all","method":"percent","amount":"5.0000"}]}`,
	`GET /v2/customer_groups`,
	`GET /v2/customer_groups/1`,
	`PUT /v2/customer_groups/1 {"is_default":true}`,
	`POST /v3/customers [{"first_name":"Jo","last_name":"Smith","email":"jo@acme.test","customer_group_id":1,"addresses":[{"first_name":"Jo","last_name":"Smith","address1":"Main 1","city":"Berlin","state_or_province":"Berlin","postal_code":"10115","country_code":"DE"}]}]`,
	`GET /v3/customers?id:in=1&include=addresses`,
	`GET /v2/customers/1/addresses`,
	`GET /v2/customers?customer_group_id=1`,
	`PUT /v3/customers [{"id":1,"notes":"likes green"}]`,
	`POST /v2/customers {"first_name":"Jo","last_name":"Smith","email":"jo@acme.test"}`,
	`GET /v2/customers/count`,
	`DELETE /v2/customers/1`,
	`GET /v2/customers/1`,
	`GET /v2/orders`,
	`DELETE /v2/customer_groups/1`,
	`HEAD /v2/customer_groups`,
}

// recordStore sends requests to a store through a recorder, and returns the recording.
func recordStore(t *testing.T, url, store, token string, requests []string) string {
	t.Helper()
	to, err := upstream.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := exchange.NewWriter(&file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := recorder.New(recorder.Options{To: to, Writer: w, AllowWrites: true})
	front := httptest.NewServer(p)
	for _, request := range requests {
		method, rest, _ := strings.Cut(request, " ")
		path, body, _ := strings.Cut(rest, " ")
		servertest.Send(t, method, front.URL+"/stores/"+store+path, token, body)
	}
	front.Close()
	p.Close()
	return file.String()
}

// results runs a replay and returns its results.
func results(t *testing.T, recording string, o replay.Options) (list []replay.Result) {
	t.Helper()
	o.Client = upstream.NewClient()
	for r, err := range replay.Run(t.Context(), exchange.Read("file", strings.NewReader(recording)), o) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func describe(list []replay.Result) string {
	var b strings.Builder
	for _, r := range list {
		for _, d := range r.Differences {
			fmt.Fprintf(&b, "%s %s: %s %s: %s, %s\n", r.Method, r.Target, d.What, d.Field, d.Recorded, d.Got)
		}
		if r.Skipped != "" {
			fmt.Fprintf(&b, "%s %s is skipped: %s\n", r.Method, r.Target, r.Skipped)
		}
	}
	return b.String()
}

// A recording of Cohort has no differences from Cohort, in a store with other ids.
func TestReplay(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		for _, hash := range []string{"abc", "other"} {
			s.Store(t, cohort.Store{Hash: hash})
		}
		token, other := s.Token(t, "abc", cohort.ScopeCustomers), s.Token(t, "other", cohort.ScopeCustomers)
		for i := range 3 { // ids that the recording does not have
			servertest.Send(t, "POST", s.URL+"/stores/other/v2/customer_groups", other, fmt.Sprintf(`{"name":"g%d"}`, i))
			servertest.Send(t, "DELETE", fmt.Sprintf("%s/stores/other/v2/customer_groups/%d", s.URL, i+1), other, "")
			servertest.Send(t, "POST", s.URL+"/stores/other/v2/customers", other, fmt.Sprintf(`{"first_name":"a","last_name":"b","email":"c%d@example.com"}`, i))
			servertest.Send(t, "DELETE", fmt.Sprintf("%s/stores/other/v2/customers/%d", s.URL, i+1), other, "")
		}
		recording := recordStore(t, s.URL, "abc", token, requests)
		for _, text := range []string{"acme", "Smith", "Wholesale", "green", "Berlin", token} {
			if strings.Contains(recording, text) {
				t.Errorf("the recording has %s", text)
			}
		}
		list := results(t, recording, replay.Options{URL: s.URL, Store: "other", Token: other, Writes: true, Values: []string{"name", "discount_rules.amount", "email", "count"}})
		if got := describe(list); got != "" || len(list) != len(requests) {
			t.Errorf("%d results:\n%s\n%s", len(list), got, recording)
		}
		// The same store has other values now, and no group.
		list = results(t, recording, replay.Options{URL: s.URL, Store: "abc", Token: token, Same: true})
		const skipped = " is skipped: it changes something\n"
		want := "POST /v2/customer_groups" + skipped + "GET /v2/customer_groups: status : 200, 204\nGET /v2/customer_groups/1: status : 200, 404\n" +
			"PUT /v2/customer_groups/1" + skipped + "POST /v3/customers" + skipped + "GET /v2/customers/1/addresses: status : 200, 404\nGET /v2/customers?customer_group_id=1: status : 200, 204\n" +
			"PUT /v3/customers" + skipped + "POST /v2/customers" + skipped + "DELETE /v2/customers/1" + skipped + "DELETE /v2/customer_groups/1" + skipped
		if diff := cmp.Diff(want, describe(list)); diff != "" {
			t.Errorf("later (-want +got):\n%s", diff)
		}
	})
}

// fixed returns a server that answers every request with a body.
func fixed(t *testing.T, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestDifferences compares bodies of two servers, in both ways.
func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, now, want string }{
		{`{"id":1,"date_created":"2023-07-17 06:30:41"}`, `{"id":2,"date_created":"2024-07-17 06:30:41"}`, ""},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, "order of keys : a, b, b, a"},
		{`{"a":1,"b":2}`, `{"a":1}`, "missing key b: number, "},
		{`{"a":1}`, `{"a":1,"b":"x"}`, "new key b: , string"},
		{`{"a":1}`, `{"a":"1"}`, "type a: number, string"},
		{`{"a":null}`, `{"a":[]}`, "type a: null, array"},
		{`[1,2]`, `[]`, ""},
		{`[]`, `[1]`, ""},
		{`[1,null]`, `[null,null,2]`, ""},
		{`[1]`, `[1,"a"]`, "type []: number, number or string"},
		{`[{"a":1},{"a":1,"b":2}]`, `[{"a":5}]`, ""},
		{`[{"a":1,"b":2}]`, `[{"a":1,"b":2},{"a":5}]`, "missing key [].b: number, "},
		{`[{"a":1,"c":1},{"a":1,"b":2,"c":3}]`, `[{"a":1,"b":2,"c":3}]`, ""},
		{`{"data":[{"x":{"y":1}}]}`, `{"data":[{"x":{"y":true}}]}`, "type data[].x.y: number, boolean"},
		{`{"a":1}`, `The route`, "body : JSON, a text"},
		{`The route is not found, check the URL`, `The route is not found, check the URL`, ""},
	} {
		before, now := fixed(t, c.before), fixed(t, c.now)
		older := recordStore(t, before, "abc", "t0ken-of-a-store", []string{"GET /v2/customers"})
		newer := recordStore(t, now, "abc", "t0ken-of-a-store", []string{"GET /v2/customers"})
		var live []string
		for _, r := range results(t, older, replay.Options{URL: now, Store: "abc", Same: true}) {
			for _, d := range r.Differences {
				live = append(live, fmt.Sprintf("%s %s: %s, %s", d.What, d.Field, d.Recorded, d.Got))
			}
		}
		if got := strings.Join(live, "\n"); got != c.want {
			t.Errorf("%s, then %s: %q, want %q", c.before, c.now, got, c.want)
		}
		if strings.HasPrefix(c.now, "The route") && c.want != "" {
			continue // the recording has that text only if it is one of the API
		}
		for r, err := range replay.Drift(exchange.Read("older", strings.NewReader(older)), exchange.Read("newer", strings.NewReader(newer))) {
			var both []string
			for _, d := range r.Differences {
				both = append(both, fmt.Sprintf("%s %s: %s, %s", d.What, d.Field, d.Recorded, d.Got))
			}
			if diff := cmp.Diff(live, both); diff != "" || err != nil {
				t.Errorf("%s, then %s: %v (-live +recorded):\n%s", c.before, c.now, err, diff)
			}
		}
	}
}

// Of two recordings, the exchanges with the same request belong together, in their order.
func TestDriftPairs(t *testing.T) {
	t.Parallel()
	answers := map[string]string{"one": `{"a":1}`, "two": `{"b":1}`}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "9" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, answers[r.Header.Get("X-Auth-Token")])
	}))
	t.Cleanup(s.Close)
	older := recordStore(t, s.URL, "abc", "one", []string{"GET /v2/customers", "GET /v2/customers?page=2", "GET /v2/customers", "GET /v2/customers?page=9"})
	newer := recordStore(t, s.URL, "abc", "two", []string{"GET /v2/customers?page=2", "GET /v2/customers?page=2", "GET /v2/customers?page=9", "GET /v2/customers"})
	var list []replay.Result
	for r, err := range replay.Drift(exchange.Read("older", strings.NewReader(older)), exchange.Read("newer", strings.NewReader(newer))) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	want := "GET /v2/customers?page=2: missing key a: number, \nGET /v2/customers?page=2: new key b: , number\n" +
		"GET /v2/customers?page=2 is skipped: the older recording does not have it\n" +
		"GET /v2/customers?page=9 is skipped: a recorded response is a failure of the moment\n" +
		"GET /v2/customers: missing key a: number, \nGET /v2/customers: new key b: , number\n"
	if diff := cmp.Diff(want, describe(list)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A request that came too soon is repeated after the time that the server asks for.
func TestWaits(t *testing.T) {
	t.Parallel()
	var sent int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if sent++; sent == 1 || sent > 3 {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[]`)
			return
		}
		w.Header().Set("X-Rate-Limit-Time-Reset-Ms", "15000")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(s.Close)
	recording := recordStore(t, s.URL, "abc", "t", []string{"GET /v2/customers"})
	var waits []time.Duration
	o := replay.Options{URL: s.URL, Store: "abc", Same: true, Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }}
	if list := results(t, recording, o); describe(list) != "" || len(list) != 1 {
		t.Errorf("%s", describe(list))
	}
	if diff := cmp.Diff([]time.Duration{15 * time.Second, 15 * time.Second}, waits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sent = 1
	stop := errors.New("stop")
	o.Wait = func(context.Context, time.Duration) error { return stop }
	o.Client = upstream.NewClient()
	for _, err := range replay.Run(t.Context(), exchange.Read("file", strings.NewReader(recording)), o) {
		if !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
	}
}

// A server that does not answer, and a recording that cannot be read, end a replay.
func TestRunFails(t *testing.T) {
	t.Parallel()
	url := fixed(t, `[]`)
	recording := recordStore(t, url, "abc", "t", []string{"GET /v2/customers"})
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, c := range []struct{ text, url, want string }{
		{recording, gone.URL, "GET /v2/customers: "},
		{recording + "{", url, "file, line 3: the line is not an exchange: "},
	} {
		var last error
		for _, err := range replay.Run(t.Context(), exchange.Read("file", strings.NewReader(c.text)), replay.Options{URL: c.url, Store: "abc", Client: upstream.NewClient()}) {
			last = err
		}
		if last == nil || !strings.HasPrefix(last.Error(), c.want) {
			t.Errorf("%v, want %s", last, c.want)
		}
	}
}
