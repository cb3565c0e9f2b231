package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
)

const (
	statusType = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

	unauthorized = `{"status":401,"title":"Unauthorized","type":"` + statusType + `","errors":{}}`
	forbidden    = `{"status":403,"title":"You don't have a required scope to access the endpoint","type":"` + statusType + `","errors":{}}`
	tooMany      = `{"status":429,"title":"Too many requests","type":"` + statusType + `","errors":{}}`
)

// fixture is a server that is called without a network: when ServeHTTP returns, the
// request has been logged and counted.
type fixture struct {
	servertest.Server
	http.Handler
	vars map[string]string // of the wire scripts
}

func newFixture(t *testing.T, d *db.DB, o server.Options, opts ...service.Option) *fixture {
	t.Helper()
	svc := service.New(d, opts...)
	f := &fixture{Server: servertest.Server{Service: svc}, Handler: server.New(svc, o)}
	f.vars = f.Vars(t)
	return f
}

// do serves a request. header has names and values alternately. Without a token the
// request has no X-Auth-Token.
func (f *fixture) do(method, target, token, body string, header ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, newRequest(method, target, token, body, header...))
	return w
}

func newRequest(method, target, token, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// path returns a V2 path of the first store.
func (f *fixture) path(rest string) string { return "/stores/" + f.vars["store"] + "/v2" + rest }

// mustDo serves a request and fails the test unless the status is as wanted.
func (f *fixture) mustDo(t *testing.T, want int, method, target, token, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	w := f.do(method, target, token, body, header...)
	if w.Code != want {
		t.Fatalf("%s %s: %d %s, want %d", method, target, w.Code, w.Body, want)
	}
	return w
}

// clock is a clock that only moves when the test advances it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logLines is a log that is read line by line. It has space for all lines of a test.
type logLines chan string

func newLogLines() logLines { return make(logLines, 1000) }

func (l logLines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// drain returns and removes the lines in the log.
func (l logLines) drain() (lines []string) {
	for {
		select {
		case line := <-l:
			lines = append(lines, line)
		default:
			return lines
		}
	}
}
