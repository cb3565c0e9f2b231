package server_test

import (
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

// tagged makes a group and returns its path and the tag of its answer.
func (f *fixture) tagged(t *testing.T) (path, tag string) {
	t.Helper()
	w := f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Tagged"}`)
	path = w.Header().Get("Location")
	tag = f.mustAnswer(t, 200, "GET", path, f.vars["token"], "").Header().Get("Etag")
	if !strongTag.MatchString(tag) {
		t.Fatalf("the tag is %s", tag)
	}
	return path, tag
}

// TestETag: the tag of a group changes when its answer does, and only then. It
// is the same whichever way and whichever node the answer comes from.
func TestETag(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, tag := f.tagged(t)
		node := &fixture{Handler: server.New(f.Service, server.Options{}), vars: f.vars}
		for what, w := range map[string]*httptest.ResponseRecorder{
			"again":            f.answer("GET", path, f.vars["token"], ""),
			"HEAD":             f.answer("HEAD", path, f.vars["token"], ""),
			"a token for it":   f.answer("GET", path, f.vars["read_token"], ""),
			"an older path":    f.answer("GET", strings.Replace(path, "customer_groups/", "customergroups/0", 1)+".json/?x=1", f.vars["token"], ""),
			"another node":     node.answer("GET", path, f.vars["token"], ""),
			"another tag sent": f.answer("GET", path, f.vars["token"], "", "If-None-Match", `"0123456789abcdef", W/"x"`),
		} {
			if got := w.Header().Get("Etag"); w.Code != 200 || got != tag {
				t.Errorf("%s: %d with the tag %s, want 200 with %s", what, w.Code, got, tag)
			}
		}
		f.mustAnswer(t, 200, "PUT", path, f.vars["token"], `{}`) // changes nothing
		f.mustAnswer(t, 304, "GET", path, f.vars["token"], "", "If-None-Match", tag)
		f.mustAnswer(t, 200, "PUT", path, f.vars["token"], `{"name":"Changed"}`)
		w := f.mustAnswer(t, 200, "GET", path, f.vars["token"], "", "If-None-Match", tag)
		if got := w.Header().Get("Etag"); got == tag || !strings.Contains(w.Body.String(), "Changed") {
			t.Errorf("a changed group has the tag %s, as before: %s", got, w.Body)
		}
	})
}

// TestETagOfNothingElse: no other answer has a tag, and nothing else asks for
// one.
func TestETagOfNothingElse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
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
					continue // each change is made once
				}
				w := f.mustAnswer(t, c.want, c.method, c.path, f.vars["token"], c.body, "If-None-Match", sent)
				if got := w.Header().Values("Etag"); len(got) > 0 {
					t.Errorf("%s %s has the tag %q", c.method, c.path, got)
				}
			}
		}
	})
}

// TestNotModified: a 304 has the header of the 200 in its place, but for what
// describes the body that it does not have.
func TestNotModified(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f, lines := newLoggedFixture(t, d)
		path, tag := f.tagged(t)
		f.meter(t, cohort.PlanStandard, 0)
		for _, method := range []string{"GET", "HEAD"} {
			for _, encoding := range []string{"", "gzip", "gzip;q=0", "br"} {
				full := f.mustAnswer(t, 200, method, path, f.vars["token"], "", "Accept-Encoding", encoding)
				lines.drain()
				w := f.mustAnswer(t, 304, method, path, f.vars["token"], "", "Accept-Encoding", encoding, "If-None-Match", full.Header().Get("Etag"))
				if w.Body.Len() > 0 {
					t.Errorf("%s, %q: a 304 has a body: %s", method, encoding, w.Body)
				}
				want := full.Header().Clone()
				for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
					want.Del(name)
				}
				for _, name := range []string{"X-Request-Id", "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Requests-Left"} {
					if w.Header().Get(name) == "" {
						t.Errorf("%s, %q: a 304 has no %s", method, encoding, name)
					}
					want[name] = w.Header()[name] // another one each time
				}
				if diff := cmp.Diff(want, w.Header()); diff != "" {
					t.Errorf("%s, %q: the header of the 304 (-200 +304):\n%s", method, encoding, diff)
				}
				if got := lines.only(t); got.Status != 304 || got.Bytes != 0 || got.Level != "INFO" || got.Operation != "getGroup" {
					t.Errorf("%s, %q: a 304 is logged as %+v", method, encoding, got)
				}
				// Whichever way a client got its copy, the copy is good.
				for _, sent := range []string{tag, "W/" + tag, "*"} {
					f.mustAnswer(t, 304, method, path, f.vars["token"], "", "Accept-Encoding", encoding, "If-None-Match", sent)
				}
			}
		}
	})
}

// TestETagOfGzip: a strong tag names the bytes that are sent, so those of a
// compressed answer cannot have that of the others.
func TestETagOfGzip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		path, tag := f.tagged(t)
		w := f.mustAnswer(t, 200, "GET", path, f.vars["token"], "", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Etag"); w.Header().Get("Content-Encoding") != "gzip" || got != "W/"+tag {
			t.Errorf("the compressed answer has the tag %s, want W/%s", got, tag)
		}
		// HEAD is not compressed.
		w = f.mustAnswer(t, 200, "HEAD", path, f.vars["token"], "", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Etag"); got != tag {
			t.Errorf("HEAD has the tag %s, want %s", got, tag)
		}
	})
}

// TestNotModifiedComesLast: who may not see a group does not learn whether it
// is as it was.
func TestNotModifiedComesLast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{Now: newClock().Now})
		path, tag := f.tagged(t)
		ask := func(want int, token string, header ...string) *httptest.ResponseRecorder {
			t.Helper()
			w := f.mustAnswer(t, want, "GET", path, token, "", append(header, "If-None-Match", tag)...)
			if want != 304 && w.Header().Get("Etag") != "" {
				t.Errorf("a %d has the tag %s", want, w.Header().Get("Etag"))
			}
			return w
		}
		ask(401, "")
		ask(401, "nobody-has-this")
		ask(403, f.vars["other_token"])
		ask(403, f.vars["products_token"])
		ask(406, f.vars["token"], "Accept", "text/html")
		f.meter(t, cohort.PlanEnterprise, 2)
		for _, left := range []string{"1", "0"} {
			if got := ask(304, f.vars["read_token"]).Header().Get("X-Rate-Limit-Requests-Left"); got != left {
				t.Errorf("after a 304 %s requests are left, want %s: it counts as any other", got, left)
			}
		}
		ask(429, f.vars["token"])
	})
}
