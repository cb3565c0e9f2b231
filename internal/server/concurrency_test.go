package server_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

// crowd is requests under way: each has come as far as its answer's first
// byte, and stays there.
type crowd struct {
	handler http.Handler
	arrived chan struct{}
	release chan struct{}
	done    sync.WaitGroup
	answers []*httptest.ResponseRecorder
}

func newCrowd(h http.Handler) *crowd {
	return &crowd{handler: h, arrived: make(chan struct{}), release: make(chan struct{})}
}

// add brings a request under way.
func (c *crowd) add(r *http.Request) {
	w := httptest.NewRecorder()
	c.answers = append(c.answers, w)
	c.done.Go(func() { c.handler.ServeHTTP(&heldWriter{ResponseRecorder: w, crowd: c}, r) })
	<-c.arrived
}

// disperse lets all of them go and returns how many were not refused.
func (c *crowd) disperse() (served int) {
	close(c.release)
	c.done.Wait()
	for _, w := range c.answers {
		if w.Code != http.StatusTooManyRequests {
			served++
		}
	}
	return served
}

type heldWriter struct {
	*httptest.ResponseRecorder
	crowd *crowd
}

func (w *heldWriter) WriteHeader(status int) {
	w.crowd.arrived <- struct{}{}
	<-w.crowd.release
	w.ResponseRecorder.WriteHeader(status)
}

