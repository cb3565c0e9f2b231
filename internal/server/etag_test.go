package server_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

var strongTag = regexp.MustCompile(`^"[0-9a-f]{16}"$`)

// tagged creates a group and returns its path and ETag.
func (f *fixture) tagged(t *testing.T) (path, tag string) {
	t.Helper()
	w := f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Tagged"}`)
	path = w.Header().Get("Location")
	tag = f.mustDo(t, 200, "GET", path, f.vars["token"], "").Header().Get("Etag")
	if !strongTag.MatchString(tag) {
		t.Fatalf("ETag %s, want a strong one of 16 hex digits", tag)
	}
	return path, tag
}

// The ETag of a group changes exactly when the group changes. It does not depend on
// method, token, spelling of the path, or node.
func TestETag(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, tag := f.tagged(t)
		node := &fixture{Handler: server.New(f.Service, server.Options{}), vars: f.vars}
		for what, w := range map[string]*httptest.ResponseRecorder{
			"again":            f.do("GET", path, f.vars["token"], ""),
			"HEAD":             f.do("HEAD", path, f.vars["token"], ""),
			"a read token":     f.do("GET", path, f.vars["read_token"], ""),
			"an older path":    f.do("GET", strings.Replace(path, "customer_groups/", "customergroups/0", 1)+".json/?x=1", f.vars["token"], ""),
			"another node":     node.do("GET", path, f.vars["token"], ""),
			"another tag sent": f.do("GET", path, f.vars["token"], "", "If-None-Match", `"0123456789abcdef", W/"x"`),
		} {
			if got := w.Header().Get("Etag"); w.Code != 200 || got != tag {
				t.Errorf("%s: %d with ETag %s, want 200 with %s", what, w.Code, got, tag)
			}
		}
		f.mustDo(t, 200, "PUT", path, f.vars["token"], `{}`) // changes nothing
		f.mustDo(t, 304, "GET", path, f.vars["token"], "", "If-None-Match", tag)
		f.mustDo(t, 200, "PUT", path, f.vars["token"], `{"name":"Changed"}`)
		w := f.mustDo(t, 200, "GET", path, f.vars["token"], "", "If-None-Match", tag)
		if got := w.Header().Get("Etag"); got == tag || !strings.Contains(w.Body.String(), "Changed") {
			t.Errorf("after a change: ETag %s, before it %s: %s", got, tag, w.Body)
		}
	})
}

// No other response has an ETag, and no other operation evaluates If-None-Match.
func TestNoOtherETags(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, tag := f.tagged(t)
		for _, c := range []struct {
			want               int
			method, path, body string
		}{
			{200, "GET", f.path("/customer_groups"), ""},
			{200, "GET", f.path("/customer_groups/count"), ""},
			{200, "GET", f.path("/time"), ""},
			{200, "POST", f.path("/customer_groups"), `{"name":"Another"}`},
			{200, "PUT", path, `{"name":"Changed"}`},
			{404, "GET", f.path("/customer_groups/999"), ""},
			{404, "GET", f.path("/nowhere"), ""},
			{204, "DELETE", path, ""},
			{404, "GET", path, ""},
		} {
			for _, sent := range []string{"*", tag} {
				if c.method != "GET" && sent == "*" {
					continue // each write is sent once
				}
				w := f.mustDo(t, c.want, c.method, c.path, f.vars["token"], c.body, "If-None-Match", sent)
				if got := w.Header().Values("Etag"); len(got) > 0 {
					t.Errorf("%s %s: ETag %q, want none", c.method, c.path, got)
				}
			}
		}
	})
}

// A 304 has the headers of the corresponding 200, except those of the body.
func TestNotModified(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f, lines := newLoggedFixture(t, d)
		path, tag := f.tagged(t)
		f.meter(t, cohort.PlanStandard, 0)
		for _, method := range []string{"GET", "HEAD"} {
			for _, encoding := range []string{"", "gzip", "gzip;q=0", "br"} {
				full := f.mustDo(t, 200, method, path, f.vars["token"], "", "Accept-Encoding", encoding)
				lines.drain()
				w := f.mustDo(t, 304, method, path, f.vars["token"], "", "Accept-Encoding", encoding, "If-None-Match", full.Header().Get("Etag"))
				if w.Body.Len() > 0 {
					t.Errorf("%s, %q: the 304 has a body: %s", method, encoding, w.Body)
				}
				want := full.Header().Clone()
				for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
					want.Del(name)
				}
				for _, name := range []string{"X-Request-Id", "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Requests-Left"} {
					if w.Header().Get(name) == "" {
						t.Errorf("%s, %q: the 304 has no %s", method, encoding, name)
					}
					want[name] = w.Header()[name] // different in each response
				}
				if diff := cmp.Diff(want, w.Header()); diff != "" {
					t.Errorf("%s, %q: the header of the 304 (-200 +304):\n%s", method, encoding, diff)
				}
				if got := lines.only(t); got.Status != 304 || got.Bytes != 0 || got.Level != "INFO" || got.Operation != "getGroup" {
					t.Errorf("%s, %q: log line of the 304: %+v", method, encoding, got)
				}
				// The encoding in which the client got its copy does not matter.
				for _, sent := range []string{tag, "W/" + tag, gzipTag(tag), "W/" + gzipTag(tag), "*"} {
					f.mustDo(t, 304, method, path, f.vars["token"], "", "Accept-Encoding", encoding, "If-None-Match", sent)
				}
			}
		}
	})
}

