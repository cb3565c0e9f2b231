package browser

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a running "cohort serve".
type server struct {
	t   *testing.T
	url string // of the API, and in development of the console too
	// console is the address of a console of its own, and db the database.
	console, db string
}

// The store of a development server and its token.
const (
	store = "/stores/demo"
	token = "demo-token"
)

// logged finds the address of the API in the log of a server.
var logged = regexp.MustCompile(`msg=serving url=(http://\S+)`)

// loggedConsole finds the address of a console of its own, which is logged after that of the
// API.
var loggedConsole = regexp.MustCompile(`msg="serving the console" url=(http://[^/]+)/`)

// devServer starts a development server with a database of its own, whose store has the
// content of testdata/seed.yaml. It ends with the test.
func devServer(t *testing.T) *server {
	t.Helper()
	browser(t) // a machine without a browser needs no server
	s := start(t, "--dev")
	s.cohort("seed", filepath.Join("testdata", "seed.yaml"), "--server", s.url)
	s.call("POST", "/v2/customer_groups?trace=1", `{"name":"<img src=x onerror=alert(1)>","is_default":"yes"}`) // for the list of requests
	return s
}

// start starts a server with a database of its own and waits until it serves.
func start(t *testing.T, flags ...string) *server {
	t.Helper()
	program, err := sharedProgram()
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")
	cmd := exec.Command(program, append([]string{"serve", "--addr", "127.0.0.1:0", "--db", database}, flags...)...)
	cmd.Env = environment()
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tooLate := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // this ends its log too
	defer tooLate.Stop()
	log := &lockedBuffer{}
	lines, url, console := bufio.NewScanner(io.TeeReader(out, log)), "", ""
	for (url == "" || console == "" && slices.Contains(flags, "--console-addr")) && lines.Scan() {
		if m := logged.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
		if m := loggedConsole.FindStringSubmatch(lines.Text()); m != nil {
			console = m[1]
		}
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(log, out)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("the log of the server:\n%s", log)
		}
		if strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the server logs an error:\n%s", log)
		}
	})
	if url == "" {
		t.Fatalf("the server does not serve with %q", flags)
	}
	return &server{t: t, url: url, console: console, db: database}
}

// environment is that of this process without what configures Cohort.
func environment() (list []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "COHORT_") {
			list = append(list, v)
		}
	}
	return list
}

// cohort runs a command of the program and returns what it prints.
func (s *server) cohort(args ...string) string {
	s.t.Helper()
	program, err := sharedProgram()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), program, args...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("cohort %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// call sends a request to the API of the store and returns the status and the body.
func (s *server) call(method, path, body string) (int, string) {
	s.t.Helper()
	return s.send(method, s.url+store+path, body, http.Header{"X-Auth-Token": {token}, "Content-Type": {"application/json"}})
}

// send sends a request, does not follow redirects, and returns the status and the body.
// The header Host replaces the host of the address.
func (s *server) send(method, address, body string, header http.Header) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header, req.Host = header, header.Get("Host")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
