package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cohort.example/cohort/internal/conformance"
)

func TestConformance(t *testing.T) {
	s := serve(t, "--dev", "--db", newDB(t))
	t.Setenv("COHORT_API_TOKEN", "demo-token")
	args := []string{"conformance", "--url", s.url, "--store", "demo"}
	if r := mustRun(t, args...); !strings.HasPrefix(r.out, "Statements that hold: ") || !strings.Contains(r.out, ". That do not: 0. Requests: ") {
		t.Errorf("output %q", r.out)
	}
	var report conformance.Report
	if err := json.Unmarshal([]byte(mustRun(t, append(args, "--allow-writes", "--json")...).out), &report); err != nil || !report.Writes || len(report.Statements) == 0 {
		t.Errorf("%+v, error %v", report, err)
	}
}

func TestConformanceFails(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(other.Close)
	r := run(t, "conformance", "--url", other.URL, "--store", "demo", "--token", "secret")
	if want := "  GET /v2/customer_groups?limit=251: status 200\n    want read.txt:65: code == 413\n"; r.status != 3 || r.err != "" || !strings.Contains(r.out, want) {
		t.Errorf("got %+v", r)
	}
	wantFailure(t, run(t, "conformance", "--store", "demo", "--url", other.URL), 2, "the store needs its token, in COHORT_API_TOKEN or --token")
	wantFailure(t, run(t, "conformance", "--store", "demo", "--token", "x", "--url", "ftp://x"), 2,
		`--url cannot be used: "ftp://x" is not the URL of an API, such as https://api.bigcommerce.com`)
}
