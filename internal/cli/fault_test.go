package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/fault"
)

// A rule that is added by flags takes requests, and the list shows how often.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	r := mustRun(t, "fault", "add", "--operation", "createGroup", "--status", "503", "--times", "2", "--server", s.url)
	if want := `Rule 1 of store demo: {"operation":"createGroup","times":2,"action":{"status":503}}` + "\n"; r.out != want {
		t.Errorf("got %q, want %q", r.out, want)
	}
	for i, want := range []int{503, 503, 200} {
		if got := s.post(t, "/stores/demo/v2/customer_groups", "demo-token", `{"name":"A"}`); got.status != want {
			t.Errorf("request %d: status %d, want %d", i, got.status, want)
		}
	}
	r = mustRun(t, "fault", "list", "--server", s.url)
	if want := "ID  OPERATION    METHOD  PATH  DELAY  ACTION          HITS  LEFT\n1   createGroup  -       -     -      {\"status\":503}  2     0\n"; r.out != want {
		t.Errorf("got:\n%swant:\n%s", r.out, want)
	}
	r = mustRun(t, "fault", "list", "--json", "--server", s.url)
	if want := "[\n  " + `{"id":1,"rule":{"operation":"createGroup","times":2,"action":{"status":503}},"hits":2,"left":0}` + "\n]\n"; r.out != want {
		t.Errorf("got:\n%swant:\n%s", r.out, want)
	}
	if r := mustRun(t, "fault", "profile", "slow", "--server", s.url); !strings.Contains(r.out, "50ms to +200ms") || strings.Contains(r.out, "createGroup") {
		t.Errorf("profile:\n%s", r.out)
	}
	mustRun(t, "fault", "clear", "--server", s.url)
	if r := mustRun(t, "fault", "list", "--json", "--server", s.url); r.out != "[]\n" {
		t.Errorf("after clear: %q", r.out)
	}
}

// The flags of "fault add" are the fields of a rule.
func TestFaultFlags(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	file := filepath.Join(t.TempDir(), "rule.json")
	if err := os.WriteFile(file, []byte(`{"action":"reset"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--operation", "updateGroup", "--method", "PUT", "--path", "/v2/customer_groups/*", "--query", "a=b,c;d", "--header", "X-A=1", "--header", "X-B=2", "--body", `{"name":"A"}`, "--skip", "1", "--every", "2", "--times", "3", "--probability", "0.5", "--seed", "7", "--before", "handler", "--break", "truncate", "--commit"},
			`{"operation":"updateGroup","method":"PUT","path":"/v2/customer_groups/*","match":{"query":{"a":"b,c;d"},"header":{"X-A":"1","X-B":"2"},"body":{"name":"A"}},"skip":1,"times":3,"every":2,"probability":0.5,"seed":7,"action":{"commit_then":"truncate"}}`},
		{[]string{"--status", "429", "--retry-after", "7", "--title", "Slow down", "--delay", "1s", "--delay-jitter", "50ms"}, `{"delay":"1s","delay_jitter":"50ms","action":{"status":429,"title":"Slow down","retry_after":7}}`},
		{[]string{"--slow", "1500ms"}, `{"action":{"slow":"1.5s"}}`},
		{[]string{"--delay", "250ms", "--before", "auth"}, `{"delay":"250ms","before":"auth"}`},
		{[]string{"--rule", `{"action":"timeout"}`}, `{"action":"timeout"}`},
		{[]string{file}, `{"action":"reset"}`},
	} {
		mustRun(t, "fault", "clear", "--server", s.url)
		mustRun(t, append([]string{"fault", "add", "--server", s.url}, c.args...)...)
		var list []struct{ Rule json.RawMessage }
		r := run(t, "fault", "list", "--json", "--server", s.url)
		if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list) != 1 {
			t.Fatalf("%q: %+v, the log of the server:\n%s", c.args, r, s.err)
		}
		if got := string(list[0].Rule); got != c.want {
			t.Errorf("%q\ngot  %s\nwant %s", c.args, got, c.want)
		}
	}
	if r := runWith(t, `{"action":"empty"}`, "fault", "add", "-", "--server", s.url); r.status != 0 {
		t.Errorf("from standard input: %+v", r)
	}
	wantFailure(t, run(t, "fault", "add", "--operation", "createGrup", "--status", "503", "--server", s.url), 1, `the server refuses operation: There is no operation "createGrup".`)
	wantFailure(t, runWith(t, `{"action":`, "fault", "add", "-", "--server", s.url), 1, "standard input is not valid JSON")
}

func TestInvalidFaultFlags(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                           "give a file, --rule, or flags such as --operation and --status",
		"x.json --status 503":        "give a file, --rule, or flags such as --operation and --status",
		"--rule {}  --times 1":       "give a file, --rule, or flags such as --operation and --status",
		"--rule {":                   "--rule is not valid JSON",
		"--body { --status 503":      "--body is not valid JSON",
		"--status 503 --slow 1s":     "only one of --status, --break and --slow can be given",
		"--title No --break reset":   "--title and --retry-after go with --status",
		"--commit --operation x":     "--commit goes with --status, --break or --slow",
		"--break explode":            `--break must be timeout, reset, empty or truncate, not "explode"`,
		"--probability often":        `--probability: expected a float but got "often" (string)`,
		"--query name --status 503":  `--query: expected "<key>=<value>" but got "name"`,
		"--times -1 --status 503 --": "",
	} {
		r := run(t, append([]string{"fault", "add", "--server", "http://127.0.0.1:1"}, strings.Fields(line)...)...)
		if want == "" {
			if r.status == 0 || r.out != "" {
				t.Errorf("%s: %+v", line, r)
			}
			continue
		}
		wantFailure(t, r, 2, want)
	}
}

// The command line has the profiles of the server.
func TestFaultProfiles(t *testing.T) {
	t.Parallel()
	r := run(t, "fault", "profile", "none")
	for _, name := range fault.Profiles() {
		if !strings.Contains(r.err, name) {
			t.Errorf("%s is not in: %s", name, r.err)
		}
	}
	if got := strings.Count(r.err, ","); got != len(fault.Profiles())-1 {
		t.Errorf("there are more profiles than the %d of the server: %s", len(fault.Profiles()), r.err)
	}
}

// A server without the control API, and one with a control token.
func TestControlTokenOfCommands(t *testing.T) {
	t.Parallel()
	without := serve(t, "--db", newDB(t))
	wantFailure(t, run(t, "fault", "list", "--server", without.url), 1, "the server at "+without.url+" has no control API; it needs --dev or --control-token")
	const token = "a token for the control API"
	with := serve(t, "--dev", "--control-token", token, "--db", newDB(t))
	wantFailure(t, run(t, "fault", "list", "--server", with.url), 1, "the server needs its control token: give --control-token, or set COHORT_CONTROL_TOKEN")
	wantFailure(t, run(t, "fault", "list", "--server", with.url, "--control-token", "another token"), 1, "the server does not accept this control token")
	mustRun(t, "fault", "list", "--server", with.url, "--control-token", token)
	if got := with.get(t, "/_cohort/v1/health", ""); got.status != http.StatusUnauthorized {
		t.Errorf("without a token: status %d", got.status)
	}
	wantFailure(t, run(t, "fault", "list", "--server", with.url, "--control-token", token, "--store", "none"), 1, "Store none does not exist.")
}
