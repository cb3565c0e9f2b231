package server

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// newTestServer returns a server with an additional route, POST /v2/test, with a
// concurrency limit of one and the given handler. Its log lines go to the channel.
func newTestServer(t *testing.T, readOnly bool, handle api.Handler) (s *Server, lines chan string) {
	t.Helper()
	lines = make(chan string, 100)
	s = New(service.New(dbtest.SQLite(t)), Options{Log: slog.New(slog.NewJSONHandler(lineWriter(lines), nil))})
	s.authenticate = func(context.Context, string, string, cohort.Scope) (service.Bearer, error) {
		return service.Bearer{Store: cohort.Store{Hash: "abc", Key: "abc", Plan: cohort.PlanUnlimited}}, nil
	}
	v2 := Dialects(s.svc)[0]
	route := api.Route{Operation: "test", Method: http.MethodPost, Path: "/test", Concurrency: 1, ReadOnly: readOnly, Handle: handle}
	e := &endpoint{s, v2, route, s.metrics.operation("test")}
	s.routes.handleRoute(v2, route, e.handle)
	return s, lines
}

type lineWriter chan string

func (l lineWriter) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func echo(w http.ResponseWriter, r *api.Request) error {
	api.WriteText(w, http.StatusOK, string(r.Body))
	return nil
}

const testHead = "POST /stores/abc/v2/test HTTP/1.1\r\nHost: cohort.test\r\nX-Auth-Token: x\r\nContent-Length: 100\r\n\r\n"

// pipeListener accepts one connection.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// An incomplete body times out after exactly bodyTimeout, even if bytes keep arriving.
// Meanwhile the request holds no concurrency slot.
func TestBodyTimeout(t *testing.T) {
	s, _ := newTestServer(t, false, echo)
	for _, drips := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := make(pipeListener, 1)
			srv := &http.Server{Handler: s, ConnContext: ConnContext}
			go func() { _ = srv.Serve(Listen(l)) }()
			client, server := net.Pipe()
			l <- server
			begun := time.Now()
			var sending sync.WaitGroup
			defer sending.Wait()
			sending.Go(func() {
				_, err := io.WriteString(client, testHead)
				for drips && err == nil {
					time.Sleep(time.Second)
					_, err = io.WriteString(client, " ")
				}
			})
			time.Sleep(bodyTimeout / 2)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, testRequest("another request"))
			if w.Code != 200 {
				t.Errorf("another request: %d %s", w.Code, w.Body)
			}
			res, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if took := time.Since(begun); res.StatusCode != http.StatusRequestTimeout || took != bodyTimeout {
				t.Errorf("drips: %t: %d after %v, want 408 after %v", drips, res.StatusCode, took, bodyTimeout)
			}
			client.Close()
			close(l)
			srv.Close()
		})
	}
}

func testRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/stores/abc/v2/test", strings.NewReader(body))
	r.Header.Set("X-Auth-Token", "x")
	return r
}

// A large body is rejected with 429 if the bodies of its store have reached their bound,
// and with 503 if those of the process have. A small body is read anyway.
func TestBodiesExceedBudget(t *testing.T) {
	s, _ := newTestServer(t, false, echo)
	small, large := strings.Repeat("x", uncountedBody), strings.Repeat("x", uncountedBody+1)
	for _, c := range []struct {
		name, store string
		held        int
		want        int
		retry       string
	}{
		{"the store's bound", "abc", maxStoreBodies, 429, "X-Retry-After"},
		{"the bound of the process", "other", maxBodies, 503, "Retry-After"},
	} {
		// Set directly: one store alone cannot reach the bound of the process.
		s.bodies = bodyBudget{held: c.held, stores: map[string]int{c.store: c.held}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, testRequest(small))
		if w.Code != 200 {
			t.Errorf("%s: a small body: %d %s", c.name, w.Code, w.Body)
		}
		w = httptest.NewRecorder()
		r := testRequest(large)
		r.ContentLength = -1
		s.ServeHTTP(w, r)
		if w.Code != c.want || w.Header().Get(c.retry) != "1" {
			t.Errorf("%s: a large body: %d %v %s", c.name, w.Code, w.Header(), w.Body)
		}
		s.bodies.release(c.store, c.held)
		w = httptest.NewRecorder()
		s.ServeHTTP(w, testRequest(large))
		if w.Code != 200 || s.bodies.held != 0 {
			t.Errorf("%s: after the release: %d, %d bytes held", c.name, w.Code, s.bodies.held)
		}
	}
}

// A read is canceled when its client has gone, and logged with status 499 at info
// level. A write completes, and is logged with its status.
func TestClientIsGone(t *testing.T) {
	for _, readOnly := range []bool{true, false} {
		begun, reset := make(chan struct{}), make(chan struct{})
		s, lines := newTestServer(t, readOnly, func(w http.ResponseWriter, r *api.Request) error {
			begun <- struct{}{}
			if readOnly {
				<-r.Context().Done()
				return r.Context().Err()
			}
			<-reset
			if err := r.Context().Err(); err != nil {
				return err
			}
			return echo(w, r)
		})
		served := httptest.NewUnstartedServer(s)
		served.Listener, served.Config.ConnContext = Listen(served.Listener), ConnContext
		served.Start()
		client, err := net.Dial("tcp", served.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(client, testHead+strings.Repeat("x", 100)); err != nil {
			t.Fatal(err)
		}
		<-begun
		_ = client.(*net.TCPConn).SetLinger(0) // Close then resets the connection
		client.Close()
		close(reset)
		want := `"operation":"test","status":200`
		if readOnly {
			want = `"operation":"test","status":499`
		}
		if line := <-lines; !strings.Contains(line, want) || !strings.Contains(line, `"level":"INFO"`) {
			t.Errorf("the log line: %s, want %s", line, want)
		}
		served.Close()
		page := httptest.NewRecorder()
		s.metrics.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		if line := `cohort_http_requests_total{operation="test",status="499"} 1`; strings.Contains(page.Body.String(), line) != readOnly {
			t.Errorf("read only: %t: metrics contain %s: %t", readOnly, line, !readOnly)
		}
	}
}

// The response to a request that CutOff has canceled is 503.
func TestCutOff(t *testing.T) {
	s, lines := newTestServer(t, false, func(_ http.ResponseWriter, r *api.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	})
	s.CutOff()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, testRequest("x"))
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if line := <-lines; !strings.Contains(line, `"status":503`) || !strings.Contains(line, `"level":"ERROR"`) {
		t.Errorf("the log line: %s", line)
	}
}
