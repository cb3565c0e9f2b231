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

// TestRefusalDoesNotWaitForBody: what can be said without a body is said while
// it is under way, and the connection is closed behind it. Nobody sends the rest.
func TestRefusalDoesNotWaitForBody(t *testing.T) {
	const announced, part = 100_000, `{"name":"Part"}`
	for _, c := range []struct {
		name, method, path, token string
		announced, want           int
		header                    []string
	}{
		{"token", "POST", "/customer_groups", "nobody", announced, 401, nil},
		{"scope", "POST", "/customer_groups", "read_token", announced, 403, nil},
		{"route", "POST", "/nowhere", "token", announced, 404, nil},
		{"Accept", "POST", "/customer_groups", "token", announced, 406, []string{"Accept: text/html"}},
		{"length", "POST", "/customer_groups", "token", mebibyte + 1, 413, nil},
		{"type", "PUT", "/customer_groups/1", "token", announced, 415, []string{"Content-Type: text/plain"}},
		{"encoding", "PUT", "/customer_groups/1", "token", announced, 415, []string{"Content-Encoding: gzip"}},
		{"quota", "POST", "/customer_groups", "metered_token", announced, 429, nil},
		{"a body that means nothing", "GET", "/time", "token", announced, 200, nil},
		{"a small one", "POST", "/customer_groups", "nobody", 100, 401, nil},
		{"gzip", "POST", "/customer_groups", "nobody", announced, 401, []string{"Accept-Encoding: gzip"}},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%t", c.name, secure), func(t *testing.T) {
				d := dbtest.SQLite(t)
				s := serveSocket(t, d, server.Options{}, secure)
				s.vars["nobody"] = "nobody-has-this"
				s.vars["metered_token"] = s.vars["token"]
				if c.token == "metered_token" {
					s.meter(t, cohort.PlanEnterprise, 1)
					s.mustAnswer(t, 200, "GET", s.path("/time"), s.vars["token"], "")
				}
				w := s.dial(t)
				w.send(t, w.request(c.method, c.path, s.vars[c.token], part, c.announced, c.header...))
				header, body := w.read(t, c.method, c.want)
				w.wantEnd(t)
				if header.Get("Date") == "" || body == "" {
					t.Errorf("%v %q is no whole answer", header, body)
				}
				if c.want == 429 && (header.Get("X-Retry-After") == "" || header.Get("X-Rate-Limit-Requests-Left") != "0") {
					t.Errorf("the header of the 429: %v", header)
				}
			})
		}
	}
}

// TestRefusalReachesSender: a client that sends its whole body before it reads
// finds the refusal. To cut the connection would have reset it.
func TestRefusalReachesSender(t *testing.T) {
	for _, size := range []int{200_000, mebibyte} {
		for _, secure := range []bool{false, true} {
			s := serveSocket(t, dbtest.SQLite(t), server.Options{}, secure)
			s.vars["token"] = "nobody-has-this"
			w := s.dial(t)
			w.send(t, w.whole("POST", "/customer_groups", padded(size)))
			w.read(t, "POST", 401)
			w.wantEnd(t)
		}
	}
}

// TestRefusalKeepsConnection: a refusal leaves a connection as it was if the
// body is here.
func TestRefusalKeepsConnection(t *testing.T) {
	s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
	w := s.dial(t)
	body := `{"name":"Wholesale"}`
	chunked := strings.Replace(w.request("POST", "/customer_groups", "nobody-has-this", "14\r\n"+body+"\r\n0\r\n\r\n", 0),
		"Content-Length: 0", "Transfer-Encoding: chunked", 1)
	w.send(t, w.request("POST", "/customer_groups", "nobody-has-this", body, len(body))+
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

// TestRestOfBodyIsNoRequest: what is left of a body that was refused is never
// taken for a request, whatever it looks like and however much of it there is.
func TestRestOfBodyIsNoRequest(t *testing.T) {
	for _, size := range []int{1_000, 100_000, 300_000, 900_000} {
		for _, whole := range []bool{false, true} {
			s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
			w := s.dial(t)
			hidden := strings.Repeat(w.whole("POST", "/customer_groups", `{"name":"Hidden"}`), size/100)[:size]
			announced := size
			if !whole {
				announced++
			}
			w.send(t, w.request("POST", "/customer_groups", "nobody-has-this", hidden, announced))
			w.read(t, "POST", 401)
			w.closeWrite(t)
			w.wantEnd(t)
			if n := s.groups(t); n != 0 {
				t.Errorf("%d bytes, whole: %t: %d groups were made of a body", size, whole, n)
			}
		}
	}
}

// TestTooLargeBeforeContinue: a client is not asked for a body that is too large.
func TestTooLargeBeforeContinue(t *testing.T) {
	s := serveSocket(t, dbtest.SQLite(t), server.Options{}, false)
	w := s.dial(t)
	w.send(t, w.request("POST", "/customer_groups", w.vars["token"], "", mebibyte+1, "Expect: 100-continue"))
	w.read(t, "POST", http.StatusRequestEntityTooLarge)
	w.wantEnd(t)
}

// TestOptionsOfEverything: "OPTIONS *" is a path that does not exist.
func TestOptionsOfEverything(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t), server.Options{})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, &http.Request{Method: http.MethodOptions, URL: &url.URL{Path: "*"}, Header: http.Header{}})
	if w.Code != 404 || w.Body.String() != "The route is not found, check the URL" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestTooLargeInV3: a body that is too large has an answer in the shape of its
// version.
func TestTooLargeInV3(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
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