// TestGate holds every operation against the limit of requests at once that
// the vendor's reference gives it.
func TestGate(t *testing.T) {
	limits := map[string]int{"listGroups": 40, "createGroup": 40, "deleteGroup": 40}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		tokens := map[string]string{ // those of the wire scripts may not go as far as the gate everywhere
			"token": f.Token(t, f.vars["store"], cohort.Scopes()...), "other_token": f.Token(t, f.vars["other_store"], cohort.Scopes()...),
		}
		const plenty = 60
		for range plenty + 2 {
			f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"One of many"}`)
		}
		for _, dialect := range server.Dialects(nil) {
			for _, route := range dialect.Routes {
				if dialect.Prefix == "/v3" && route.Concurrency > 0 {
					continue // they need other bodies: see TestGatesOfPriceLists
				}
				t.Run(route.Operation, func(t *testing.T) {
					id := 0
					request := func(store, token string) *http.Request {
						id++ // for deletes to find something
						path := "/stores/" + f.vars[store] + dialect.Prefix + filledIn(route.Path, strconv.Itoa(id))
						return newRequest(route.Method, path, tokens[token], `{"name":"Another"}`)
					}
					limit, limited := limits[route.Operation]
					if !limited {
						limit = plenty
					}
					crowd := newCrowd(f)
					for range limit {
						crowd.add(request("store", "token"))
					}
					next := httptest.NewRecorder()
					f.ServeHTTP(next, request("store", "token"))
					other := httptest.NewRecorder()
					f.ServeHTTP(other, request("other_store", "other_token"))
					if served := crowd.disperse(); served != limit {
						t.Errorf("%d of %d at once were served", served, limit)
					}
					if limited {
						mustBeTooMany(t, next)
					} else if next.Code == http.StatusTooManyRequests {
						t.Errorf("number %d was refused", limit+1)
					}
					if other.Code == http.StatusTooManyRequests {
						t.Errorf("another store was refused")
					}
					after := httptest.NewRecorder()
					f.ServeHTTP(after, request("store", "token"))
					if after.Code == http.StatusTooManyRequests {
						t.Errorf("the places are not free again")
					}
				})
			}
		}
	})
}

// filledIn is a route's path with something for its wildcards.
func filledIn(path, id string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case strings.HasSuffix(segment, "id}"):
			segments[i] = id
		case strings.HasPrefix(segment, "{"):
			segments[i] = "usd"
		}
	}
	return strings.Join(segments, "/")
}

// mustBeTooMany fails unless the answer is that of the gate of an unmetered store.
func mustBeTooMany(t *testing.T, w *httptest.ResponseRecorder) {
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

// TestGateOfOneOperation: who waits for one operation does not keep others out.
func TestGateOfOneOperation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.concurrency(t, 1)
		token := f.vars["token"]
		crowd := newCrowd(f)
		crowd.add(newRequest("GET", f.path("/customer_groups"), token, ""))
		crowd.add(newRequest("POST", f.path("/customer_groups"), token, `{"name":"One"}`))
		// These have no limit, so the store's own figure is none for them.
		for _, path := range []string{"/customer_groups/1", "/customer_groups/count", "/time"} {
			crowd.add(newRequest("GET", f.path(path), token, ""))
		}
		for _, c := range []struct {
			method, path string
			want         int
		}{
			{"GET", "/customer_groups", 429},
			// All that leads to an operation counts for it: its other method,
			{"HEAD", "/customer_groups", 429},
			// its other names, and other tokens.
			{"GET", "/customergroups.json/?limit=1", 429},
			{"POST", "/customer_groups", 429},
			{"DELETE", "/customer_groups/999", 404},
			// The others have room for more than one.
			{"GET", "/customer_groups/1", 200},
			{"PUT", "/customer_groups/1", 200},
			{"GET", "/customer_groups/count", 200},
			{"GET", "/time", 200},
		} {
			f.mustAnswer(t, c.want, c.method, f.path(c.path), token, `{"name":"Two"}`)
		}
		f.mustAnswer(t, 429, "GET", f.path("/customer_groups"), f.vars["read_token"], "")
		if served := crowd.disperse(); served != 5 {
			t.Errorf("%d of 5 were served", served)
		}
		f.mustAnswer(t, 200, "GET", f.path("/customer_groups"), token, "")
	})
}

// TestGateIsSettable: a store's own figure takes the place of 40, and a change
// of it counts from the next request on.
func TestGateIsSettable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		list := func() *http.Request { return newRequest("GET", f.path("/customer_groups"), f.vars["token"], "") }
		for _, limit := range []int{50, 2} {
			f.concurrency(t, limit)
			crowd := newCrowd(f)
			for range limit {
				crowd.add(list())
			}
			next := httptest.NewRecorder()
			f.ServeHTTP(next, list())
			if served := crowd.disperse(); served != limit {
				t.Errorf("%d of %d at once were served", served, limit)
			}
			mustBeTooMany(t, next)
		}
	})
}

// TestGateBeforeQuota: who is refused at the gate uses up no quota.
func TestGateBeforeQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 10)
		f.concurrency(t, 1)
		list := f.path("/customer_groups")
		crowd := newCrowd(f)
		crowd.add(newRequest("GET", list, f.vars["token"], ""))
		for range 20 {
			w := f.mustAnswer(t, 429, "GET", list, f.vars["token"], "")
			mustHaveQuota(t, w, quota{"30000", "30000", "10", "9"})
			if got := w.Header().Get("X-Retry-After"); got != "1" {
				t.Errorf("X-Retry-After: %q, want 1", got)
			}
		}
		crowd.disperse()
		mustHaveQuota(t, f.mustAnswer(t, 204, "GET", list, f.vars["token"], ""), quota{"30000", "30000", "10", "8"})
	})
}

// TestGateAfterQuota: who is refused for the quota leaves the gate again.
func TestGateAfterQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		f := newFixture(t, d, server.Options{Now: clock.Now})
		f.meter(t, cohort.PlanEnterprise, 1)
		f.concurrency(t, 1)
		list := f.path("/customer_groups")
		f.mustAnswer(t, 204, "GET", list, f.vars["token"], "")
		for range 3 {
			f.mustAnswer(t, 429, "GET", list, f.vars["token"], "")
		}
		clock.advance(cohort.Window)
		f.mustAnswer(t, 204, "GET", list, f.vars["token"], "")
	})
}

// concurrency sets the first store's own figure.
func (f *fixture) concurrency(t *testing.T, limit int) {
	t.Helper()
	if _, err := f.Service.UpdateStore(t.Context(), f.vars["store"], cohort.StoreUpdate{Concurrency: &limit}); err != nil {
		t.Fatal(err)
	}
}

// TestRouteTable keeps TestGate from being satisfied with no routes.
func TestRouteTable(t *testing.T) {
	var got []string
	for _, dialect := range server.Dialects(nil) {
		for _, route := range dialect.Routes {
			got = append(got, route.Method+" "+dialect.Prefix+route.Path)
		}
	}
	want := []string{
		"GET /v2/time",
		"GET /v2/customer_groups", "POST /v2/customer_groups", "GET /v2/customer_groups/count",
		"GET /v2/customer_groups/{id}", "PUT /v2/customer_groups/{id}", "DELETE /v2/customer_groups/{id}",
		"GET /v2/customers", "POST /v2/customers", "DELETE /v2/customers", "GET /v2/customers/count",
		"GET /v2/customers/{customer_id}", "PUT /v2/customers/{customer_id}", "DELETE /v2/customers/{customer_id}",
		"POST /v2/customers/{customer_id}/validate",
		"GET /v2/customers/{customer_id}/addresses", "POST /v2/customers/{customer_id}/addresses",
		"DELETE /v2/customers/{customer_id}/addresses", "GET /v2/customers/{customer_id}/addresses/count",
		"GET /v2/customers/{customer_id}/addresses/{id}", "PUT /v2/customers/{customer_id}/addresses/{id}",
		"DELETE /v2/customers/{customer_id}/addresses/{id}", "GET /v2/customers/addresses/{id}",
		"GET /v3/catalog/categories", "POST /v3/catalog/categories",
		"DELETE /v3/catalog/categories", "GET /v3/catalog/categories/tree", "GET /v3/catalog/categories/{category_id}",
		"PUT /v3/catalog/categories/{category_id}", "DELETE /v3/catalog/categories/{category_id}", "GET /v3/catalog/products",
		"POST /v3/catalog/products", "DELETE /v3/catalog/products", "GET /v3/catalog/products/{product_id}",
		"PUT /v3/catalog/products/{product_id}", "DELETE /v3/catalog/products/{product_id}", "GET /v3/catalog/variants",
		"GET /v3/catalog/products/{product_id}/variants", "POST /v3/catalog/products/{product_id}/variants",
		"GET /v3/catalog/products/{product_id}/variants/{variant_id}",
		"PUT /v3/catalog/products/{product_id}/variants/{variant_id}",
		"DELETE /v3/catalog/products/{product_id}/variants/{variant_id}",
		"GET /v3/pricelists", "POST /v3/pricelists", "DELETE /v3/pricelists", "GET /v3/pricelists/{price_list_id}",
		"PUT /v3/pricelists/{price_list_id}", "DELETE /v3/pricelists/{price_list_id}", "POST /v3/pricelists/records",
		"PUT /v3/pricelists/records", "GET /v3/pricelists/{price_list_id}/records",
		"POST /v3/pricelists/{price_list_id}/records", "PUT /v3/pricelists/{price_list_id}/records",
		"DELETE /v3/pricelists/{price_list_id}/records", "GET /v3/pricelists/{price_list_id}/records/{variant_id}",
		"GET /v3/pricelists/{price_list_id}/records/{variant_id}/{currency_code}",
		"PUT /v3/pricelists/{price_list_id}/records/{variant_id}/{currency_code}",
		"DELETE /v3/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", "GET /v3/pricelists/assignments",
		"POST /v3/pricelists/assignments", "DELETE /v3/pricelists/assignments",
		"PUT /v3/pricelists/{price_list_id}/assignments",
		"POST /v3/pricing/products", "POST /cohort/v1/prices/explain", "POST /cohort/v1/access/check",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the routes (-want +got):\n%s", diff)
	}
}
