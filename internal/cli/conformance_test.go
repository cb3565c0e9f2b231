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
	if r := mustRun(t, args...); !strings.HasPrefix(r.out, "Statements that hold: ") || !strings.Contains(r.out, ". That do not: 0. Not checked: 0. Requests: ") {
		t.Errorf("output %q", r.out)
	}
	var report conformance.Report
	if err := json.Unmarshal([]byte(mustRun(t, append(args, "--allow-writes", "--json")...).out), &report); err != nil || !report.Writes || len(report.Statements) == 0 {
		t.Errorf("%+v, error %v", report, err)
	}
}

// A statement for which the token lacks the scope is no difference.
func TestConformanceNotChecked(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stores/demo/v2/time" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(other.Close)
	r := run(t, "conformance", "--url", other.URL, "--store", "demo", "--token", "secret")
	if want := "Not checked, because of GET /v3/channels/1: status 403: 2\n"; !strings.Contains(r.out, want) {
		t.Errorf("got %+v", r)
	}
}

func TestConformanceLeavesSomething(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte(`{"id":7}`)) // the client notices
	}))
	t.Cleanup(other.Close)
	r := run(t, "conformance", "--url", other.URL, "--store", "demo", "--token", "secret", "--allow-writes")
	if r.status != 1 || !strings.Contains(r.out, "Statements that hold: ") || !strings.Contains(r.err, "annot delete what was created: DELETE /v3/") {
		t.Errorf("got %+v", r)
	}
}

func TestConformanceFails(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(other.Close)
	r := run(t, "conformance", "--url", other.URL, "--store", "demo", "--token", "secret")
	if want := "  GET /v2/customer_groups?limit=251: status 200\n    want read-v2.txt:65: code == 413\n"; r.status != 3 || r.err != "" || !strings.Contains(r.out, want) {
		t.Errorf("got %+v", r)
	}
	wantFailure(t, run(t, "conformance", "--store", "demo", "--url", other.URL), 2, "the store needs its token, in COHORT_API_TOKEN or --token")
	wantFailure(t, run(t, "conformance", "--store", "demo", "--token", "x", "--url", "ftp://x"), 2,
		`--url cannot be used: "ftp://x" is not the URL of an API, such as https://api.bigcommerce.com`)
}
