package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// controlStub is a control API that expects one request and answers it.
type controlStub struct {
	method, path string // the path has the query string
	body         string // as JSON, or as it is; "": none
	status       int
	answer       string
}

// serveStub serves the stub. got is the request that came, as a line.
func (s controlStub) serve(t *testing.T) (url string, got func() string) {
	t.Helper()
	var mu sync.Mutex
	var came string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		came = strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + sameJSON(string(body)))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if s.status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() string { mu.Lock(); defer mu.Unlock(); return came }
}

// sameJSON returns a JSON text in one form, and any other text unchanged.
func sameJSON(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	same, _ := json.Marshal(v)
	return string(same)
}

const (
	frozenClock  = `{"now":"2026-01-01T00:00:00Z","frozen":true,"offset":"0s"}`
	offsetClock  = `{"now":"2026-01-04T00:00:00Z","frozen":false,"offset":"72h0m0s"}`
	baseSnapshot = `{"name":"base","date_created":"2026-01-01T00:00:00Z","rows":123}`
)

// Commands about a store send one request, and print its response.
func TestStoreCommandsOfTheControlAPI(t *testing.T) {
	t.Parallel()
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(seed, []byte("groups:\n- name: A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const at = "/_cohort/v1/stores/demo"
	for _, c := range []struct {
		line string
		stub controlStub
		out  string
	}{
		{"clock show", controlStub{"GET", at + "/clock", "", 200, frozenClock}, "In store demo it is 2026-01-01T00:00:00Z (frozen).\n"},
		{"clock show --json", controlStub{"GET", at + "/clock", "", 200, frozenClock}, frozenClock + "\n"},
		{"clock freeze", controlStub{"PUT", at + "/clock", `{"frozen_at":"now"}`, 200, frozenClock}, "In store demo it is 2026-01-01T00:00:00Z (frozen).\n"},
		{"clock freeze 2026-01-01T00:00:00Z", controlStub{"PUT", at + "/clock", `{"frozen_at":"2026-01-01T00:00:00Z"}`, 200, frozenClock}, "In store demo it is 2026-01-01T00:00:00Z (frozen).\n"},
		{"clock offset 72h", controlStub{"PUT", at + "/clock", `{"offset":"72h"}`, 200, offsetClock}, "In store demo it is 2026-01-04T00:00:00Z (the system clock and 72h0m0s).\n"},
		{"clock offset -72h --store demo", controlStub{"PUT", at + "/clock", `{"offset":"-72h"}`, 200, offsetClock}, "In store demo it is 2026-01-04T00:00:00Z (the system clock and 72h0m0s).\n"},
		{"clock advance 48h", controlStub{"POST", at + "/clock/advance", `{"by":"48h"}`, 200, frozenClock}, "In store demo it is 2026-01-01T00:00:00Z (frozen).\n"},
		{"clock reset", controlStub{"DELETE", at + "/clock", "", 204, ""}, "Store demo uses the system clock.\n"},
		{"snapshot save base", controlStub{"PUT", at + "/snapshots/base", "", 201, baseSnapshot}, "Store demo is saved as base, with 123 rows.\n"},
		{"snapshot restore base", controlStub{"POST", at + "/snapshots/base/restore", "", 200, baseSnapshot}, "Store demo is as in base, with 123 rows.\n"},
		{"snapshot list", controlStub{"GET", at + "/snapshots", "", 200, `{"snapshots":[` + baseSnapshot + `]}`}, "NAME  CREATED               ROWS\nbase  2026-01-01T00:00:00Z  123\n"},
		{"snapshot list --json", controlStub{"GET", at + "/snapshots", "", 200, `{"snapshots":[` + baseSnapshot + `]}`}, "[\n  " + baseSnapshot + "\n]\n"},
		{"snapshot rm base", controlStub{"DELETE", at + "/snapshots/base", "", 204, ""}, "Snapshot base of store demo is removed.\n"},
		{"reset", controlStub{"POST", at + "/reset", `{}`, 200, `{"hash":"demo"}`}, "Store demo is reset: as its seed left it, or empty without a seed.\n"},
		{"reset --empty --store t-1", controlStub{"POST", "/_cohort/v1/stores/t-1/reset", `{"to":"empty"}`, 200, `{"hash":"t-1"}`}, "Store t-1 is reset: empty.\n"},
		{"seed " + seed, controlStub{"PUT", at + "/seed", "groups:\n- name: A", 200, `{"store":{"hash":"demo"},"counts":{"groups":1,"customers":20}}`}, "Store demo has the content of " + seed + ".\nSECTION    ITEMS\ncustomers  20\ngroups     1\n"},
		{"export", controlStub{"GET", at + "/export?format=yaml", "", 200, "groups: []\n"}, "groups: []\n"},
		{"export --format json", controlStub{"GET", at + "/export?format=json", "", 200, "{}\n"}, "{}\n"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			url, got := c.stub.serve(t)
			r := run(t, append(strings.Fields(c.line), "--server", url)...)
			if want := (result{0, c.out, ""}); r != want {
				t.Errorf("got %+v, want %+v", r, want)
			}
			if want := strings.TrimSpace(c.stub.method + " " + c.stub.path + " " + sameJSON(c.stub.body)); got() != want {
				t.Errorf("request %q, want %q", got(), want)
			}
		})
	}
}

// A refusal of the server is one line on standard error.
func TestRefusalsOfTheControlAPI(t *testing.T) {
	t.Parallel()
	stub := controlStub{status: 422, answer: `{"status":422,"detail":"No.","errors":[{"field":"name","detail":"The value must have at most 40 characters."}]}`}
	url, _ := stub.serve(t)
	for _, line := range []string{
		"clock show", "clock freeze", "clock offset 1h", "clock advance 1h", "clock reset", "snapshot save x", "snapshot restore x", "snapshot list", "snapshot rm x",
		"reset", "export", "fault list", "fault clear", "fault profile slow", "fault add --status 503", "requests", "requests 1", "requests -f", "requests -f --since 1", "verify", "status",
	} {
		wantFailure(t, run(t, append(strings.Fields(line), "--server", url)...), 1, "the server refuses name: The value must have at most 40 characters.")
	}
	wantFailure(t, runWith(t, "a: b", "seed", "-", "--server", url), 1, "the server refuses name: The value must have at most 40 characters.")
}

func TestSeedFromStandardInput(t *testing.T) {
	t.Parallel()
	url, got := controlStub{status: 200, answer: `{"store":{}}`}.serve(t)
	if r := runWith(t, `{"groups":[]}`, "seed", "-", "--server", url); r != (result{0, "Store demo has the content of standard input.\n", ""}) {
		t.Errorf("%+v", r)
	}
	if got() != `PUT /_cohort/v1/stores/demo/seed {"groups":[]}` {
		t.Errorf("request %q", got())
	}
	wantFailure(t, runWith(t, " \n", "seed", "-", "--server", url), 1, "standard input is empty")
	folder := t.TempDir()
	wantFailure(t, run(t, "seed", folder, "--server", url), 1, folder+" is a directory")
}

// A file is written at the end, so that a failure leaves the earlier one as it was.
func TestExportToFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "store.yaml")
	url, _ := controlStub{status: 200, answer: "groups: []\n"}.serve(t)
	mustRun(t, "export", "-o", file, "--server", url)
	url, _ = controlStub{status: 404, answer: `{"detail":"There is no such store."}`}.serve(t)
	wantFailure(t, run(t, "export", "-o", file, "--server", url), 1, "There is no such store.")
	text, err := os.ReadFile(file)
	if string(text) != "groups: []\n" || err != nil {
		t.Errorf("the file has %q, %v", text, err)
	}
	if files, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

func TestInvalidServer(t *testing.T) {
	t.Parallel()
	wantFailure(t, run(t, "reset", "--server", "localhost:8080"), 2, `"localhost:8080" is not the URL of a server, such as http://127.0.0.1:8080`)
}

// Without --server, commands ask the server at the address of "cohort serve".
func TestDefaultServer(t *testing.T) {
	t.Setenv("COHORT_STATE_DIR", t.TempDir())
	if r := mustRun(t, "env"); !strings.Contains(r.out, "export COHORT_URL='http://127.0.0.1:8080'\n") || strings.Contains(r.out, "COHORT_DB") {
		t.Errorf("%s", r.out)
	}
	t.Setenv("COHORT_URL", "http://cohort.example:1234/")
	if r := mustRun(t, "env"); !strings.Contains(r.out, "export COHORT_URL='http://cohort.example:1234'\n") {
		t.Errorf("%s", r.out)
	}
}
