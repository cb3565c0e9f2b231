package server_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/upstream"

	"github.com/google/go-cmp/cmp"
)

const upstreamToken = "t0ken-of-the-upstream"

// passing starts a server in front of a store that answers with what it has got.
func passing(t *testing.T, d *db.DB, allowWrites bool) (s *servertest.Server, j *journal.Journal, vars map[string]string) {
	t.Helper()
	var mu sync.Mutex
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		head := fmt.Sprint(r.Header)
		mu.Lock()
		defer mu.Unlock()
		for name, secret := range vars {
			if strings.HasSuffix(name, "token") && strings.Contains(head+r.RequestURI, secret) {
				t.Errorf("the upstream gets the %s: %s %s", name, r.RequestURI, head)
			}
		}
		if r.Header.Get("X-Auth-Token") != upstreamToken {
			t.Errorf("the upstream gets %s", head)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "theirs")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Location", "http://"+r.Host+"/stores/abc123/v2/orders/7")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusCreated)
		z := gzip.NewWriter(w)
		fmt.Fprintf(z, `{"token":"a-secret","got":%q}`, r.Method+" "+r.RequestURI+" "+string(body))
		z.Close()
	}))
	t.Cleanup(there.Close)
	to, err := upstream.ParseURL(there.URL)
	if err != nil {
		t.Fatal(err)
	}
	j = journal.New()
	s = servertest.Start(t, d, server.Options{Journal: j, Upstream: upstream.New(upstream.Options{
		To: to, Stores: map[string]upstream.Store{"abc": {Hash: "abc123", Token: upstreamToken}}, AllowWrites: allowWrites,
	})})
	mu.Lock()
	defer mu.Unlock()
	vars = s.Vars(t)
	return s, j, vars
}

// A request to a path without a route gets the response of the upstream, if its token is one
// of the store here and the store has one there.
func TestUpstream(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s, j, vars := passing(t, d, true)
		for _, c := range []struct{ method, path, token, body, want string }{
			{"GET", "/stores/abc/v2/orders?a=1;b&%zz", "read_token", "", `201 GET /stores/abc123/v2/orders?a=1;b&%zz `},
			{"GET", "/stores/abc/v2/orders/J%20D%C3%A9/", "token", "", `201 GET /stores/abc123/v2/orders/J%20D%C3%A9/ `},
			{"POST", "/stores/abc/v3/carts", "token", `{"a":1}`, `201 POST /stores/abc123/v3/carts {"a":1}`},
			// Tokens are checked here.
			{"GET", "/stores/abc/v2/orders", "", "", `401 X-Auth-Token header should have correct format`},
			{"GET", "/stores/abc/v2/orders", "unknown", "", `401 {"status":401`},
			{"GET", "/stores/abc/v2/orders", "other_token", "", `403 {"status":403`},
			{"GET", "/stores/abc/v2/orders?x=" + vars["token"], "token", "", `403 {"status":403,"title":"The URL has the token`},
			{"GET", "/stores/abc/v2/orders/" + vars["token"], "token", "", `403 {"status":403,"title":"The URL has the token`},
			// These are not passed on.
			{"GET", "/stores/other/v2/orders", "other_token", "", `404 The route is not found`},
			{"GET", "/stores/abc/v2/customers/count", "token", "", `200 {"count":0}`},
			{"PATCH", "/stores/abc/v2/customers/count", "token", "{}", `404 The route is not found`},
			{"GET", "/stores/abc/v2/orders/../../../other/v2/orders", "token", "", `404 The route is not found`},
			{"GET", "/stores/abc/v2/orders/%2e%2e/x", "token", "", `404 The route is not found`},
			{"GET", "/stores/abc/v2/orders%2fx", "token", "", `404 The route is not found`},
			{"GET", "/stores/abc/cohort/v1/nothing", "token", "", `404 The route is not found`},
			{"GET", "/stores/abc/v4/orders", "token", "", `404 The route is not found`},
			{"GET", "/orders", "token", "", `404 The route is not found`},
		} {
			token := vars[c.token]
			if c.token == "unknown" {
				token = "unknown"
			}
			res := sendAsIs(t, c.method, s.URL+c.path, token, c.body)
			passed := strings.HasPrefix(c.want, "201")
			got := fmt.Sprint(res.Status, " ", res.Body)
			if passed {
				got = strings.TrimSuffix(strings.Replace(strings.ReplaceAll(got, `\"`, `"`), `{"token":"a-secret","got":"`, "", 1), `"}`)
			}
			if passed && got != c.want || !strings.HasPrefix(got, c.want) || (res.Header.Get("X-Cohort-Answered-By") == "upstream") != passed {
				t.Errorf("%s %s: %s %v, want %s", c.method, c.path, got, res.Header, c.want)
			}
			if !passed {
				continue
			}
			want := map[string][]string{"X-Request-Id": {res.Header.Get("X-Request-Id")}, "Set-Cookie": nil, "Location": {"/stores/abc/v2/orders/7"}}
			for name, values := range want {
				if diff := cmp.Diff(values, res.Header.Values(name)); diff != "" || strings.Contains(fmt.Sprint(values), "theirs") {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		}
		list := j.Find(t.Context(), "abc", 0, &journal.Criteria{Operation: "upstream", Method: "POST"})
		if len(list) != 1 {
			t.Fatalf("%d entries", len(list))
		}
		e := list[0]
		if e.Status != 201 || e.Check != "" || e.TokenID == "" || e.Request.Body.Text != `{"a":1}` || !strings.Contains(e.Response.Body.Text, `"token":"***"`) || strings.Contains(fmt.Sprint(e), "a-secret") {
			t.Errorf("%+v", e)
		}
	})
}

// Without AllowWrites, the upstream gets only GET and HEAD.
func TestUpstreamReadOnly(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s, _, vars := passing(t, d, false)
		for method, want := range map[string]int{"GET": 201, "HEAD": 201, "POST": 403, "PUT": 403, "DELETE": 403, "PATCH": 403, "OPTIONS": 403} {
			if res := sendAsIs(t, method, s.URL+"/stores/abc/v2/orders", vars["token"], ""); res.Status != want {
				t.Errorf("%s: %d %s", method, res.Status, res.Body)
			}
		}
	})
}

// A large body is not passed on, and an upstream that does not answer is 502.
func TestUpstreamFails(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		there := httptest.NewServer(nil)
		there.Close()
		to, err := upstream.ParseURL(there.URL)
		if err != nil {
			t.Fatal(err)
		}
		s := servertest.Start(t, d, server.Options{Upstream: upstream.New(upstream.Options{To: to, Stores: map[string]upstream.Store{"abc": {Hash: "x", Token: "y"}}, AllowWrites: true})})
		s.Store(t, cohort.Store{Hash: "abc"})
		token := s.Token(t, "abc", cohort.ScopeCustomers)
		if res := sendAsIs(t, "GET", s.URL+"/stores/abc/v2/orders", token, ""); res.Status != 502 || res.Body != "The upstream store cannot be reached." {
			t.Errorf("%d %s", res.Status, res.Body)
		}
		if res := sendAsIs(t, "POST", s.URL+"/stores/abc/v2/orders", token, strings.Repeat("x", upstream.MaxPassed+1)); res.Status != 413 {
			t.Errorf("%d %s", res.Status, res.Body)
		}
	})
}

// sendAsIs sends a request as it is, without cleaning its path and without following redirects.
func sendAsIs(t *testing.T, method, url, token, body string) servertest.Response {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return servertest.Response{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}