// gzipTag is the ETag of the compressed response.
func gzipTag(tag string) string { return strings.TrimSuffix(tag, `"`) + `-gzip"` }

// The compressed response has a strong ETag of its own.
func TestETagOfGzip(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, tag := f.tagged(t)
		w := f.mustDo(t, 200, "GET", path, f.vars["token"], "", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Etag"); w.Header().Get("Content-Encoding") != "gzip" || got != gzipTag(tag) {
			t.Errorf("the compressed response has ETag %s, want %s", got, gzipTag(tag))
		}
		w = f.mustDo(t, 200, "GET", path, f.vars["token"], "", "Accept-Encoding", "br, gzip;q=0")
		if got := w.Header().Get("Etag"); w.Header().Get("Content-Encoding") != "" || got != tag {
			t.Errorf("without compression the ETag is %s, want %s", got, tag)
		}
		// HEAD is not compressed.
		w = f.mustDo(t, 200, "HEAD", path, f.vars["token"], "", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Etag"); got != tag {
			t.Errorf("HEAD: ETag %s, want %s", got, tag)
		}
	})
}

// If-None-Match is evaluated after token, scope, formats and limits, so it reveals
// nothing to a client that may not read the group.
func TestNotModifiedAfterChecks(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		path, tag := f.tagged(t)
		get := func(want int, token string, header ...string) *httptest.ResponseRecorder {
			t.Helper()
			w := f.mustDo(t, want, "GET", path, token, "", append(header, "If-None-Match", tag)...)
			if want != 304 && w.Header().Get("Etag") != "" {
				t.Errorf("the %d has ETag %s", want, w.Header().Get("Etag"))
			}
			return w
		}
		get(401, "")
		get(401, "unknown-token")
		get(403, f.vars["other_token"])
		get(403, f.vars["products_token"])
		get(406, f.vars["token"], "Accept", "text/html")
		f.meter(t, cohort.PlanEnterprise, 2)
		for _, left := range []string{"1", "0"} {
			if got := get(304, f.vars["read_token"]).Header().Get("X-Rate-Limit-Requests-Left"); got != left {
				t.Errorf("after a 304: %s requests left, want %s", got, left)
			}
		}
		get(429, f.vars["token"])
	})
}

// A client that accepts gzip, as net/http and most others do, changes a group with the ETag
// that it has received.
func TestIfMatchOfGzip(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, plain := f.tagged(t)
		srv := httptest.NewServer(f)
		defer srv.Close()
		send := func(method, body string, header ...string) (status int, tag string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Auth-Token", f.vars["token"])
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			w, err := srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if method == "GET" && w.StatusCode == http.StatusOK && !w.Uncompressed {
				t.Error("the response is not compressed")
			}
			return w.StatusCode, w.Header.Get("Etag")
		}
		_, tag := send("GET", "")
		for _, s := range []struct {
			want          int
			method, match string
			body          string
		}{
			{412, "PUT", "W/" + tag, `{"name":"Weak"}`},
			{200, "PUT", tag, `{"name":"First"}`},
			{412, "PUT", tag, `{"name":"Stale"}`},
			{412, "PUT", plain, `{"name":"Stale"}`},
			{412, "DELETE", tag, ""},
		} {
			if got, _ := send(s.method, s.body, "If-Match", s.match); got != s.want {
				t.Errorf("%s with %s: %d, want %d", s.method, s.match, got, s.want)
			}
		}
		_, tag = send("GET", "")
		if got, _ := send("GET", "", "If-None-Match", tag); got != 304 {
			t.Errorf("the tag %s is not current: %d", tag, got)
		}
		if got, _ := send("DELETE", "", "If-Match", tag); got != 204 {
			t.Errorf("DELETE with the tag: %d", got)
		}
	})
}
