package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// A request that can be rejected without its body is rejected while its body is still
// arriving, and then the connection is closed.
func TestRejectionDoesNotWaitForBody(t *testing.T) {
	t.Parallel()
	const announced, part = 100_000, `{"name":"Part"}`
	for _, c := range []struct {
		name, method, path, token string
		announced, want           int
		header                    []string
	}{
		{"token", "POST", "/customer_groups", "unknown_token", announced, 401, nil},
		{"scope", "POST", "/customer_groups", "read_token", announced, 403, nil},
		{"route", "POST", "/nowhere", "token", announced, 404, nil},
		{"Accept", "POST", "/customer_groups", "token", announced, 406, []string{"Accept: text/html"}},
		{"length", "POST", "/customer_groups", "token", mebibyte + 1, 413, nil},
		{"type", "PUT", "/customer_groups/1", "token", announced, 415, []string{"Content-Type: text/plain"}},
		{"encoding", "PUT", "/customer_groups/1", "token", announced, 415, []string{"Content-Encoding: gzip"}},
		{"quota", "POST", "/customer_groups", "metered_token", announced, 429, nil},
		{"a method that ignores the body", "GET", "/time", "token", announced, 200, nil},
		{"a small body", "POST", "/customer_groups", "unknown_token", 100, 401, nil},
		{"gzip", "POST", "/customer_groups", "unknown_token", announced, 401, []string{"Accept-Encoding: gzip"}},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%t", c.name, secure), func(t *testing.T) {
				d := dbtest.SQLite(t)
				s := serveSocket(t, d, server.Options{}, secure)
				s.vars["unknown_token"] = "unknown-token"
				s.vars["metered_token"] = s.vars["token"]
				if c.token == "metered_token" {
					s.meter(t, cohort.PlanEnterprise, 1)
					s.mustDo(t, 200, "GET", s.path("/time"), s.vars["token"], "")
				}
				w := s.dial(t)
				w.send(t, w.request(c.method, c.path, s.vars[c.token], part, c.announced, c.header...))
				header, body := w.read(t, c.method, c.want)
				w.wantEnd(t)
				if header.Get("Date") == "" || body == "" {
					t.Errorf("incomplete response: %v %q", header, body)
				}
				if c.want == 429 && (header.Get("X-Retry-After") == "" || header.Get("X-Rate-Limit-Requests-Left") != "0") {
					t.Errorf("the 429 has the header %v", header)
				}
			})
		}
	}
}

// A client that reads only after it has sent its whole body gets the response: the
// server does not reset the connection.
func TestRejectionReachesSender(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200_000, mebibyte} {
		for _, secure := range []bool{false, true} {
			s := serveSocket(t, dbtest.SQLite(t), server.Options{}, secure)
			s.vars["token"] = "unknown-token"
			w := s.dial(t)
			w.send(t, w.whole("POST", "/customer_groups", padded(size)))
			w.read(t, "POST", 401)
			w.wantEnd(t)
		}
	}
}

// If the whole body has arrived, the connection stays open after a rejection.
func TestRejectionKeepsConnection(t *testing.T) {
	t.Parallel()
	s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
	w := s.dial(t)
	body := `{"name":"Wholesale"}`
	chunked := strings.Replace(w.request("POST", "/customer_groups", "unknown-token", "14\r\n"+body+"\r\n0\r\n\r\n", 0),
		"Content-Length: 0", "Transfer-Encoding: chunked", 1)
	w.send(t, w.request("POST", "/customer_groups", "unknown-token", body, len(body))+
		chunked+
		w.whole("POST", "/nowhere", body)+
		w.whole("POST", "/customer_groups", body, "Content-Type: text/plain")+
		w.whole("POST", "/customer_groups", body))
	for _, want := range []int{401, 401, 404, 415, 200} {
		header, _ := w.read(t, "POST", want)
		if header.Get("Connection") != "" {
			t.Errorf("%d: Connection: %s", want, header.Get("Connection"))
		}
	}
}

// The rest of a rejected request's body is never parsed as the next request.
func TestRestOfBodyIsNoRequest(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1_000, 100_000, 300_000, 900_000} {
		for _, whole := range []bool{false, true} {
			s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
			w := s.dial(t)
			hidden := strings.Repeat(w.whole("POST", "/customer_groups", `{"name":"Hidden"}`), size/100)[:size]
			announced := size
			if !whole {
				announced++
			}
			w.send(t, w.request("POST", "/customer_groups", "unknown-token", hidden, announced))
			w.read(t, "POST", 401)
			w.closeWrite(t)
			w.wantEnd(t)
			if n := s.groups(t); n != 0 {
				t.Errorf("%d bytes, whole: %t: %d groups were created from a body", size, whole, n)
			}
		}
	}
}

// The server does not send 100 Continue for a body that is too large.
func TestTooLargeBeforeContinue(t *testing.T) {
	t.Parallel()
	s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
	w := s.dial(t)
	w.send(t, w.request("POST", "/customer_groups", w.vars["token"], "", mebibyte+1, "Expect: 100-continue"))
	w.read(t, "POST", http.StatusRequestEntityTooLarge)
	w.wantEnd(t)
}

// The response to "OPTIONS *" is 404.
func TestOptionsOfEverything(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.SQLite(t), server.Options{})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, &http.Request{Method: http.MethodOptions, URL: &url.URL{Path: "*"}, Header: http.Header{}})
	if w.Code != 404 || w.Body.String() != "The route is not found, check the URL" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// In V3 the response to a body that is too large has the format of V3.
func TestTooLargeInV3(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		for _, announced := range []bool{false, true} {
			r := newRequest("POST", "/stores/abc/v3/pricelists", f.Token(t, "abc", cohort.Scopes()...), padded(mebibyte+1))
			if !announced {
				r.ContentLength, r.Body = -1, io.NopCloser(r.Body)
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			const want = `{"status":413,"title":"The request body is larger than 1 MiB.","type":"` + statusType + `","errors":{}}`
			if w.Code != 413 || w.Body.String() != want {
				t.Errorf("announced: %t: %d %s", announced, w.Code, w.Body)
			}
		}
	})
}
