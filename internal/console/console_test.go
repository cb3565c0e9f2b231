package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStores(t *testing.T) {
	golden(t, "stores", newFixture(t).get(t, "/console/stores"))
}

// Pages of other sites and of other host names get nothing.
func TestAdmission(t *testing.T) {
	f := newFixture(t)
	for name, test := range map[string]struct {
		method, host string
		header       http.Header
		status       int
	}{
		"localhost":            {"GET", "localhost:8080", nil, 200},
		"an address":           {"GET", "127.0.0.1:8080", nil, 200},
		"an address of IPv6":   {"GET", "[::1]:8080", nil, 200},
		"another host":         {"GET", "rebound.example:8080", nil, 421},
		"another site":         {"POST", "localhost:8080", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"another origin":       {"POST", "localhost:8080", http.Header{"Origin": {"https://evil.example"}}, 403},
		"the console's own":    {"POST", "localhost:8080", http.Header{"Origin": {"http://localhost:8080"}}, 405},
		"another host's asset": {"GET", "rebound.example", nil, 421},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, "/console/stores", nil)
		r.Host = test.host
		if test.header != nil {
			r.Header = test.header
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: status %d", name, w.Code)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: policy %q", name, got)
		}
	}
}

// The console has its own paths, and / for browsers. Everything else is the API's.
func TestBeside(t *testing.T) {
	f := newFixture(t)
	get := func(h http.Handler, path, accept string) int {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Host = "localhost"
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	h := f.Beside(f.API)
	for path, want := range map[string]int{
		"/": 302, "/console": 302, "/console/stores": 200, "/console/none": 404, "/consoles": 404, "/livez": 200, "/stores/abc/v2/time": 401,
	} {
		if got := get(h, path, browser); got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	if got := get(h, "/", "*/*"); got != 404 {
		t.Errorf("/ without a browser: status %d", got)
	}
	for path, want := range map[string]int{"/": 302, "/console/stores": 200, "/livez": 404} {
		if got := get(f.Alone(), path, "*/*"); got != want {
			t.Errorf("alone, %s: status %d, want %d", path, got, want)
		}
	}
}

// A browser keeps a file whose name has its hash.
func TestStatic(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]string{
		staticPath("console.css"): "public, max-age=31536000, immutable", "/console/static/console.js": "no-store", "/console/static/none": "no-store",
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

// The documentation is beside the console, under the same headers, and needs no login.
func TestDocumentation(t *testing.T) {
	f := newFixture(t)
	f.Login = true
	get := func(h http.Handler, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for name, h := range map[string]http.Handler{"beside": f.Beside(http.NotFoundHandler()), "alone": f.Alone()} {
		w := get(h, "localhost", "/docs/guide-run.html")
		if w.Code != 200 || w.Header().Get("Content-Security-Policy") != policy || !strings.Contains(w.Body.String(), "Run it for real") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if w := get(h, "localhost", "/llms.txt"); w.Code != 200 {
			t.Errorf("%s: /llms.txt: %d", name, w.Code)
		}
		if w := get(h, "foreign.example", "/docs/"); w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%s: a foreign host: %d", name, w.Code)
		}
		if w := get(h, "localhost", "/docsx"); w.Code != 404 {
			t.Errorf("%s: /docsx: %d", name, w.Code)
		}
	}
}
