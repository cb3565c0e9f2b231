package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/cli"
)

// output is a Writer that a test can wait on while another goroutine writes.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}     // closed and replaced by each Write
	wrote   func(text string) // called with the text so far, if set
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	n, err := o.text.Write(p)
	if o.wrote != nil {
		o.wrote(o.text.String())
	}
	return n, err
}

func (o *output) look() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

func (o *output) String() string {
	text, _ := o.look()
	return text
}

// await waits for a match of the pattern and returns its first group. It fails if the
// writer ends before.
func (o *output) await(t *testing.T, pattern string, ended <-chan struct{}) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for {
		text, changed := o.look()
		if m := re.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		select {
		case <-changed:
		case <-ended:
			if text = o.String(); re.MatchString(text) {
				continue
			}
			t.Fatalf("the command ended without writing %s:\n%s", pattern, text)
		}
	}
}

// serving is a "cohort serve" that runs in this process.
type serving struct {
	url      string
	out, err *output
	client   *http.Client
	signal   context.CancelFunc // what SIGTERM does
	ended    chan struct{}      // closed when the command has ended
	status   int                // valid once it has
}

// servingLine matches the URL of the server in a text log and in a JSON log.
const servingLine = `(?:msg=serving url=|"msg":"serving","url":")(https?://[^\s"]+)`

// serve starts "cohort serve" on a free loopback port, unless the arguments name another
// address, and waits until it serves. It must exit with status 0 at the end of the test.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	s := start(t, append([]string{"--addr", "127.0.0.1:0"}, args...)...)
	s.url = s.err.await(t, servingLine, s.ended)
	t.Cleanup(func() {
		if status := s.stop(); status != 0 {
			t.Errorf("serve ended with exit status %d:\n%s", status, s.err)
		}
	})
	return s
}

// start starts "cohort serve" and does not wait.
func start(t *testing.T, args ...string) *serving {
	t.Helper()
	// The context of the test ends before the cleanups.
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{out: newOutput(), err: newOutput(), signal: cancel, ended: make(chan struct{})}
	transport := &http.Transport{}
	s.client = &http.Client{Transport: transport}
	go func() {
		defer close(s.ended)
		s.status = cli.Run(ctx, append([]string{"serve"}, args...), cli.Streams{In: strings.NewReader(""), Out: s.out, Err: s.err})
	}()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.stop()
	})
	return s
}

// stop ends the server as SIGTERM does and returns its exit status.
func (s *serving) stop() int {
	s.signal()
	return s.wait()
}

func (s *serving) wait() int {
	<-s.ended
	return s.status
}

// response is a response whose body has been read.
type response struct {
	status int
	header http.Header
	body   string
}

func (s *serving) get(t *testing.T, path, token string) response {
	t.Helper()
	return s.do(t, http.MethodGet, path, token, "")
}

func (s *serving) post(t *testing.T, path, token, body string) response {
	t.Helper()
	return s.do(t, http.MethodPost, path, token, body)
}

func (s *serving) do(t *testing.T, method, path, token, body string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	res, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func read(t *testing.T, res *http.Response) response {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

// eventually waits until the condition is true, and fails after 30 seconds. A running
// server sees the writes of another process within a fraction of a second.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !condition() {
		if ctx.Err() != nil {
			t.Errorf("not true after 30 seconds: %s", what)
			return
		}
	}
}
