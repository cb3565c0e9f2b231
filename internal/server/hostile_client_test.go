package server_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// With LoopbackOnly, a web page whose host name resolves to this machine cannot send
// requests.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{LoopbackOnly: true})
		for _, path := range []string{"/livez", "/readyz", "/openapi.yaml", "/none", f.path("/time")} {
			for host, rejected := range map[string]bool{"attacker.example:8080": true, "localhost:8080": false} {
				r := newRequest("GET", path, f.vars["token"], "")
				r.Host = host
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				if got := w.Code == 403 && strings.HasPrefix(w.Body.String(), "This server answers only requests to localhost"); got != rejected {
					t.Errorf("GET %s with Host %s: %d %s", path, host, w.Code, w.Body)
				}
			}
		}
	})
}

// The names that a server stands in for are accepted, but a page of such a name has no way
// to the control API.
func TestHostsOfLoopbackOnly(t *testing.T) {
	t.Parallel()
	controls := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	f := newFixture(t, dbtest.SQLite(t), server.Options{LoopbackOnly: true, Hosts: []string{"api.bigcommerce.com"}, Control: controls})
	for host, api := range map[string]int{
		"api.bigcommerce.com": 200, "API.bigcommerce.com:443": 200, "localhost": 200, "[::1]:8443": 200,
		"login.bigcommerce.com": 403, "x.api.bigcommerce.com": 403, "api.bigcommerce.com.attacker.example": 403, "": 403,
	} {
		control := 403
		if host == "localhost" || host == "[::1]:8443" {
			control = 200
		}
		for path, want := range map[string]int{
			f.path("/time"): api, "/livez": api, "/_cohort/v1/health": control, "/_cohort/": control, "/%5fcohort/v1/stores": control,
		} {
			r := newRequest("GET", path, f.vars["token"], "")
			r.Host = host
			w := httptest.NewRecorder()
			if f.ServeHTTP(w, r); w.Code != want {
				t.Errorf("GET %s with Host %q: %d %s, want %d", path, host, w.Code, w.Body, want)
			}
		}
	}
}

// A client that sends many unknown tokens gets 429 and does not flood the log. Valid
// tokens from the same address are served, cached or not.
func TestFailedTokens(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: newInfoLog(lines), Now: clock.Now})
		const allowed = 60
		for range allowed {
			f.mustDo(t, 401, "GET", f.path("/time"), "none", "")
		}
		if n := len(lines.drain()); n != allowed {
			t.Errorf("%d log lines for %d unknown tokens", n, allowed)
		}
		for range 3 {
			w := f.mustDo(t, 429, "GET", f.path("/time"), "none", "")
			if w.Body.String() != tooMany || w.Header().Get("X-Retry-After") != "60" {
				t.Errorf("%v %s", w.Header(), w.Body)
			}
		}
		if got := lines.drain(); len(got) != 1 || !strings.Contains(got[0], `"client":"192.0.2.1"`) || !strings.Contains(got[0], "WARN") {
			t.Errorf("log %q, want one warning", got)
		}
		f.mustDo(t, 200, "GET", f.path("/time"), f.vars["token"], "")
		f.mustDo(t, 200, "GET", f.path("/time"), f.Token(t, "abc", cohort.ScopeCustomers), "")
		f.mustDo(t, 403, "GET", f.path("/time"), f.vars["other_token"], "")
		other := newRequest("GET", f.path("/time"), "none", "")
		other.RemoteAddr = "192.0.2.2:1234"
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, other); w.Code != 401 {
			t.Errorf("another address: %d", w.Code)
		}
		clock.advance(time.Minute)
		f.mustDo(t, 401, "GET", f.path("/time"), "none", "")
	})
}

// Every response over TLS has Strict-Transport-Security, except to localhost. No other
// response has it.
func TestStrictTransport(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		for _, path := range []string{"/livez", "/none", f.path("/time")} {
			for host, secure := range map[string]bool{"cohort.example": true, "localhost:8080": true, "plain.example": false} {
				r := newRequest("GET", path, "none", "")
				r.Host = host
				r.Header.Set("X-Forwarded-Proto", "https") // a proxy that ends TLS sets the header itself
				if secure {
					r.TLS = &tls.ConnectionState{}
				}
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				want := map[string]string{"cohort.example": "max-age=31536000"}[host]
				if got := w.Header().Get("Strict-Transport-Security"); got != want {
					t.Errorf("%s of %s, TLS: %v: Strict-Transport-Security %q, want %q", path, host, secure, got, want)
				}
			}
		}
	})
}
