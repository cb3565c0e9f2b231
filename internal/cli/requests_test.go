package cli_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
)

// called returns a server that has received three requests.
func called(t *testing.T) *serving {
	t.Helper()
	s := serve(t, "--dev", "--db", newDB(t))
	s.post(t, "/stores/demo/v2/customer_groups", "demo-token", `{"name":"Wholesale"}`)
	s.get(t, "/stores/demo/v2/customer_groups/1?page=2", "demo-token")
	s.get(t, "/stores/demo/v2/time", "wrong")
	return s
}

func TestRequestList(t *testing.T) {
	t.Parallel()
	s := called(t)
	const clock = `\d\d:\d\d:\d\d\.\d{3}`
	for line, want := range map[string]string{
		"": `^ID  TIME +METHOD  PATH +STATUS  OPERATION    NOTES\n` +
			`1   ` + clock + `  POST    /v2/customer_groups +200     createGroup  \n` +
			`2   ` + clock + `  GET     /v2/customer_groups/1\?page=2  200     getGroup     not read: query\.page\n` +
			`3   ` + clock + `  GET     /v2/time +401     getTime      \n$`,
		"--operation getGroup":                 `^ID .*\n2 .*\n$`,
		"--method POST":                        `^ID .*\n1 .*\n$`,
		"--path /v2/customer_groups*":          `^ID .*\n1 .*\n2 .*\n$`,
		"--status 401":                         `^ID .*\n3 .*\n$`,
		"--since 1":                            `^ID .*\n2 .*\n3 .*\n$`,
		"--status 200 --json":                  `^\[\n  \{"id":1,.*"request":\{.*\},\n  \{"id":2,.*\}\n\]\n$`,
		"--operation createCustomer":           `^ID .*\n$`,
		"--operation createCustomer --json":    `^\[\]\n$`,
		"--operation createCustomer --as curl": `^$`,
		"1 --as curl":                          `^curl -X 'POST' 'http://[^/]+/stores/demo/v2/customer_groups' \\\n(?s:.*)'\{"name":"Wholesale"\}'\n\n$`,
		"--as curl --method GET":               `^curl (?s:.*)/customer_groups/1\?page=2'(?s:.*)\n\ncurl (?s:.*)/v2/time'(?s:.*)\n\n$`,
		"1":                                    `^\{\n  "id": 1,\n(?s:.*)\}\n$`,
	} {
		r := mustRun(t, append([]string{"requests", "--server", s.url}, strings.Fields(line)...)...)
		if !regexp.MustCompile(want).MatchString(r.out) || r.err != "" {
			t.Errorf("requests %s: %q\n%s", line, r.err, r.out)
		}
	}
	// The newest ones are the last.
	r := mustRun(t, "requests", "--limit", "2", "--server", s.url)
	if !regexp.MustCompile(`^ID .*\n2 .*\n3 .*\n$`).MatchString(r.out) || r.err != "There are more; --since and --limit select them.\n" {
		t.Errorf("with a limit: %+v", r)
	}
	wantFailure(t, run(t, "requests", "9", "--server", s.url), 1, "The journal of the store has no request 9.")
	wantFailure(t, run(t, "requests", "--operation", "createGrup", "--server", s.url), 1, "the server refuses operation: There is no such operation. GET /_cohort/v1/operations lists them.")
	wantFailure(t, run(t, "requests", "1", "-f", "--server", s.url), 2, "an id and --follow do not go together")
	wantFailure(t, run(t, "requests", "--as", "curl", "--json", "--server", s.url), 2, "--as and --json do not go together")
	wantFailure(t, run(t, "requests", "--limit", "0", "--server", s.url), 2, "--limit must be at least 1")
}

// follow starts a "cohort requests -f" that runs in this process.
func follow(t *testing.T, s *serving, args ...string) (out *output, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out = newOutput()
	ended, status := make(chan struct{}), 0
	go func() {
		defer close(ended)
		status = cli.Run(ctx, append([]string{"requests", "-f", "--server", s.url}, args...), cli.Streams{In: strings.NewReader(""), Out: out, Err: out})
	}()
	stop = func() int { cancel(); <-ended; return status }
	t.Cleanup(func() { stop() })
	return out, stop
}

