package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

// TestIsolation sends requests to every route without a token, with wrong tokens and to
// wrong stores. It fails if a request is not rejected, or if a rejected request has
// changed anything.
func TestIsolation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		f := newFixture(t, d, server.Options{Now: clock.Now})
		readers := map[string]string{}
		for _, token := range []string{"token", "other_token"} {
			store := strings.Replace(token, "token", "store", 1)
			f.fill(t, "/stores/"+f.vars[store], f.vars[token])
			readers[f.vars[store]] = f.Token(t, f.vars[store], cohort.ScopeCustomersRead, cohort.ScopeProductsRead, cohort.ScopeInformationRead, cohort.ScopeChannelsRead)
		}
		tokens := map[cohort.Scope]string{}
		for _, scope := range cohort.Scopes() {
			tokens[scope] = f.Token(t, f.vars["store"], scope)
		}
		before := f.everything(t, readers)
		for _, dialect := range server.Dialects(nil) {
			for _, route := range dialect.Routes {
				t.Run(route.Operation, func(t *testing.T) {
					for _, method := range methods(route) {
						clock.advance(time.Minute) // reset the limit of unknown tokens
						a := attempt{t, f, method, dialect.Prefix + filledIn(route.Path, "1")}
						a.identity()
						a.stores()
						a.scopes(route.Scope, tokens)
					}
				})
			}
		}
		if diff := cmp.Diff(before, f.everything(t, readers)); diff != "" {
			t.Errorf("a rejected request changed something (-before +after):\n%s", diff)
		}
	})
}

// fill gives a store a group, and a customer with data that other operations change.
func (f *fixture) fill(t *testing.T, store, token string) {
	t.Helper()
	for _, row := range []struct {
		status       int
		method, path string
		body         string
	}{
		{200, "POST", "/v2/customer_groups", `{"name":"Ours","is_default":true}`},
		{200, "POST", "/v3/customers", `[{"first_name":"Ada","last_name":"L","email":"ada@example.com","form_fields":[{"name":"Size","value":"M"}]}]`},
		{200, "POST", "/v3/customers/addresses", `[{"customer_id":1,"first_name":"Ada","last_name":"L","address1":"1 Main St","city":"Austin","country_code":"US","state_or_province":"Texas","postal_code":"78701"}]`},
		{200, "POST", "/v3/customers/attributes", `[{"name":"Age","type":"number"}]`},
		{200, "PUT", "/v3/customers/attribute-values", `[{"customer_id":1,"attribute_id":1,"value":"36"}]`},
		{200, "POST", "/v3/customers/1/metafields", `{"namespace":"n","key":"k","value":"v","permission_set":"read"}`},
		{201, "POST", "/v3/segments", `[{"name":"Ours"}]`},
		{201, "POST", "/v3/shopper-profiles", `[{"customer_id":1}]`},
	} {
		f.mustDo(t, row.status, row.method, store+row.path, token, row.body)
	}
}

// methods returns the methods that the route serves.
func methods(route api.Route) []string {
	if route.Method == http.MethodGet {
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{route.Method}
}

// attempt is a series of requests to one route.
type attempt struct {
	t            *testing.T
	f            *fixture
	method, path string
}

func (a attempt) send(store, token string, header ...string) *httptest.ResponseRecorder {
	return a.f.do(a.method, "/stores/"+store+a.path, token, `{"name":"Intruder","is_default":true}`, header...)
}

func (a attempt) identity() {
	a.t.Helper()
	store := a.f.vars["store"]
	a.wantRejected("no token", a.send(store, ""), 401, "text/plain", "X-Auth-Token header is required")
	a.wantRejected("empty token", a.send(store, "", "X-Auth-Token", ""), 401, "text/plain", "X-Auth-Token header should have correct format")
	a.wantRejected("blank token", a.send(store, "", "X-Auth-Token", " \t"), 401, "text/plain", "X-Auth-Token header should have correct format")
	a.wantRejected("unknown token", a.send(store, "unknown-token"), 401, "application/json", unauthorized)
	a.wantRejected("hash of a token", a.send(store, cohort.HashTokenSecret(a.f.vars["token"])), 401, "application/json", unauthorized)
	a.wantRejected("unknown token in an unknown store", a.send("no-such-store", "unknown-token"), 401, "application/json", unauthorized)
}

func (a attempt) stores() {
	a.t.Helper()
	foreign := a.send(a.f.vars["other_store"], a.f.vars["token"])
	unknown := a.send("no-such-store", a.f.vars["token"])
	a.wantRejected("foreign token", a.send(a.f.vars["store"], a.f.vars["other_token"]), 403, "application/json", forbidden)
	a.wantRejected("foreign store", foreign, 403, "application/json", forbidden)
	a.wantRejected("unknown store", unknown, 403, "application/json", forbidden)
	for _, w := range []*httptest.ResponseRecorder{foreign, unknown} {
		w.Header().Del("X-Request-Id")
	}
	if diff := cmp.Diff(foreign.Header(), unknown.Header()); diff != "" {
		a.t.Errorf("%s %s: the responses for a foreign and an unknown store differ (-foreign +unknown):\n%s", a.method, a.path, diff)
	}
}

// scopes sends tokens of the right store, each with one scope.
func (a attempt) scopes(need cohort.Scope, tokens map[cohort.Scope]string) {
	a.t.Helper()
	if need == "" {
		return
	}
	rejected := 0
	for scope, token := range tokens {
		if scope == need || string(need) == string(scope)+"_read_only" {
			continue
		}
		rejected++
		a.wantRejected("scope "+string(scope), a.send(a.f.vars["store"], token), 403, "application/json", forbidden)
	}
	if rejected < 2 {
		a.t.Errorf("%s %s: scope %s rejects %d other scopes, want at least 2", a.method, a.path, need, rejected)
	}
}

func (a attempt) wantRejected(what string, w *httptest.ResponseRecorder, status int, contentType, body string) {
	a.t.Helper()
	if got := w.Header().Get("Content-Type"); w.Code != status || w.Body.String() != body || got != contentType {
		a.t.Errorf("%s %s: %s: %d %s %s, want %d %s %s", a.method, a.path, what, w.Code, got, w.Body, status, contentType, body)
	}
}

// everything returns all stores and tokens in the database, and what clients of the stores
// can list. Each store has a token in readers.
func (f *fixture) everything(t *testing.T, readers map[string]string) (all []any) {
	t.Helper()
	stores, err := f.Service.ListStores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.Service.ListTokens(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, stores, tokens)
	for _, s := range stores {
		for _, dialect := range server.Dialects(nil) {
			for _, route := range dialect.Routes {
				if route.Method != http.MethodGet || strings.Contains(route.Path, "{") || notListed[route.Operation] {
					continue
				}
				w := f.do(route.Method, "/stores/"+s.Hash+dialect.Prefix+route.Path, readers[s.Hash], "")
				if w.Code != http.StatusOK && w.Code != http.StatusNoContent {
					t.Fatalf("%s: %d %s", route.Operation, w.Code, w.Body)
				}
				all = append(all, route.Operation+" "+w.Body.String())
			}
		}
	}
	return all
}

// notListed are operations without a path parameter that do not show what a store has:
// the time, and events, which these stores do not record.
var notListed = map[string]bool{"getTime": true, "listEvents": true, "streamEvents": true, "exportEvents": true}
