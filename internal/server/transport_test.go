package server_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

// Responses of any length are compressed with gzip if the client accepts it. No other
// encoding is used.
func TestGzip(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"`+strings.Repeat("x", 255)+`"}`)
		for _, path := range []string{f.path("/customer_groups"), f.path("/customer_groups/count"), f.path("/customer_groups?page=0"), f.path("/customer_groups/7"), f.path("/nowhere")} {
			plain := f.do("GET", path, f.vars["token"], "")
			for asked, want := range map[string]string{
				"gzip":                       "gzip",
				"gzip, deflate, br, zstd":    "gzip",
				"deflate, gzip;q=0.5":        "gzip",
				"identity":                   "",
				"deflate":                    "",
				"zstd":                       "",
				"br":                         "",
				"deflate, zstd, br":          "",
				"gzip;q=0":                   "",
				"gzip;q=0, deflate;q=1":      "",
				"":                           "",
				"identity;q=1, deflate;q=.1": "",
			} {
				w := f.mustDo(t, plain.Code, "GET", path, f.vars["token"], "", "Accept-Encoding", asked)
				body := w.Body.String()
				if got := w.Header().Get("Content-Encoding"); got != want {
					t.Errorf("GET %s, Accept-Encoding: %s: Content-Encoding: %q, want %q", path, asked, got, want)
				} else if got == "gzip" {
					body = gunzip(t, w.Body)
				}
				if diff := cmp.Diff(plain.Body.String(), body); diff != "" {
					t.Errorf("GET %s, Accept-Encoding: %s (-plain +got):\n%s", path, asked, diff)
				}
				// A cache must not send one client's encoding to another, and a
				// charset in Content-Type breaks a client.
				for header, want := range map[string]string{"Vary": "Accept-Encoding", "Content-Type": plain.Header().Get("Content-Type")} {
					if got := w.Header().Get(header); got != want {
						t.Errorf("GET %s, Accept-Encoding: %s: %s: %q, want %q", path, asked, header, got, want)
					}
				}
			}
		}
		// An empty response is not compressed.
		for _, method := range []string{"GET", "HEAD"} {
			w := f.mustDo(t, 204, method, f.path("/customer_groups?page=2"), f.vars["token"], "", "Accept-Encoding", "gzip")
			if w.Body.Len() != 0 || w.Header().Get("Content-Encoding") != "" {
				t.Errorf("%s: 204 with %d bytes, Content-Encoding %q", method, w.Body.Len(), w.Header().Get("Content-Encoding"))
			}
		}
	})
}

func gunzip(t *testing.T, r io.Reader) string {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wire is a fixture on a network with one connection to it.
type wire struct {
	*fixture
	net.Conn
	responses *bufio.Reader
	lines     logLines
}

// dial serves a fixture and connects to it. wrap may be nil.
func dial(t *testing.T, d *db.DB, wrap func(http.Handler) http.Handler) *wire {
	t.Helper()
	lines := newLogLines()
	f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))})
	h := http.Handler(f)
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &wire{f, conn, bufio.NewReader(conn), lines}
}

// request returns a request in HTTP/1.1 format; announced is its Content-Length.
func (w *wire) request(method, path, token, body string, announced int, header ...string) string {
	return onWire(method, w.path(path), token, body, announced, header...)
}

func onWire(method, target, token, body string, announced int, header ...string) string {
	lines := append([]string{
		method + " " + target + " HTTP/1.1", "Host: cohort.test", "X-Auth-Token: " + token,
		fmt.Sprintf("Content-Length: %d", announced),
	}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func (w *wire) send(t *testing.T, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

// read reads the next response, which must have the status.
func (w *wire) read(t *testing.T, method string, status int) (http.Header, string) {
	t.Helper()
	res, err := http.ReadResponse(w.responses, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%d %s (%v), want %d", res.StatusCode, body, err, status)
	}
	return res.Header, string(body)
}

// Pipelined requests get their responses in order.
func TestPipeline(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, nil)
		body := `{"name":"Wholesale"}`
		w.send(t, w.request("POST", "/customer_groups", w.vars["token"], body, len(body))+
			w.request("HEAD", "/customer_groups/1", w.vars["token"], "", 0)+
			w.request("GET", "/customer_groups/count", w.vars["token"], "", 0)+
			w.request("GET", "/customer_groups/count", "unknown-token", "", 0))
		if _, got := w.read(t, "POST", 200); !strings.HasPrefix(got, `{"id":1,"name":"Wholesale"`) {
			t.Errorf("the first response: %s", got)
		}
		w.read(t, "HEAD", 200)
		if _, got := w.read(t, "GET", 200); got != `{"count":1}` {
			t.Errorf("the third response: %s", got)
		}
		w.read(t, "GET", 401)
		// The connection stays open after a 401 and a 204.
		w.send(t, w.request("DELETE", "/customer_groups/1", w.vars["token"], "", 0))
		w.read(t, "DELETE", 204)
		w.send(t, w.request("GET", "/customer_groups/1", w.vars["token"], "", 0))
		w.read(t, "GET", 404)
	})
}

// The response to HEAD has the header of GET and no body. A body would break the next
// response on the connection.
func TestHead(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, nil)
		for _, path := range []string{"/time", "/customer_groups/count", "/customer_groups/7", "/customer_groups?limit=251", "/nowhere"} {
			status := w.do("GET", w.path(path), w.vars["token"], "").Code
			w.send(t, w.request("HEAD", path, w.vars["token"], "", 0)+w.request("GET", path, w.vars["token"], "", 0))
			head, _ := w.read(t, "HEAD", status)
			get, _ := w.read(t, "GET", status)
			for _, name := range []string{"X-Request-Id", "Date"} {
				head.Del(name)
				get.Del(name)
			}
			if diff := cmp.Diff(get, head); diff != "" {
				t.Errorf("the headers of HEAD %s differ from GET (-GET +HEAD):\n%s", path, diff)
			}
		}
	})
}

// A client that sends Expect: 100-continue gets 100 Continue after all checks that do not
// need the body, or the error of the first check that fails.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, nil)
		body := `{"name":"Wholesale"}`
		w.send(t, w.request("POST", "/customer_groups", w.vars["token"], "", len(body), "Expect: 100-continue"))
		w.read(t, "POST", http.StatusContinue)
		w.send(t, body)
		w.read(t, "POST", 200)
		w.send(t, w.request("POST", "/customer_groups", w.vars["read_token"], "", len(body), "Expect: 100-continue"))
		w.read(t, "POST", 403)
		if n := w.groups(t); n != 1 {
			t.Errorf("%d groups, want 1", n)
		}
	})
}

// A client that disconnects during its body leaves nothing behind: no group, no held
// concurrency slot, no log line at error level.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, nil)
		w.concurrency(t, 1)
		// The first half is a valid body.
		half := `{"name":"Half"}`
		w.send(t, w.request("POST", "/customer_groups", w.vars["token"], half, 2*len(half)))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		line := <-w.lines
		if !strings.Contains(line, `"operation":"createGroup"`) || !strings.Contains(line, `"level":"INFO"`) {
			t.Errorf("the log line: %s", line)
		}
		if n := w.groups(t); n != 0 {
			t.Errorf("%d groups, want none", n)
		}
		w.mustDo(t, 200, "POST", w.path("/customer_groups"), w.vars["token"], half)
	})
}

// An incomplete body is rejected with 400, even if the part that arrived is valid JSON.
func TestBodyBreaksOff(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, nil)
		half := `{"name":"Half"}`
		w.send(t, w.request("POST", "/customer_groups", w.vars["token"], half, 2*len(half)))
		if err := w.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		const want = `[{"status":400,"message":"The request body broke off."}]`
		if _, got := w.read(t, "POST", 400); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if n := w.groups(t); n != 0 {
			t.Errorf("%d groups, want none", n)
		}
	})
}

// A body that does not arrive in time is rejected with 408.
func TestClientIsSlow(t *testing.T) {
	t.Parallel()
	const want = `[{"status":408,"message":"The request body did not arrive in time."}]`
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		w := dial(t, d, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// Like http.Server.ReadTimeout, but it starts after the header: a short
				// timeout could already expire while the header is read.
				if err := http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)); err != nil {
					t.Error(err)
				}
				h.ServeHTTP(w, r)
			})
		})
		half := `{"name":"Half"}`
		w.send(t, w.request("POST", "/customer_groups", w.vars["token"], half, 2*len(half)))
		header, got := w.read(t, "POST", http.StatusRequestTimeout)
		if got != want || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s, want application/json %s", header.Get("Content-Type"), got, want)
		}
		if n := w.groups(t); n != 0 {
			t.Errorf("%d groups, want none", n)
		}
	})
}