// --follow prints requests as they end, until Ctrl-C.
func TestFollowRequests(t *testing.T) {
	t.Parallel()
	s := called(t)
	never := make(chan struct{})
	out, stop := follow(t, s, "--since", "1", "--method", "GET")
	out.await(t, `(?m)^(3) `, never)
	s.get(t, "/stores/demo/v2/customer_groups", "demo-token")
	out.await(t, `(?m)^(4) +\S+  GET     /v2/customer_groups  `, never)
	if status := stop(); status != 0 || strings.Contains(out.String(), "POST") || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("exit status %d:\n%s", status, out)
	}

	out, stop = follow(t, s, "--json", "--since", "3")
	out.await(t, `^(\{"id":4,.*\}\n)$`, never)
	if status := stop(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, out)
	}

	out, stop = follow(t, s, "--as", "curl", "--since", "0", "--method", "POST")
	out.await(t, `(\{"name":"Wholesale"\}'\n\n)$`, never)
	if status := stop(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

// A store that is deleted ends --follow.
func TestFollowDeletedStore(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	s.post(t, "/_cohort/v1/stores", "", `{"hash":"abc","token":"secret"}`)
	s.get(t, "/stores/abc/v2/time", "secret")
	out, _ := follow(t, s, "--store", "abc", "--since", "0")
	never := make(chan struct{})
	out.await(t, `(?m)^(1) `, never)
	if got := s.do(t, http.MethodDelete, "/_cohort/v1/stores/abc", "", ""); got.status != http.StatusNoContent {
		t.Fatalf("status %d", got.status)
	}
	out.await(t, `(cohort: Store abc does not exist\.)\n$`, never)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := called(t)
	for _, line := range []string{
		"--operation createGroup --times 1",
		"--method GET --path /v2/* --at-least 2 --at-most 2",
		`--body {"name":"Wholesale"} --status 200`,
		"--query page=2 --header accept-encoding=gzip",
		`--criteria {"operation":"getTime","status":401}`,
		"--operation deleteGroup --times 0",
		"",
	} {
		if r := run(t, append([]string{"verify", "--server", s.url}, strings.Fields(line)...)...); r.status != 0 || !strings.HasPrefix(r.out, "Matching requests: ") || r.err != "" {
			t.Errorf("verify %s: %+v", line, r)
		}
	}
	r := run(t, "verify", "--operation", "createGroup", "--body", `{"name":"Retail","id":1}`, "--within", "1ms", "--server", s.url)
	for _, want := range []string{
		"(?m)^Request 1, POST /stores/demo/v2/customer_groups \\(createGroup, status 200\\), differs:\n  body",
		`(?m)^  body\.name: wanted "Retail", got "Wholesale"$`,
		"(?m)^  body\\.id: wanted 1, got nothing$",
		"\ncohort: Matching requests: 0\\. Expected: at least 1\\.\n$",
	} {
		if !regexp.MustCompile(want).MatchString(r.err) || r.status != 1 || r.out != "" {
			t.Errorf("got %+v\nwant %s", r, want)
		}
	}
	if r := run(t, "verify", "--times", "9", "--json", "--server", s.url); r.status != 1 || !strings.Contains(r.out, `"count": 3`) || r.err != "cohort: Matching requests: 3. Expected: 9.\n" {
		t.Errorf("--json of a failure: %+v", r)
	}
	if r := run(t, "verify", "--times", "3", "--json", "--server", s.url); r != (result{0, `{"count":3,"ok":true}` + "\n", ""}) {
		t.Errorf("--json: %+v", r)
	}
	wantFailure(t, run(t, "verify", "--operation", "createGrup", "--server", s.url), 1, "the server refuses criteria.operation: There is no such operation. GET /_cohort/v1/operations lists them.")
	wantFailure(t, run(t, "verify", "--within", "31s", "--server", s.url), 1, "the server refuses within: The value must be a time such as 500ms or 2s, up to 30s.")
	for line, want := range map[string]string{
		"--times 1 --at-most 2":       "--times does not go with --at-least and --at-most",
		"--body {":                    "--body is not valid JSON",
		"--criteria {":                "--criteria is not valid JSON",
		"--criteria {} --method GET":  "--criteria does not go with flags for single criteria",
		"--within soon":               `--within: "soon" is not a duration, such as 15s or 2m`,
		"--criteria {} --header name": `--header: expected "<key>=<value>" but got "name"`,
	} {
		wantFailure(t, run(t, append([]string{"verify", "--server", s.url}, strings.Fields(line)...)...), 2, want)
	}
}
