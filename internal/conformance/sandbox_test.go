package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/seed"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/testenv"
	"cohort.example/cohort/internal/wirescript"

	"github.com/google/go-cmp/cmp"
)

// shop is a store with content of every kind.
type shop struct {
	*servertest.Server
	store cohort.Store
}

func openShop(t *testing.T, d *db.DB) *shop {
	t.Helper()
	s := servertest.Start(t, d, server.Options{})
	sh := &shop{s, s.Store(t, cohort.Store{Hash: "abc"})}
	s.Token(t, "abc", cohort.Scopes()...) // a seed with webhooks needs one
	root, err := seed.Parse(docs.Example)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seed.Load(t.Context(), s.Service, server.Dialects(s.Service), sh.store, root); err != nil {
		t.Fatal(err)
	}
	return sh
}

func (s *shop) content(t *testing.T) string {
	t.Helper()
	root, err := seed.Export(t.Context(), s.Service, server.Dialects(s.Service), s.store)
	if err != nil {
		t.Fatal(err)
	}
	text, err := seed.Write(root, seed.YAML)
	if err != nil {
		t.Fatal(err)
	}
	// What the export does not have belongs to a customer, or to a group and a list.
	token := s.Token(t, "abc", cohort.Scopes()...)
	for _, path := range []string{"/v3/shopper-profiles", "/v3/customers/metafields", "/v3/pricelists/assignments", "/v3/customers/attribute-values"} {
		text = append(text, servertest.Send(t, "GET", s.URL+"/stores/abc"+path, token, "").Body...)
	}
	return string(text)
}

func wantHolds(t *testing.T, r *Report) {
	t.Helper()
	for _, s := range r.Statements {
		if s.Result == Holds {
			continue
		}
		t.Errorf("%s: %s %s", s.Text, s.Result, s.After)
		for _, p := range s.Problems {
			t.Errorf("%s: status %d, want %s: %s", p.Request, p.Status, p.Want, p.Exchange)
		}
	}
}

// Everything holds at a store with content, which is the same afterwards.
func TestCohortConforms(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := openShop(t, d)
		before := s.content(t)
		token := s.Token(t, "abc", cohort.Scopes()...)
		for range 2 {
			r, err := Run(t.Context(), options(t, s.URL, token))
			if err != nil {
				t.Fatal(err)
			}
			wantHolds(t, r)
			if len(r.Statements) < 200 || !r.Writes || len(r.Left) > 0 {
				t.Errorf("%d statements, writes %v, left %v", len(r.Statements), r.Writes, r.Left)
			}
		}
		if diff := cmp.Diff(before, s.content(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// via sends requests through change, which answers a request itself or returns false.
func via(change func(http.ResponseWriter, *http.Request) bool) *http.Client {
	return &http.Client{Transport: transport(change)}
}

type transport func(http.ResponseWriter, *http.Request) bool

// RoundTrip implements [http.RoundTripper].
func (change transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var w answer
	if change(&w, r) {
		return &http.Response{StatusCode: w.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(w.body.String())), Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

type answer struct {
	status int
	body   strings.Builder
}

func (w *answer) Header() http.Header         { return http.Header{} }
func (w *answer) WriteHeader(status int)      { w.status = status }
func (w *answer) Write(p []byte) (int, error) { return w.body.Write(p) }

// If a POST fails, so that a script cannot go on, what it has created until then is deleted, and
// the other scripts run.
func TestSandboxAfterFailures(t *testing.T) {
	t.Parallel()
	s := openShop(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)))
	before := s.content(t)
	token := s.Token(t, "abc", cohort.Scopes()...)
	all, err := Run(t.Context(), options(t, s.URL, token))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/v2/customers", "/v3/pricelists", "/v3/shopper-profiles"}
	if testenv.Full() {
		paths = slices.Collect(maps.Keys(deletions))
	}
	for _, path := range paths {
		o := options(t, s.URL, token)
		o.Client = via(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || r.URL.Path != "/stores/abc"+path {
				return false
			}
			w.WriteHeader(http.StatusInternalServerError)
			return true
		})
		r, err := Run(t.Context(), o)
		if err != nil || r.Count(NotChecked) == 0 || len(r.Left) > 0 {
			t.Errorf("%s: %d are not checked, left %v, error %v", path, r.Count(NotChecked), r.Left, err)
		}
		if len(r.Statements) != len(all.Statements) {
			t.Errorf("%s: %d statements, want %d", path, len(r.Statements), len(all.Statements))
		}
		if diff := cmp.Diff(before, s.content(t)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// A run that is stopped deletes what its script has created.
func TestSandboxStopped(t *testing.T) {
	t.Parallel()
	s := openShop(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)))
	before := s.content(t)
	for _, last := range []string{"/v3/customers/metafields", "/v3/pricing/products", "/v3/pricelists/assignments"} {
		ctx, stop := context.WithCancel(t.Context())
		o := options(t, s.URL, s.Token(t, "abc", cohort.Scopes()...))
		o.Client = via(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost && r.URL.Path == "/stores/abc"+last {
				stop()
			}
			return false
		})
		r, err := Run(ctx, o)
		if err == nil || len(r.Left) > 0 {
			t.Errorf("%s: left %v, error %v", last, r.Left, err)
		}
		if diff := cmp.Diff(before, s.content(t)); diff != "" {
			t.Errorf("%s: %s", last, diff)
		}
	}
}

// What cannot be deleted is in the report.
func TestLeft(t *testing.T) {
	t.Parallel()
	s := openShop(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)))
	o := options(t, s.URL, s.Token(t, "abc", cohort.Scopes()...))
	o.Client = via(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete || !strings.HasPrefix(r.URL.Path, "/stores/abc/v3/pricelists/") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	r, err := Run(t.Context(), o)
	if err != nil || len(r.Left) == 0 || !strings.HasPrefix(r.Left[0], "DELETE /v3/pricelists/") || !strings.HasSuffix(r.Left[0], ": status 403") {
		t.Errorf("left %v, error %v", r.Left, err)
	}
}

// With a token that lacks scopes, the statements of the other parts are not checked. Those that
// are hold.
func TestFewScopes(t *testing.T) {
	t.Parallel()
	s := openShop(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)))
	before := s.content(t)
	for _, scopes := range [][]cohort.Scope{
		{cohort.ScopeCustomers}, {cohort.ScopeInformationRead}, {cohort.ScopeProducts, cohort.ScopeCustomersRead},
	} {
		r, err := Run(t.Context(), options(t, s.URL, s.Token(t, "abc", scopes...)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Count(Differs) > 0 || r.Count(Holds) < 10 || r.Count(NotChecked) < 10 || len(r.Left) > 0 {
			t.Errorf("%s: %d hold, %d differ, %d are not checked, left %v", scopes, r.Count(Holds), r.Count(Differs), r.Count(NotChecked), r.Left)
		}
		for _, st := range r.Statements {
			if (st.Result == NotChecked) != strings.HasSuffix(st.After, ": status 403") {
				t.Errorf("%s: %s: %q is %s after %q", scopes, st.Page, st.Text, st.Result, st.After)
			}
		}
	}
	if diff := cmp.Diff(before, s.content(t)); diff != "" {
		t.Error(diff)
	}
}

// A store that answers everything in the same wrong way: no statement holds about more than the
// status 200, and nothing is deleted without an id.
func TestEverythingDiffers(t *testing.T) {
	t.Parallel()
	for body, stops := range map[string]bool{
		"": false, "{}": false, `{"id":"1,2"}`: false, `{"data":[{"id":null},{"id":"x"},{"id":-1},7]}`: false, `[[[`: false,
		`{"data":[{"id":""},{"id":""}]}`: true,
	} {
		o := options(t, "http://store.example", "secret")
		o.Client = via(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.String(), "=") {
				t.Errorf("%s: DELETE %s", body, r.URL)
			}
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, body)
			return true
		})
		r, err := Run(t.Context(), o)
		if errors.Is(err, errNoID) != stops || !stops && err != nil {
			t.Errorf("%s: error %v", body, err)
		}
		if !stops && (r.Count(Holds) > 40 || r.Count(Differs) < 80) {
			t.Errorf("%s: %d hold, %d differ, %d are not checked", body, r.Count(Holds), r.Count(Differs), r.Count(NotChecked))
		}
	}
}

