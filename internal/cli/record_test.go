package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
)

// recording starts "cohort record" in front of a server. The function ends it and returns
// what it has printed.
func recording(t *testing.T, file, to string, args ...string) (url string, end func() result) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errs, ended := newOutput(), newOutput(), make(chan struct{})
	status := -1
	go func() {
		defer close(ended)
		args = append([]string{"record", file, "--to", to, "--addr", "127.0.0.1:0"}, args...)
		status = cli.Run(ctx, args, cli.Streams{In: strings.NewReader(""), Out: out, Err: errs})
	}()
	end = func() result {
		cancel()
		<-ended
		return result{status, out.String(), errs.String()}
	}
	t.Cleanup(func() { end() })
	return out.await(t, `Requests to (http://\S+) reach`, ended), end
}

// TestRecordReplayDrift records a server, replays the recording against it, and sees what
// has changed.
func TestRecordReplayDrift(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t))
	file := filepath.Join(t.TempDir(), "session.jsonl")
	url, end := recording(t, file, s.url, "--allow-writes")
	mustRun(t, "wait", "--server", url)
	front := &serving{url: url, client: s.client}
	front.post(t, "/stores/demo/v2/customers", "demo-token", `{"first_name":"Jolanda","last_name":"Smith","email":"jolanda@acme.test"}`)
	front.get(t, "/stores/demo/v2/customers/1", "demo-token")
	front.get(t, "/stores/demo/v2/customers?email=jolanda%40acme.test", "demo-token")
	if r := end(); r.status != 0 || !strings.HasSuffix(r.out, "session.jsonl has 3 exchanges.\n") || r.err != "" {
		t.Errorf("%+v", r)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Jolanda", "jolanda", "Smith", "acme", "demo-token"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the recording has %s:\n%s", secret, text)
		}
	}
	want := result{out: "3 responses compared.\n"}
	if r := mustRun(t, "replay", file, "--server", s.url, "--value", "first_name"); r != want {
		t.Errorf("replay: %+v", r)
	}
	// The customer of the recording exists now.
	r := run(t, "replay", file, "--server", s.url)
	if r.status != 3 || !strings.HasPrefix(r.out, "1. POST /v2/customers\n   status: 200, now 400\n") || r.err != "cohort: 1 of 3 responses differ.\n" {
		t.Errorf("a second replay: %+v", r)
	}
	r = run(t, "drift", file, "--url", s.url, "--store", "demo", "--token", "demo-token", "--json")
	var report struct {
		Compared, Differ int
		Skipped          map[string]int
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.status != 0 || report.Compared != 1 || report.Skipped["it changes something"] != 1 || report.Skipped["its request has fakes"] != 1 {
		t.Errorf("drift: %v, %+v", err, r)
	}
	mustRun(t, "reset", "--server", s.url, "--empty")
	r = run(t, "drift", file, "--url", s.url, "--store", "demo", "--token", "demo-token")
	if r.status != 3 || !strings.HasPrefix(r.out, "2. GET /v2/customers/1\n   status: 200, now 404\n") {
		t.Errorf("drift of an empty store: %+v", r)
	}
	if r := mustRun(t, "drift", file, file); r != want {
		t.Errorf("drift of a recording and itself: %+v", r)
	}
}

// A recording never takes the place of a file, and its proxy is for this machine.
func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "session.jsonl")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, run(t, "record", file, "--addr", "127.0.0.1:0"), 1, "cannot write the recording: open "+file+": file exists")
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("the file has %s now", text)
	}
	other := filepath.Join(t.TempDir(), "other.jsonl")
	for line, want := range map[string]string{
		"--to http://api.bigcommerce.com": "--to cannot be used: the URL http://api.bigcommerce.com must begin with https, because requests to it have tokens",
		"--addr 0.0.0.0:0":                "--addr must be an address of this machine, such as 127.0.0.1:8090, not 0.0.0.0:0: clients send it tokens in plain HTTP",
		"--addr 8090":                     "--addr 8090 is not HOST:PORT",
	} {
		wantFailure(t, run(t, append([]string{"record", other}, strings.Fields(line)...)...), 2, want)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a command line that is refused writes a file")
	}
	for line, want := range map[string]result{
		"replay " + other: {1, "", "cohort: Cannot read the recording: open " + other + ": no such file or directory.\n"},
		"replay " + file:  {1, "", "cohort: " + file + `, line 1: this is not a recording: its first line must be {"cohort_recording":1,…}.` + "\n"},
	} {
		if got := run(t, append(strings.Fields(line), "--server", "http://127.0.0.1:1")...); got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
	wantFailure(t, run(t, "drift", file, "--store", "abc"), 2, "give a second recording, or --store and the token of the store, in COHORT_TOKEN or --token")
	wantFailure(t, run(t, "drift", file, "--url", "http://x"), 2, "--url cannot be used: the URL http://x must begin with https, because requests to it have tokens")
	wantFailure(t, run(t, "replay", file, "--store", "abc"), 2, "give the token of the store, in COHORT_TOKEN or --token")
}
