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
		"--dev --dev-listen-anywhere --upstream-tokens " + file + " --upstream " + there.url: "--upstream does not go with --dev-listen-anywhere: every client that reaches the address could use the tokens of the upstream with the public token",
	} {
		wantFailure(t, run(t, append([]string{"serve", "--db", newDB(t)}, strings.Fields(line)...)...), 2, want)
	}
}

// TestServeStub answers a path that Cohort does not have with an example, if the token is
// right.
func TestServeStub(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "api.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("openapi: [")
	wantFailure(t, run(t, "serve", "--stub", file, "--db", newDB(t)), 2, "--stub goes with --dev, because its answers are made up")
	if r := run(t, "serve", "--dev", "--stub", file, "--db", newDB(t)); r.status != 1 || !strings.Contains(r.err, "line 2: the text is not valid YAML: ") {
		t.Errorf("a broken document: %+v", r)
	}
	const operation = "{get: {responses: {'200': {description: ok, content: {application/json: {example: {made: up}}}}}}}"
	write("openapi: 3.0.3\ninfo: {title: t, version: v}\npaths:\n  '/stores/{hash}/v2/orders': " + operation + "\n  '/stores/{hash}/v2/customers': " + operation + "\n  /other: " + operation + "\n")
	s := serve(t, "--dev", "--stub", file, "--db", newDB(t))
	for _, c := range []struct {
		path, token string
		want        int
		stubbed     bool
	}{
		{"/stores/demo/v2/orders", "demo-token", 200, true},
		{"/stores/demo/v2/orders", "wrong", 401, false},
		{"/other", "", 200, true},
		{"/stores/demo/v2/customers", "demo-token", 204, false},
		{"/stores/demo/v2/carts", "demo-token", 404, false},
	} {
		r := s.get(t, c.path, c.token)
		if r.status != c.want || (r.header.Get("X-Cohort-Answered-By") == "stub") != c.stubbed || c.stubbed && r.body != `{"made":"up"}` {
			t.Errorf("%s: %+v", c.path, r)
		}
	}
	if out := mustRun(t, "requests", "--server", s.url, "--operation", "stub", "--status", "200").out; strings.Count(out, "/v2/orders") != 1 {
		t.Errorf("the journal:\n%s", out)
	}
}
