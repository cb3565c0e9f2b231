package client

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// inMemory serves requests without a network, so that tests in a bubble of synctest have
// nothing that the bubble does not see.
type inMemory struct{ handler http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	m.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// skipClock does not wait. It keeps what was waited for.
type skipClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *skipClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *skipClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

// newFake returns a client of a handler, which does not wait.
func newFake(t testing.TB, h http.HandlerFunc, options ...Option) (*Client, *skipClock) {
	t.Helper()
	clock := &skipClock{now: time.Unix(1_700_000_000, 0)}
	options = append([]Option{WithHTTPClient(&http.Client{Transport: inMemory{h}}), WithClock(clock)}, options...)
	c, err := New("abc", "a-token", options...)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

// answers responds to requests with texts, one after another. A text begins with a status:
// "200 {}". Lines before the body are headers.
func answers(t testing.TB, texts ...string) (http.HandlerFunc, *[]string) {
	var got []string
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		if len(texts) == 0 {
			t.Errorf("a request too many: %s", got[len(got)-1])
			return
		}
		write(w, texts[0])
		texts = texts[1:]
	}, &got
}

var statusOf = map[string]int{
	"200": 200, "201": 201, "204": 204, "207": 207, "301": 301, "400": 400, "401": 401, "403": 403, "404": 404, "405": 405, "409": 409,
	"412": 412, "413": 413, "422": 422, "429": 429, "500": 500, "502": 502, "503": 503, "504": 504,
}

func write(w http.ResponseWriter, text string) {
	status, body, _ := strings.Cut(text, " ")
	for {
		line, rest, more := strings.Cut(body, "\n")
		name, value, isHeader := strings.Cut(line, ": ")
		if !more || !isHeader || strings.ContainsAny(name, `{["`) {
			break
		}
		w.Header().Set(name, value)
		body = rest
	}
	w.WriteHeader(statusOf[status])
	_, _ = io.WriteString(w, body)
}
