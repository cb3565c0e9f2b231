package cli

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes, which use the clock of a synctest
// bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// servePipe runs the HTTP server of serve on the clock of a synctest bubble, and returns a
// connection to it.
func servePipe(t *testing.T, h http.HandlerFunc) net.Conn {
	l := &pipes{make(chan net.Conn), make(chan struct{})}
	srv := newHTTPServer(h, slog.New(slog.DiscardHandler))
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { srv.Close() })
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// send sends the text and then, if drips is set, a byte every second until the connection
// is closed. wait waits for that.
func send(conn net.Conn, text string, drips bool) (wait func()) {
	var sending sync.WaitGroup
	sending.Go(func() {
		_, err := io.WriteString(conn, text)
		for drips && err == nil {
			time.Sleep(time.Second)
			_, err = io.WriteString(conn, "x")
		}
	})
	return sending.Wait
}

const (
	slowHeader = "GET / HTTP/1.1\r\nHost: cohort.test\r\nX-Slow: "
	slowBody   = "POST / HTTP/1.1\r\nHost: cohort.test\r\nContent-Length: 100\r\n\r\n"
	request    = "GET / HTTP/1.1\r\nHost: cohort.test\r\n\r\n"
)

// A slow client must not keep a connection for longer than docs/operations.md says. The
// clock of synctest makes the test fast and exact.
func TestSlowClientsAreCutOff(t *testing.T) {
	for _, c := range []struct {
		name, first string
		drips       bool
		after       time.Duration
	}{
		{"sends nothing", "", false, 10 * time.Second},
		{"stops in the header", slowHeader, false, 10 * time.Second},
		{"sends the header slowly", slowHeader, true, 10 * time.Second},
		{"sends no second request", request, false, 120 * time.Second},
		{"stops in the next header", request + slowHeader, false, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				conn := servePipe(t, func(http.ResponseWriter, *http.Request) {})
				defer send(conn, c.first, c.drips)()
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != c.after {
					t.Errorf("the connection was closed after %v, want %v", took, c.after)
				}
			})
		})
	}
}

func TestSlowBodiesAreCutOff(t *testing.T) {
	for _, drips := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			conn := servePipe(t, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				if took := time.Since(begun); !errors.Is(err, os.ErrDeadlineExceeded) || took != 30*time.Second {
					t.Errorf("the body ended with %v after %v, want the end of its time after 30s", err, took)
				}
			})
			defer send(conn, slowBody, drips)()
			defer conn.Close()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		})
	}
}

// TestOptionsIsTheHandlers: the handler gets "OPTIONS *", which net/http handles by
// default.
func TestOptionsIsTheHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := servePipe(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
		defer send(conn, "OPTIONS * HTTP/1.1\r\nHost: cohort.test\r\n\r\n", false)()
		defer conn.Close()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%d, want what the handler says", res.StatusCode)
		}
	})
}

func TestSlowReadersAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var took time.Duration
		done := make(chan error)
		conn := servePipe(t, func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, strings.Repeat("x", 1<<20)) // more than any buffer holds
			took = time.Since(begun)
			done <- err
		})
		defer send(conn, request, false)()
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) || took != 60*time.Second {
			t.Errorf("the response ended with %v after %v, want the end of its time after 60s", err, took)
		}
	})
}
