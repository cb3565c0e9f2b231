package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// heldRequests are running requests: each is held at the first byte of its response.
type heldRequests struct {
	handler   http.Handler
	arrived   chan struct{}
	released  chan struct{}
	done      sync.WaitGroup
	responses []*httptest.ResponseRecorder
}

func newHeldRequests(h http.Handler) *heldRequests {
	return &heldRequests{handler: h, arrived: make(chan struct{}), released: make(chan struct{})}
}

// add starts a request and waits until it is held.
func (h *heldRequests) add(r *http.Request) {
	w := httptest.NewRecorder()
	h.responses = append(h.responses, w)
	h.done.Go(func() { h.handler.ServeHTTP(&heldWriter{ResponseRecorder: w, held: h}, r) })
	<-h.arrived
}

// release ends all requests. It returns how many were not rejected.
func (h *heldRequests) release() (served int) {
	close(h.released)
	h.done.Wait()
	for _, w := range h.responses {
		if w.Code != http.StatusTooManyRequests {
			served++
		}
	}
	return served
}

type heldWriter struct {
	*httptest.ResponseRecorder
	held *heldRequests
}

func (w *heldWriter) WriteHeader(status int) {
	w.held.arrived <- struct{}{}
	<-w.held.released
	w.ResponseRecorder.WriteHeader(status)
}

// unlimitedRequests is how many concurrent requests show that an operation has no
// concurrency limit: more than the highest limit of the other operations.
func unlimitedRequests(highest int) int { return testenv.Times(highest+20, highest+1) }

// TestConcurrencyLimits checks the concurrency limit of every operation against the
// vendor's reference.
func TestConcurrencyLimits(t *testing.T) {
	t.Parallel()
	const highest = 40
	limits := map[string]int{"listGroups": highest, "createGroup": highest, "deleteGroup": highest, "exportEvents": 4}
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		tokens := map[string]string{ // with all scopes, unlike the tokens of the wire scripts
			"token": f.Token(t, f.vars["store"], cohort.Scopes()...), "other_token": f.Token(t, f.vars["other_store"], cohort.Scopes()...),
		}
		unlimited := unlimitedRequests(highest)
		for i := range unlimited + 2 {
			if _, err := f.Service.CreateGroup(t.Context(), f.vars["store"], cohort.Group{Name: fmt.Sprint("One of many ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, dialect := range server.Dialects(nil) {
			for _, route := range dialect.Routes {
				if dialect.Prefix == "/v3" && route.Concurrency > 0 {
					continue // TestConcurrencyLimitsOfPriceLists and others like it have their bodies
				}
				if route.Operation == "streamEvents" {
					continue // it never ends, and has bounds of its own
				}
				t.Run(route.Operation, func(t *testing.T) {
					id := 0
					request := func(store, token string) *http.Request {
						id++ // each delete needs another group, and each create another name
						path := "/stores/" + f.vars[store] + dialect.Prefix + filledIn(route.Path, strconv.Itoa(id))
						return newRequest(route.Method, path, tokens[token], fmt.Sprintf(`{"name":"%s %d"}`, route.Operation, id))
					}
					limit, limited := limits[route.Operation]
					if !limited {
						limit = unlimited
					}
					held := newHeldRequests(f)
					for range limit {
						held.add(request("store", "token"))
					}
					next := httptest.NewRecorder()
					f.ServeHTTP(next, request("store", "token"))
					other := httptest.NewRecorder()
					f.ServeHTTP(other, request("other_store", "other_token"))
					if served := held.release(); served != limit {
						t.Errorf("%d of %d concurrent requests were served", served, limit)
					}
					if limited {
						wantConcurrencyLimit(t, next)
					} else if next.Code == http.StatusTooManyRequests {
						t.Errorf("request %d was rejected", limit+1)
					}
					if other.Code == http.StatusTooManyRequests {
						t.Errorf("the request to another store was rejected")
					}
					after := httptest.NewRecorder()
					f.ServeHTTP(after, request("store", "token"))
					if after.Code == http.StatusTooManyRequests {
						t.Errorf("the slots were not freed")
					}
				})
			}
		}
	})
}

// filledIn returns a route's path with values for its wildcards.
func filledIn(path, id string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case strings.HasSuffix(segment, "uuid}"):
			segments[i] = "1465bb16-eb7d-4fba-8312-0ea9d88cd6e9"
		case strings.HasSuffix(segment, "id}"):
			segments[i] = id
		case strings.HasPrefix(segment, "{"):
			segments[i] = "usd"
		}
	}
	return strings.Join(segments, "/")
}

// wantConcurrencyLimit checks the response to a request that exceeds the concurrency
// limit of an unmetered store.
func wantConcurrencyLimit(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusTooManyRequests || w.Body.String() != tooMany {
		t.Errorf("%d %s, want 429 %s", w.Code, w.Body, tooMany)
	}
	w.Header().Del("X-Request-Id")
	want := http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(tooMany))}, "X-Retry-After": {"1"}, "Vary": {"Accept-Encoding"}}
	if diff := cmp.Diff(want, w.Header()); diff != "" {
		t.Errorf("the header of a 429 (-want +got):\n%s", diff)
	}
}

