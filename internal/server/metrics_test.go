package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

// Requests are counted by operation and status. No label has a value that a client can
// choose.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		m := server.NewMetrics()
		f := newFixture(t, d, server.Options{Metrics: m, Now: newClock().Now})
		f.meter(t, cohort.PlanEnterprise, 4)
		f.concurrency(t, 1)
		token := f.vars["token"]
		f.mustDo(t, 200, "POST", f.path("/customer_groups"), token, `{"name":"x"}`)
		f.mustDo(t, 200, "GET", f.path("/customer_groups"), token, "")
		f.mustDo(t, 200, "HEAD", f.path("/customer_groups"), token, "")
		f.mustDo(t, 403, "GET", f.path("/customer_groups"), f.vars["other_token"], "")
		f.mustDo(t, 404, "GET", "/made/up", token, "")
		f.mustDo(t, 404, "GET", "/made/up/too", token, "")
		f.mustDo(t, 404, "PATCH", f.path("/customer_groups"), token, "")
		f.mustDo(t, 200, "GET", "/livez", "", "")

		held := newHeldRequests(f)
		held.add(newRequest("GET", f.path("/customer_groups"), token, ""))
		f.mustDo(t, 429, "GET", f.path("/customer_groups"), token, "")
		if got := scraped(m, "cohort_http_requests_in_flight"); !cmp.Equal(got, []string{"cohort_http_requests_in_flight 1"}) {
			t.Errorf("while a request runs: %q", got)
		}
		held.release()
		f.mustDo(t, 429, "GET", f.path("/time"), token, "")
		f.mustDo(t, 429, "GET", f.path("/time"), token, "")

		for metric, want := range map[string][]string{
			"cohort_http_requests_total": {
				`cohort_http_requests_total{operation="createGroup",status="200"} 1`,
				`cohort_http_requests_total{operation="getTime",status="429"} 2`,
				`cohort_http_requests_total{operation="listGroups",status="200"} 3`,
				`cohort_http_requests_total{operation="listGroups",status="403"} 1`,
				`cohort_http_requests_total{operation="listGroups",status="429"} 1`,
				`cohort_http_requests_total{operation="live",status="200"} 1`,
				`cohort_http_requests_total{operation="none",status="404"} 3`,
			},
			"cohort_http_requests_refused_total": {
				`cohort_http_requests_refused_total{limit="concurrency"} 1`,
				`cohort_http_requests_refused_total{limit="quota"} 2`,
			},
			"cohort_http_request_duration_seconds_count": {
				`cohort_http_request_duration_seconds_count{operation="createGroup"} 1`,
				`cohort_http_request_duration_seconds_count{operation="getTime"} 2`,
				`cohort_http_request_duration_seconds_count{operation="listGroups"} 5`,
				`cohort_http_request_duration_seconds_count{operation="live"} 1`,
				`cohort_http_request_duration_seconds_count{operation="none"} 3`,
			},
			"cohort_http_requests_in_flight": {"cohort_http_requests_in_flight 0"},
		} {
			if diff := cmp.Diff(want, scraped(m, metric)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", metric, diff)
			}
		}
	})
}

// scraped returns the lines of one metric, sorted.
func scraped(m *server.Metrics, metric string) (lines []string) {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, metric+"{") || strings.HasPrefix(line, metric+" ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// The server serves the OpenAPI document that the contract tests use.
func TestOpenAPIIsServed(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		w := f.mustDo(t, 200, "GET", "/openapi.yaml", "", "")
		if got := w.Header().Get("Content-Type"); got != "application/yaml" {
			t.Errorf("Content-Type: %s", got)
		}
		if diff := cmp.Diff(string(openapi.Document), w.Body.String()); diff != "" {
			t.Errorf("(-embedded +served):\n%s", diff)
		}
	})
}
