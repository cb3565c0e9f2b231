package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder is a server that records the requests, and rejects those for a
// certain path.
type recorder struct {
	mu    sync.Mutex
	asked []string
}

func (s *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprint(r.Method, " ", r.URL, " ", string(body)))
	s.mu.Unlock()
	switch r.URL.Path {
	case "/refused":
		w.WriteHeader(http.StatusTooManyRequests)
	case "/nothing":
		w.WriteHeader(http.StatusNoContent)
	case "/long":
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000)) // too large for the buffer, so it is chunked
	default:
		_, _ = w.Write([]byte("hello"))
	}
}

// requests are the recorded requests, sorted.
func (s *recorder) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.asked))
}

func startRecorder(t *testing.T) (*recorder, string) {
	t.Helper()
	s := &recorder{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.Listener.Addr().String()
}

// numbered requests a path that depends on the number of the request.
func numbered(addr string, path func(n uint64) string) Source {
	client := Client{Host: addr, Token: "secret"}
	return func(b []byte, n uint64) []byte { return client.Get(append(append(b, "GET "...), path(n)...)) }
}

func TestRunMakesEveryRequestOnce(t *testing.T) {
	server, addr := startRecorder(t)
	client := Client{Host: addr, Token: "secret"}
	r, err := Run(Plan{Addr: addr, Callers: 7, First: 100, Requests: 50, Source: func(b []byte, n uint64) []byte {
		body := fmt.Sprint(n)
		return append(client.Send(append(b, "POST /make"...), len(body)), body...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	var want []string
	for n := range 50 {
		want = append(want, fmt.Sprint("POST /make ", 100+n))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, server.requests()); diff != "" {
		t.Error(diff)
	}
	if r.Took <= 0 {
		t.Errorf("it took %s", r.Took)
	}
	if r.Answers != 50 || r.Next != 150 || r.Bytes != 50*int64(len("hello")) || r.Latency.TotalCount() != 50 {
		t.Errorf("%d answers, next %d, %d bytes, %d latencies", r.Answers, r.Next, r.Bytes, r.Latency.TotalCount())
	}
}

func TestSpreadSharesTheRequests(t *testing.T) {
	first, a := startRecorder(t)
	second, b := startRecorder(t)
	plan := Plan{Callers: 6, First: 101, Requests: 8, Source: numbered(a, func(n uint64) string { return fmt.Sprint("/", n) })}
	r, err := Spread(plan, a, b)
	if err != nil {
		t.Fatal(err)
	}
	for server, want := range map[*recorder][]uint64{first: {102, 104, 106, 108}, second: {103, 105, 107, 109}} {
		var requests []string
		for _, n := range want {
			requests = append(requests, fmt.Sprint("GET /", n, " "))
		}
		if diff := cmp.Diff(requests, server.requests()); diff != "" {
			t.Error(diff)
		}
	}
	if r.Answers != 8 || r.Next != 110 || r.Bytes != 8*int64(len("hello")) || r.Latency.TotalCount() != 8 {
		t.Errorf("%d answers, next %d, %d bytes, %d latencies", r.Answers, r.Next, r.Bytes, r.Latency.TotalCount())
	}
}

// Responses before or after the time that counts are not counted, and no
// further requests are sent after it.
func TestRunCountsInItsTimeOnly(t *testing.T) {
	for _, tt := range []struct {
		into   time.Duration // the run
		counts int64
		goesOn bool
	}{
		{30 * time.Minute, 0, true},
		{90 * time.Minute, 1, true},
		{3 * time.Hour, 0, false},
	} {
		r := newRun(Plan{WarmUp: time.Hour, For: time.Hour, Source: numbered("h", func(uint64) string { return "/" })})
		r.start = time.Now().Add(-tt.into)
		c := caller{in: []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), began: tt.into - time.Second}
		whole, now, err := r.ended(&c)
		if err != nil || !whole {
			t.Fatalf("%t, %v", whole, err)
		}
		if r.result.Answers != tt.counts || r.result.Latency.TotalCount() != tt.counts || r.begin(&c, now) != tt.goesOn {
			t.Errorf("%s into the run: %d answers, %d requests more", tt.into, r.result.Answers, r.next)
		}
	}
}

func TestRunEndsByItself(t *testing.T) {
	server, addr := startRecorder(t)
	const took = 10 * time.Millisecond
	r, err := Run(Plan{Addr: addr, Callers: 3, WarmUp: took, For: took, Source: numbered(addr, func(uint64) string { return "/" })})
	if err != nil {
		t.Fatal(err)
	}
	if asked := len(server.requests()); r.Took != took || r.Next != uint64(asked) {
		t.Errorf("%d requests in %s; the server saw %d", r.Next, r.Took, asked)
	}
}

func TestRunShowsRefusals(t *testing.T) {
	_, addr := startRecorder(t)
	r, err := Run(Plan{Addr: addr, Callers: 2, Requests: 9, Source: numbered(addr, func(n uint64) string {
		return []string{"/", "/refused", "/nothing"}[n%3]
	})})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int]int64{429: 3}, r.Refused); diff != "" {
		t.Error(diff)
	}
	if r.Answers != 6 {
		t.Errorf("%d answers", r.Answers)
	}
	err = r.Check()
	if err == nil || !strings.Contains(err.Error(), "429 to GET /refused") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestRunReadsLongAnswers(t *testing.T) {
	_, addr := startRecorder(t)
	r, err := Run(Plan{Addr: addr, Callers: 2, Requests: 4, Source: numbered(addr, func(uint64) string { return "/long" })})
	if err != nil {
		t.Fatal(err)
	}
	if r.Bytes != 400_000 {
		t.Errorf("%d bytes", r.Bytes)
	}
}

// speak starts a server that gives every request the same response and then
// closes the connection.
func speak(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, answer) // the caller may have gone
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestRunFailsWhenAnAnswerIsBroken(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		early  bool // the response ends too early
	}{
		"none":       {"", true},
		"cut off":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true},
		"not HTTP":   {"hello\r\n", false},
		"one behind": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			addr := speak(t, tt.answer)
			source := numbered(addr, func(uint64) string { return "/" })
			_, err := Run(Plan{Addr: addr, Callers: 1, Requests: 1, Source: source})
			if err == nil || tt.early != errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("Run: %v", err)
			}
			conn, err := Dial(t.Context(), addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			status, body, err := conn.Do(source(nil, 0))
			if err == nil || tt.early != errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("Do: %d %q, %v", status, body, err)
			}
		})
	}
}

func TestRunFailsWhenNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(Plan{Addr: addr, Callers: 1, Requests: 1, Source: numbered(addr, func(uint64) string { return "/" })}); err == nil {
		t.Error("Run took it")
	}
}

func TestCheckRefusesARunWithoutAnswers(t *testing.T) {
	if err := (&Result{}).Check(); err == nil {
		t.Error("Check took it")
	}
}

func TestDoReturnsTheBody(t *testing.T) {
	_, addr := startRecorder(t)
	conn, err := Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, path := range []string{"/", "/long", "/"} {
		status, body, err := conn.Do(numbered(addr, func(uint64) string { return path })(nil, 0))
		want := "hello"
		if path == "/long" {
			want = strings.Repeat("x", 100_000)
		}
		if err != nil || status != 200 || string(body) != want {
			t.Errorf("%s: %d, %d bytes, %v", path, status, len(body), err)
		}
	}
}
