package server_test

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// TestLoopbackOnly: a page in a browser that has its own name lead to this machine
// gets nothing, whatever it asks for.
func TestLoopbackOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{LoopbackOnly: true})
		for _, path := range []string{"/livez", "/readyz", "/openapi.yaml", "/none", f.path("/time")} {
			for host, refused := range map[string]bool{"attacker.example:8080": true, "localhost:8080": false} {
				r := newRequest("GET", path, f.vars["token"], "")
				r.Host = host
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				if got := w.Code == 403 && strings.HasPrefix(w.Body.String(), "This server answers only requests to localhost"); got != refused {
					t.Errorf("GET %s of %s: %d %s", path, host, w.Code, w.Body)
				}
			}
		}
	})
}

// TestFailedTokens: who sends many tokens that nobody has is told to wait, and does
// not fill the log. Those behind the same address whose tokens are good notice
// nothing, whether they were seen before or not.
func TestFailedTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: newInfoLog(lines), Now: clock.Now})
		const allowed = 60
		for range allowed {
			f.mustAnswer(t, 401, "GET", f.path("/time"), "none", "")
		}
		if n := len(lines.drain()); n != allowed {
			t.Errorf("%d lines for %d failures", n, allowed)
		}
		for range 3 {
			w := f.mustAnswer(t, 429, "GET", f.path("/time"), "none", "")
			if w.Body.String() != tooMany || w.Header().Get("X-Retry-After") != "60" {
				t.Errorf("%v %s", w.Header(), w.Body)
			}
		}
		if got := lines.drain(); len(got) != 1 || !strings.Contains(got[0], `"client":"192.0.2.1"`) || !strings.Contains(got[0], "WARN") {
			t.Errorf("the log says %q, want one warning", got)
		}
		f.mustAnswer(t, 200, "GET", f.path("/time"), f.vars["token"], "")
		f.mustAnswer(t, 200, "GET", f.path("/time"), f.Token(t, "abc", cohort.ScopeCustomers), "")
		f.mustAnswer(t, 403, "GET", f.path("/time"), f.vars["other_token"], "")
		other := newRequest("GET", f.path("/time"), "none", "")
		other.RemoteAddr = "192.0.2.2:1234"
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, other); w.Code != 401 {
			t.Errorf("another address: %d", w.Code)
		}
		clock.advance(time.Minute)
		f.mustAnswer(t, 401, "GET", f.path("/time"), "none", "")
	})
}

// TestStrictTransport: over TLS every answer says that there is no way back.
func TestStrictTransport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		for _, path := range []string{"/livez", "/none", f.path("/time")} {
			for _, secure := range []bool{false, true} {
				r := newRequest("GET", path, "none", "")
				r.Header.Set("X-Forwarded-Proto", "https") // the proxy says it itself, if it wants to
				if secure {
					r.TLS = &tls.ConnectionState{}
				}
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				want := map[bool]string{true: "max-age=31536000"}[secure]
				if got := w.Header().Get("Strict-Transport-Security"); got != want {
					t.Errorf("%s, over TLS: %v: %q", path, secure, got)
				}
			}
		}
	})
}
