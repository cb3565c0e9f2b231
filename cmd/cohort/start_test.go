package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// background runs commands about the server that "cohort start" starts. Its files are in a
// folder of the test.
type background struct {
	t   *testing.T
	dir string
}

func newBackground(t *testing.T) background {
	t.Helper()
	b := background{t, t.TempDir()}
	t.Cleanup(func() {
		if pid := b.pid(); pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // a test that fails leaves it running
		}
	})
	return b
}

// finished is what a command has printed, with its exit status.
type finished struct {
	status   int
	out, err string
}

// run runs a command to its end.
func (b background) run(args ...string) finished {
	b.t.Helper()
	cmd := command(b.t, args...)
	return b.finish(cmd)
}

func (b background) finish(cmd *exec.Cmd) finished {
	b.t.Helper()
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &out, &errs
	cmd.Env = append(cmd.Env, "COHORT_STATE_DIR="+b.dir, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	_ = cmd.Run() // the exit status says it
	return finished{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs a command that must succeed, and returns its standard output.
func (b background) must(args ...string) string {
	b.t.Helper()
	r := b.run(args...)
	if r.status != 0 {
		b.t.Fatalf("cohort %s: %+v", strings.Join(args, " "), r)
	}
	return r.out
}

// start starts the server on a free port, and returns its URL.
func (b background) start(args ...string) string {
	b.t.Helper()
	out := b.must(append([]string{"start", "--addr", "127.0.0.1:0"}, args...)...)
	m := regexp.MustCompile(`(?m)^export BC_API_ENDPOINT='(http://127\.0\.0\.1:[1-9]\d*)'$`).FindStringSubmatch(out)
	if m == nil {
		b.t.Fatalf("start prints no URL:\n%s", out)
	}
	return m[1]
}

// pid returns the process of a server that serves, 0 for none.
func (b background) pid() int {
	var s struct{ PID int }
	text, err := os.ReadFile(filepath.Join(b.dir, "server.json"))
	if err != nil || json.Unmarshal(text, &s) != nil {
		return 0
	}
	return s.PID
}

// groups returns the status of the list of groups: 204 if there are none.
func groups(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/stores/demo/v2/customer_groups", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", "demo-token")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

const createGroup = `curl -sSf "$BC_API_ENDPOINT/stores/$STORE_HASH/v2/customer_groups" -H "X-Auth-Token: $ACCESS_TOKEN" -H 'Content-Type: application/json' -d '{"name":"Wholesale"}'`

// A shell starts a server, uses it and stops it, as a test run does.
func TestStartInAShell(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	script := `set -eu
eval "$(cohort start --addr 127.0.0.1:0)"
cohort wait
` + createGroup + `
cohort verify --operation createGroup --times 1
cohort token list
cohort stop
! cohort status --server "$BC_API_ENDPOINT"`
	r := b.finish(exec.CommandContext(t.Context(), "bash", "-c", script))
	if r.status != 0 {
		t.Fatalf("%+v", r)
	}
	want := `^ready\n\{"id":1,"name":"Wholesale",.*\}Matching requests: 1\.\nID .*\n\S+ +demo +serve --dev .*\nThe server at http://127\.0\.0\.1:\d+ has ended\.\n$`
	if !regexp.MustCompile(want).MatchString(r.out) {
		t.Errorf("got:\n%s", r.out)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	if r := b.run("status", "--server", "http://127.0.0.1:1"); r.status != 1 || r.out != "" {
		t.Errorf("status before: %+v", r)
	}
	url := b.start()
	pid := b.pid()
	if group, err := syscall.Getpgid(pid); group != pid || err != nil {
		t.Errorf("the server is not in a group of its own: %d, %v", group, err)
	}
	if out := b.must("status", "--json"); !strings.Contains(out, `"url":"`+url+`"`) || !strings.Contains(out, `"pid":`) {
		t.Errorf("status: %s", out)
	}
	if again := b.start(); again != url {
		t.Errorf("a second start has another server: %s, want %s", again, url)
	}
	if r := b.run("start", "--addr", "127.0.0.1:1"); r.status != 1 || r.out != "" || !strings.Contains(r.err, "cohort: A server runs already with other flags (--addr 127.0.0.1:0, the database is its own)") {
		t.Errorf("with another address: %+v", r)
	}
	if r := b.run("start", "--addr", "127.0.0.1:0", "--db", "sqlite:mine.db"); r.status != 1 || !strings.Contains(r.err, "other flags") {
		t.Errorf("with another database: %+v", r)
	}

	// A server that is killed is not running, though its files are there.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for b.run("stop").out != "No server runs in the background.\n" {
	}
	url = b.start()
	if b.pid() == pid {
		t.Error("there is no new server")
	}
	b.must("stop")
	if r := b.run("status", "--server", url); r.status != 1 || !strings.Contains(r.err, "no server answers") && !strings.Contains(r.err, "No server answers") {
		t.Errorf("status after stop: %+v", r)
	}
	if files, _ := filepath.Glob(filepath.Join(b.dir, "server.json")); files != nil {
		t.Error("the server leaves the file that says that it serves")
	}
}

// Each start begins with an empty database, unless one is given.
func TestStartDatabase(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	create := func() {
		t.Helper()
		if r := b.finish(exec.CommandContext(t.Context(), "bash", "-c", `set -eu; eval "$(cohort env)"; `+createGroup)); r.status != 0 {
			t.Fatalf("%+v", r)
		}
	}
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, http.StatusNoContent},
		{[]string{"--db", "sqlite:mine.db"}, http.StatusOK},
	} {
		b.start(c.args...)
		create()
		b.must("stop")
		if got := groups(t, b.start(c.args...)); got != c.want {
			t.Errorf("start %q after a stop: status %d, want %d", c.args, got, c.want)
		}
		b.must("stop")
	}
	// The variable that "env" prints is not a database to keep.
	b.start("--db", "sqlite:"+filepath.Join(b.dir, "server.db"))
	create()
	b.must("stop")
	if got := groups(t, b.start()); got != http.StatusNoContent {
		t.Errorf("status %d, want an empty database", got)
	}
	b.must("stop")
}

// Several starts at the same time start one server.
func TestConcurrentStarts(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	urls := map[string]int{}
	for range 4 {
		all.Go(func() {
			r := b.run("start", "--addr", "127.0.0.1:0")
			mu.Lock()
			defer mu.Unlock()
			urls[regexp.MustCompile(`BC_API_ENDPOINT='.*'`).FindString(r.out)]++
			if r.status != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	if len(urls) != 1 {
		t.Errorf("servers: %v", urls)
	}
	b.must("stop")
}

// If the server does not start, the end of its log says why, and nothing is left running.
func TestStartFails(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	other := serve(t)
	r := b.run("start", "--addr", strings.TrimPrefix(other.url, "http://"))
	if r.status != 1 || r.out != "" || !regexp.MustCompile(`(?s)cohort: Cannot listen on .*cohort: The server has ended: exit status 1; its log is .*server\.log\.\n$`).MatchString(r.err) {
		t.Errorf("address in use: %+v", r)
	}
	r = b.run("start", "--addr", "127.0.0.1:0", "--timeout", "1ns")
	if r.status != 1 || r.out != "" || !strings.Contains(r.err, "The server was not ready after 1ns; its log is ") {
		t.Errorf("timeout: %+v", r)
	}
	if r := b.run("stop"); r.out != "No server runs in the background.\n" {
		t.Errorf("a server is left: %+v", r)
	}
	if r := b.run("start", "--addr", "192.0.2.1:0"); r.status != 1 || !strings.Contains(r.err, "--dev serves loopback addresses only") {
		t.Errorf("address of another machine: %+v", r)
	}
}

// "stop" says so if requests keep the server from ending.
func TestStopTimeout(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	beginRequest(t, b.start())
	if r := b.run("stop", "--timeout", "10ms"); r.status != 1 || r.out != "" || !strings.Contains(r.err, "has not ended after 10ms") {
		t.Errorf("%+v", r)
	}
}
