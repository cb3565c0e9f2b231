package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeUpstream passes a request on from one server to another, with the token of the
// file. It sets the environment, so it does not run in parallel.
func TestServeUpstream(t *testing.T) {
	there := serve(t, "--dev", "--db", newDB(t))
	there.post(t, "/stores/demo/v2/customer_groups", "demo-token", `{"name":"There"}`)
	file := filepath.Join(t.TempDir(), "stores.txt")
	if err := os.WriteFile(file, []byte("demo demo MY_TOKEN\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--dev", "--upstream", there.url, "--upstream-tokens", file}
	wantFailure(t, run(t, append([]string{"serve"}, flags...)...), 1, "cannot use "+file+": line 1: the variable MY_TOKEN is not set; it must have the token of the store demo")
	t.Setenv("MY_TOKEN", "demo-token")
	s := serve(t, append(flags, "--db", newDB(t))...)
	if r := s.get(t, "/stores/demo/v2/customer_groups", "demo-token"); r.status != 204 || r.header.Get("X-Cohort-Answered-By") != "" {
		t.Errorf("a path that both have: %+v", r)
	}
	r := s.get(t, "/stores/demo/v2/nothing", "demo-token")
	if r.status != 404 || r.header.Get("X-Cohort-Answered-By") != "upstream" {
		t.Errorf("a path that none has: %+v", r)
	}
	if out := mustRun(t, "requests", "--server", s.url, "--operation", "upstream").out; !strings.Contains(out, "/v2/nothing") {
		t.Errorf("the journal:\n%s", out)
	}
	for line, want := range map[string]string{
		"--upstream " + there.url:                       "--upstream and --upstream-tokens go together",
		"--upstream-tokens " + file:                     "--upstream and --upstream-tokens go together",
		"--upstream-allow-writes":                       "--upstream-allow-writes goes with --upstream",
		"--upstream http://x --upstream-tokens " + file: "--upstream cannot be used: the URL http://x must begin with https, because requests to it have tokens",
		"--dev --dev-listen-anywhere --upstream-tokens " + file + " --upstream " + there.url: "--upstream does not go with --dev-listen-anywhere: everybody who reaches the address could use the tokens of the upstream with the public token",
	} {
		wantFailure(t, run(t, append([]string{"serve", "--db", newDB(t)}, strings.Fields(line)...)...), 2, want)
	}
}
