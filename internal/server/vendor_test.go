package server_test

import (
	"log/slog"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/vendorapi"

	"github.com/google/go-cmp/cmp"
)

// A request to an operation that the vendor has and Cohort does not gets the response of
// any unknown path. The log line has the operation, and a metric counts its family.
func TestOperationsOfTheVendor(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		lines, m := newLogLines(), server.NewMetrics()
		f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil)), Metrics: m})
		unknown := f.mustDo(t, 404, "GET", "/stores/abc/v3/nowhere", "", "").Body.String()
		lines.drain()
		for _, c := range []struct{ method, path, token, want string }{
			{"GET", "/v2/orders/Jane%20Doe?name=Jane", "token", "* /v2/orders/*"},
			{"POST", "/v3/carts", "", "* /v3/carts/*"},
			{"GET", "/v3/catalog/brands/77/metafields/", "unknown", "GET /v3/catalog/brands/{brand_id}/metafields"},
			{"HEAD", "/v3/catalog/brands/metafields", "token", "GET /v3/catalog/brands/metafields"},
			{"POST", "/v2/currencies", "token", "POST /v2/currencies"}, // another method than the routes have
			{"GET", "/v2/hooks.json", "token", "* /v2/hooks/*"},
			{"PATCH", "/v3/customers", "token", ""},
			{"GET", "/v3/catalog/products/x", "token", ""}, // a route whose id is not a number
			{"GET", "/v3/nowhere", "token", ""},
			{"GET", "/v4/orders", "token", ""},
		} {
			w := f.do(c.method, "/stores/abc"+c.path, f.vars[c.token], "")
			if w.Code != 404 || c.method != "HEAD" && w.Body.String() != unknown {
				t.Errorf("%s %s: %d %s, want 404 %s", c.method, c.path, w.Code, w.Body, unknown)
			}
			line := strings.Join(lines.drain(), "")
			named := strings.Contains(line, `"reason":"known to the vendor, not served here"`)
			if named != (c.want != "") || named && !strings.Contains(line, `"vendor_operation":"`+c.want+`"`) {
				t.Errorf("%s %s: the log line does not name %q: %s", c.method, c.path, c.want, line)
			}
			_, after, _ := strings.Cut(line, `"method"`) // without the request id, which is random
			if strings.Contains(after, "Jane") || strings.Contains(after, "/77") {
				t.Errorf("%s %s: the log line has a part of the path: %s", c.method, c.path, line)
			}
		}
		want := []string{
			`cohort_http_requests_unserved_total{family="V2 webhooks"} 1`,
			`cohort_http_requests_unserved_total{family="brands"} 2`,
			`cohort_http_requests_unserved_total{family="carts"} 1`,
			`cohort_http_requests_unserved_total{family="currencies"} 1`,
			`cohort_http_requests_unserved_total{family="orders"} 1`,
		}
		if diff := cmp.Diff(want, scraped(m, "cohort_http_requests_unserved_total")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// routeShapes returns the routes of the dialects, in the form of the vendor's list.
func routeShapes() map[string]bool {
	routes := map[string]bool{}
	for _, d := range server.Dialects(nil) {
		for _, r := range d.Routes {
			routes[vendorapi.Key(r.Method, d.Prefix, r.Path)] = true
		}
	}
	return routes
}

// Every route is an operation of the vendor, which the list has with a mark, or is one
// of Cohort's own.
func TestRoutesAreListed(t *testing.T) {
	marks := map[string]vendorapi.Mark{}
	for _, o := range vendorapi.Operations() {
		marks[o.Method+" "+o.Prefix+vendorapi.Shape(o.Path)] = o.Mark
	}
	for route := range routeShapes() {
		mark, listed := marks[route]
		switch own := strings.Contains(route, " /cohort/"); {
		case own && listed:
			t.Errorf("%s is Cohort's own, but internal/vendorapi/operations.txt lists it", route)
		case !own && !listed:
			t.Errorf("internal/vendorapi/operations.txt does not list %s", route)
		case !own && mark == vendorapi.Undecided:
			t.Errorf("%s has a route; give it the mark = or ~ in internal/vendorapi/operations.txt", route)
		}
	}
}