// Requests of one operation do not count for another operation.
func TestConcurrencyLimitIsPerOperation(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.concurrency(t, 1)
		token := f.vars["token"]
		held := newHeldRequests(f)
		held.add(newRequest("GET", f.path("/customer_groups"), token, ""))
		held.add(newRequest("POST", f.path("/customer_groups"), token, `{"name":"One"}`))
		// These operations have no limit, and the store's limit does not apply to them.
		for _, path := range []string{"/customer_groups/1", "/customer_groups/count", "/time"} {
			held.add(newRequest("GET", f.path(path), token, ""))
		}
		for _, c := range []struct {
			method, path string
			want         int
		}{
			{"GET", "/customer_groups", 429},
			// HEAD, other spellings of the path and other tokens count together.
			{"HEAD", "/customer_groups", 429},
			{"GET", "/customergroups.json/?limit=1", 429},
			{"POST", "/customer_groups", 429},
			{"DELETE", "/customer_groups/999", 404},
			// The operations without a limit.
			{"GET", "/customer_groups/1", 200},
			{"PUT", "/customer_groups/1", 200},
			{"GET", "/customer_groups/count", 200},
			{"GET", "/time", 200},
		} {
			f.mustDo(t, c.want, c.method, f.path(c.path), token, `{"name":"Two"}`)
		}
		f.mustDo(t, 429, "GET", f.path("/customer_groups"), f.vars["read_token"], "")
		if served := held.release(); served != 5 {
			t.Errorf("%d of 5 requests were served", served)
		}
		f.mustDo(t, 200, "GET", f.path("/customer_groups"), token, "")
	})
}

// A store's own limit replaces the default of 40. A change applies from the next
// request on.
func TestConcurrencyLimitOfStore(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		list := func() *http.Request { return newRequest("GET", f.path("/customer_groups"), f.vars["token"], "") }
		for _, limit := range []int{50, 2} {
			f.concurrency(t, limit)
			held := newHeldRequests(f)
			for range limit {
				held.add(list())
			}
			next := httptest.NewRecorder()
			f.ServeHTTP(next, list())
			if served := held.release(); served != limit {
				t.Errorf("%d of %d concurrent requests were served", served, limit)
			}
			wantConcurrencyLimit(t, next)
		}
	})
}

// A request that exceeds the concurrency limit uses up no quota.
func TestConcurrencyLimitUsesNoQuota(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 10)
		f.concurrency(t, 1)
		list := f.path("/customer_groups")
		held := newHeldRequests(f)
		held.add(newRequest("GET", list, f.vars["token"], ""))
		for range 20 {
			w := f.mustDo(t, 429, "GET", list, f.vars["token"], "")
			mustHaveQuota(t, w, quota{"30000", "30000", "10", "9"})
			if got := w.Header().Get("X-Retry-After"); got != "1" {
				t.Errorf("X-Retry-After: %q, want 1", got)
			}
		}
		held.release()
		mustHaveQuota(t, f.mustDo(t, 204, "GET", list, f.vars["token"], ""), quota{"30000", "30000", "10", "8"})
	})
}

// A request that exceeds the quota holds no concurrency slot.
func TestQuotaTakesNoSlot(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		f := newFixture(t, d, server.Options{Now: clock.Now})
		f.meter(t, cohort.PlanEnterprise, 1)
		f.concurrency(t, 1)
		list := f.path("/customer_groups")
		f.mustDo(t, 204, "GET", list, f.vars["token"], "")
		for range 3 {
			f.mustDo(t, 429, "GET", list, f.vars["token"], "")
		}
		clock.advance(cohort.Window)
		f.mustDo(t, 204, "GET", list, f.vars["token"], "")
	})
}

// concurrency sets the concurrency limit of the first store.
func (f *fixture) concurrency(t *testing.T, limit int) {
	t.Helper()
	if _, err := f.Service.UpdateStore(t.Context(), f.vars["store"], cohort.StoreUpdate{Concurrency: &limit}); err != nil {
		t.Fatal(err)
	}
}

// TestRouteTable compares the routes and their concurrency limits with a list, so that a
// new limit is not overlooked in the tests of limits.
func TestRouteTable(t *testing.T) {
	t.Parallel()
	var got []string
	for _, dialect := range server.Dialects(nil) {
		for _, route := range dialect.Routes {
			row := route.Method + " " + dialect.Prefix + route.Path
			if route.Concurrency > 0 {
				row += " " + strconv.Itoa(route.Concurrency)
			}
			got = append(got, row)
		}
	}
	text, err := os.ReadFile("testdata/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the routes (-want +got):\n%s", diff)
	}
}