// Only ids are put into the path of a deletion.
func TestToDelete(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		status       int
		body         string
		want         []string
	}{
		{"POST", "/v2/customer_groups", 200, `{"id":7}`, []string{"/v2/customer_groups/7"}},
		{"POST", "/v3/customers", 200, `{"data":[{"id":7},{"id":8}]}`, []string{"/v3/customers?id:in=7", "/v3/customers?id:in=8"}},
		{"POST", "/v3/pricelists", 200, `{"data":{"id":7},"meta":{}}`, []string{"/v3/pricelists/7"}},
		{"POST", "/v3/segments", 201, `{"data":[{"id":"00000000-0000-4000-8000-000000000000"}]}`, []string{"/v3/segments?id:in=00000000-0000-4000-8000-000000000000"}},
		{"POST", "/v3/segments", 201, `{"data":[{"id":""},{"id":"1,2"},{"id":"../x"},{"id":null},{"id":0},{"id":-1},{"id":1.5},{"id":[1]},{},7]}`, nil},
		{"POST", "/v3/segments", 409, `{"data":[{"id":7}]}`, nil},
		{"POST", "/v3/channels", 200, `{"data":{"id":7}}`, nil},
		{"PUT", "/v3/customers", 200, `{"data":[{"id":7}]}`, nil},
		{"POST", "/v3/customers", 200, `{"data":`, nil},
	} {
		sent := &http.Request{Method: tt.method, URL: &url.URL{Path: "/stores/abc" + tt.path}}
		got := toDelete(wirescript.Exchange{Sent: sent, Status: tt.status, Response: tt.body}, "/stores/abc")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s %s: %s", tt.method, tt.path, tt.body, diff)
		}
	}
}

// The report is read by programs.
func TestReportJSON(t *testing.T) {
	text, err := json.Marshal(Report{Date: time.Unix(0, 0).UTC(), Statements: []Statement{{Page: "wire.md", Text: "a [doc]", Mark: "doc", Result: NotChecked, After: "GET /v2/x: status 403"}}})
	const want = `{"date":"1970-01-01T00:00:00Z","requests":0,"writes":false,"statements":[{"page":"wire.md","text":"a [doc]","mark":"doc","result":"not checked","after":"GET /v2/x: status 403"}]}`
	if string(text) != want || err != nil {
		t.Errorf("%s, error %v", text, err)
	}
}
