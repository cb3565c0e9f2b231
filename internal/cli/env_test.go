package cli_test

import (
	"strings"
	"testing"
)

// These tests set the environment of the process, so they do not run in parallel.

func TestStoreFlagsFromTheEnvironment(t *testing.T) {
	db := newDB(t)
	t.Setenv("COHORT_DB", db)
	t.Setenv("COHORT_PLAN", "enterprise")
	t.Setenv("COHORT_QUOTA", "5000")
	t.Setenv("COHORT_MAX_CONCURRENT", "9")
	mustRun(t, "store", "create", "abc")
	wantStores(t, db, "abc enterprise 5000 9")

	// A flag takes precedence over its variable.
	mustRun(t, "store", "create", "xyz", "--plan", "pro", "--quota", "77", "--max-concurrent", "3")
	wantStores(t, db, "abc enterprise 5000 9", "xyz pro 77 3")

	// An update changes only what is typed.
	t.Setenv("COHORT_QUOTA", "6000")
	t.Setenv("COHORT_CATALOG", "managed")
	mustRun(t, "store", "update", "xyz", "--currency", "EUR")
	wantStores(t, db, "abc enterprise 5000 9", "xyz pro 77 3")
	if r := mustRun(t, "store", "show", "xyz"); !strings.Contains(r.out, "external") || !strings.Contains(r.out, "EUR") {
		t.Errorf("after the update of the currency:\n%s", r.out)
	}
	if r := run(t, "store", "update", "xyz"); r.status != 2 || !strings.Contains(r.err, "othing to change") {
		t.Errorf("an update without flags: %+v", r)
	}

	t.Setenv("COHORT_YES", "true")
	mustRun(t, "store", "delete", "xyz")
	wantStores(t, db, "abc enterprise 5000 9")
}

func TestTokenFlagsFromTheEnvironment(t *testing.T) {
	t.Setenv("COHORT_DB", newDB(t))
	mustRun(t, "store", "create", "abc")
	mustRun(t, "store", "create", "xyz")
	t.Setenv("COHORT_STORE", "abc")
	t.Setenv("COHORT_SCOPE", "store_v2_customers,store_v2_products")
	t.Setenv("COHORT_NAME", "ETL")
	mustRun(t, "token", "create")
	mustRun(t, "token", "create", "--store", "xyz", "--name", "other")
	rows := func(args ...string) string { return mustRun(t, append([]string{"token", "list"}, args...)...).out }
	if out := rows(); !strings.Contains(out, "abc    ETL   change customers and groups, change the catalog and price lists") || strings.Contains(out, "xyz") {
		t.Errorf("tokens of the store in COHORT_STORE:\n%s", out)
	}
	if out := rows("--store", "xyz"); !strings.Contains(out, "other") || strings.Contains(out, "ETL") {
		t.Errorf("tokens of the store in --store:\n%s", out)
	}
}

func TestServeFlagsFromTheEnvironment(t *testing.T) {
	cert, key := certificate(t)
	t.Setenv("COHORT_DB", newDB(t))
	t.Setenv("COHORT_ADDR", "127.0.0.1:0")
	t.Setenv("COHORT_DEV", "true")
	t.Setenv("COHORT_LOG_FORMAT", "json")
	t.Setenv("COHORT_METRICS_ADDR", "127.0.0.1:0")
	t.Setenv("COHORT_TLS_CERT", cert)
	t.Setenv("COHORT_TLS_KEY", key)
	t.Setenv("COHORT_SHUTDOWN_TIMEOUT", "-1s")
	wantFailure(t, run(t, "serve"), 2, "--shutdown-timeout must not be negative")

	t.Setenv("COHORT_SHUTDOWN_TIMEOUT", "1h")
	s := start(t)
	if url := s.err.await(t, servingLine, s.ended); !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Errorf("the server serves %s, want https", url)
	}
	if !strings.Contains(s.err.String(), `"msg":"serving metrics","url":"http://127.0.0.1:`) {
		t.Errorf("the server does not serve metrics, or does not log in JSON:\n%s", s.err)
	}
	if !strings.Contains(s.out.String(), "curl ") {
		t.Errorf("the server does not print the greeting of --dev: %q", s.out)
	}
	if status := s.stop(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, s.err)
	}
}

func TestInvalidVariables(t *testing.T) {
	for name, args := range map[string][]string{
		"COHORT_PLAN":             {"store", "create", "abc"},
		"COHORT_QUOTA":            {"store", "create", "abc"},
		"COHORT_YES":              {"store", "delete", "abc"},
		"COHORT_DEV":              {"serve"},
		"COHORT_LOG_FORMAT":       {"serve"},
		"COHORT_SHUTDOWN_TIMEOUT": {"serve"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv(name, "nonsense")
			r := run(t, args...)
			if r.status != 2 || r.out != "" || !strings.Contains(r.err, "nonsense") {
				t.Errorf("%+v; want exit status 2 and a line that quotes the value", r)
			}
		})
	}
}
