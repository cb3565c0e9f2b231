package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
)

// wantAll fails for each text that a page does not have.
func wantAll(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

// withRequests is a fixture whose store has got three requests.
func withRequests(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.api(t, "POST", "/v2/customer_groups?trace=1", `{"name":"<img src=x onerror=alert(1)>\u202e"}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":""}`)
	f.api(t, "GET", "/v2/nothing?page=2", "")
	return f
}

func TestRequests(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, f.path("requests")), "No client has called this store yet.", secret)
	f = withRequests(t)
	page := f.get(t, f.path("requests"))
	wantAll(t, page, `<span class="tag good">200</span>`, `<span class="tag warn">400</span>`, "not read: query.trace",
		`/requests/1"><span class="method">POST</span> /v2/customer_groups?trace=1</a>`, "not served", `data-stream="/console/stores/abc/requests/stream?since=3"`)
	if strings.Contains(page, "<img") {
		t.Error(page)
	}
	for query, want := range map[string]string{
		"status=4xx": "2 requests match the filter", "status=404": "1 request matches the filter", "operation=createGroup": "2 requests match",
		"method=get": "1 request matches", "path=/v2/nothing*": "1 request matches", "token=none": "No request matches the filter.", "status=5xx": "No request matches",
	} {
		wantAll(t, f.get(t, f.path("requests")+"?"+query), want)
	}
	f.post(t, f.path("requests", "clear"), nil, 303)
	wantAll(t, f.get(t, f.path("requests")), "No client has called this store yet.")
}

func TestPagesOfRequests(t *testing.T) {
	f := newFixture(t)
	for i := range requestsShown + 5 {
		f.api(t, "GET", fmt.Sprintf("/v2/customer_groups/%d", i+1), "")
	}
	page := f.get(t, f.path("requests"))
	wantAll(t, page, `href="/console/stores/abc/requests?before=6"`, "/v2/customer_groups/105</a>")
	page = f.get(t, f.path("requests")+"?before=6")
	wantAll(t, page, "/v2/customer_groups/5</a>", `rel="prev" href="/console/stores/abc/requests"`)
	if strings.Contains(page, "data-stream=\"/") || strings.Contains(page, `rel="next"`) {
		t.Error(page)
	}
}

func TestRequest(t *testing.T) {
	f := withRequests(t)
	page := f.get(t, f.path("requests", "1"))
	wantAll(t, page, "<code>createGroup</code>", "<code>query.trace</code>", `&#34;name&#34;: &#34;&lt;img src=x onerror=alert(1)&gt;`,
		"<dt>X-Auth-Token</dt><dd>***</dd>", "--data-binary", `&#34;operation&#34;: &#34;createGroup&#34;`, `rel="next" href="/console/stores/abc/requests/2"`)
	if strings.Contains(page, "<img") || strings.Contains(page, secret) || strings.Contains(page, "refused here") {
		t.Error(page)
	}
	wantAll(t, f.get(t, f.path("requests", "2")), "refused here", "The response says:", "<strong>Operation</strong>")
	wantAll(t, f.get(t, f.path("requests", "3")), "not reached", "<strong>Route</strong>")
	f.send(t, "GET", f.path("requests", "9"), nil, 404)
}

// A request that a check refuses has its mark.
func TestChecks(t *testing.T) {
	f := newFixture(t)
	small, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "small", Plan: cohort.PlanEnterprise, Quota: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, full, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: small.Key, Scopes: cohort.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	_, reader, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: f.store.Key, Scopes: []cohort.Scope{cohort.ScopeCustomersRead}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tests.Faults.Add(f.store.Key, fault.Rule{Operation: "getTime", Action: fault.Action{Kind: fault.KindStatus, Status: 503}}); err != nil {
		t.Fatal(err)
	}
	const groups = "/v2/customer_groups"
	for _, test := range []struct {
		check                            journal.Check
		store, method, path, body, token string
		header                           string
	}{
		{"", "abc", "POST", groups, `{"name":"x"}`, secret, ""},
		{journal.CheckRoute, "abc", "GET", "/v2/none", "", secret, ""},
		{journal.CheckToken, "abc", "GET", groups, "", "unknown", ""},
		{journal.CheckToken, "abc", "GET", groups, "", "", ""},
		{journal.CheckScope, "abc", "POST", groups, `{"name":"y"}`, reader, ""},
		{journal.CheckScope, "abc", "GET", groups, "", full, ""},
		{"", "small", "GET", groups, "", full, ""},
		{journal.CheckLimits, "small", "GET", groups, "", full, ""},
		{journal.CheckFormats, "abc", "GET", groups, "", secret, "text/html"},
		{journal.CheckFault, "abc", "GET", "/v2/time", "", secret, ""},
		{journal.CheckBody, "abc", "POST", groups, strings.Repeat(" ", 1<<20+1), secret, ""},
		{journal.CheckOperation, "abc", "POST", groups, `{"name":""}`, secret, ""},
		{journal.CheckOperation, "abc", "POST", groups, `{`, secret, ""},
		{journal.CheckOperation, "abc", "GET", groups + "/99", "", secret, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, "/stores/"+test.store+test.path, strings.NewReader(test.body))
		if test.token != "" {
			r.Header.Set("X-Auth-Token", test.token)
		}
		r.Header.Set("Accept", test.header)
		w := httptest.NewRecorder()
		f.API.ServeHTTP(w, r)
		list := f.Tests.Journal.Find(t.Context(), test.store, 0, &journal.Criteria{})
		if got := list[len(list)-1]; got.Check != test.check {
			t.Errorf("%s %s: %d is refused by %q, want %q\n%s", test.method, test.path, got.Status, got.Check, test.check, w.Body)
		}
	}
	for _, check := range journal.Checks() {
		if line := checkTexts()[check]; line.Name == "" || line.Text == "" || line.Rule == "" {
			t.Errorf("%s has no text", check)
		}
	}
}

// A request that is sent again is a new one, with the token of the store.
func TestSendAgain(t *testing.T) {
	f := withRequests(t)
	f.post(t, f.path("requests", "1", "again"), nil, 303)
	if got := f.last.Header.Get("Location"); got != f.path("requests", "4") {
		t.Fatal(got)
	}
	// The name is taken now.
	wantAll(t, f.get(t, f.path("requests", "4")), `<span class="tag warn">400</span>`, "?trace=1")
	if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "other"}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/stores/other/v2/time", nil)
	f.API.ServeHTTP(httptest.NewRecorder(), r)
	wantAll(t, f.post(t, storePath("other", "requests", "5", "again"), nil, 422), "Give the token of the store.")
	f.post(t, storePath("other", "requests", "5", "again"), url.Values{"token": {"some"}}, 303)
	wantAll(t, f.get(t, storePath("other", "requests", "6")), `<span class="tag warn">401</span>`)
}

// A request appears on the stream, with nothing missing between the page and it.
func TestStream(t *testing.T) {
	f := withRequests(t)
	s := httptest.NewServer(f)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+f.path("requests", "stream")+"?since=2&status=4xx", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() (row requestRow) {
		t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(text), &row); err != nil {
					t.Fatal(err)
				}
				return row
			}
		}
		t.Fatal("the stream has ended")
		return row
	}
	if row := next(); row.ID != 3 || row.Path != "/v2/nothing?page=2" || row.Status != 404 {
		t.Errorf("%+v", row)
	}
	f.api(t, "GET", "/v2/time", "")
	f.api(t, "GET", "/v2/more", "")
	if row := next(); row.ID != 5 || row.Path != "/v2/more" {
		t.Errorf("%+v", row)
	}
	f.Tests.Journal.Close()
	for lines.Scan() {
		if lines.Text() != "" {
			t.Errorf("after the end: %q", lines.Text())
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t)
	for range maxStreams {
		f.streams <- struct{}{}
	}
	f.send(t, "GET", f.path("requests", "stream"), nil, 429)
}

// The overview has what a client needs, and the first page is small.
func TestHome(t *testing.T) {
	f := withRequests(t)
	page := f.get(t, Prefix)
	wantAll(t, page, "http://127.0.0.1:8080/stores/abc/v2/", secret, "3 requests, of which", "Lines to paste into a client")
	if strings.Contains(page, "<img") {
		t.Error(page)
	}
	size := len(page)
	for name := range versions {
		size += len(f.get(t, staticPath(name)))
	}
	if size > 100_000 {
		t.Errorf("the first page has %d bytes", size)
	}
	if err := f.svc.Clocks().Freeze(f.store.Key, now()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tests.Faults.Add(f.store.Key, fault.Rule{Action: fault.Action{Kind: fault.KindStatus, Status: 503}}); err != nil {
		t.Fatal(err)
	}
	wantAll(t, f.get(t, Prefix), "1 rule is on", `<span class="tag warn">frozen</span> at 2026-11-03 09:30:00`)
}

// A console that is not for tests has none of its pages.
func TestServiceHasNoTestPages(t *testing.T) {
	f := newFixture(t)
	o := f.Options
	o.Tests = nil
	f.Console = New(o)
	f.send(t, "GET", f.path("requests"), nil, 404)
	f.send(t, "GET", Prefix, nil, 302)
	page := f.get(t, "/console/stores")
	if strings.Contains(page, "test server") || strings.Contains(page, "Overview") {
		t.Error(page)
	}
}
