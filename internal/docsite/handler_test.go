package docsite

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	for _, c := range []struct {
		path, format, has string
		status            int
	}{
		{"/docs/", "text/html; charset=utf-8", "<h1", 200},
		{"/docs/index.html", "text/html; charset=utf-8", "<h1", 200},
		{"/docs/guide-run", "text/html; charset=utf-8", "Run it for real", 200},
		{"/docs/guide-run.html", "text/html; charset=utf-8", "Run it for real", 200},
		{"/docs/guide-run.md", "text/markdown; charset=utf-8", "# Run it for real\n", 200},
		{"/docs/guide-run.html.md", "text/markdown; charset=utf-8", "# Run it for real\n", 200},
		{"/docs/reference/", "text/html; charset=utf-8", "API reference", 200},
		{"/docs/reference/createGroup", "text/html; charset=utf-8", "createGroup", 200},
		{"/docs/static/docs.css", "text/css; charset=utf-8", ":root", 200},
		{"/docs/static/search-index.js", "text/javascript; charset=utf-8", "cohortIndex(", 200},
		{"/docs/pictures/prices.png", "image/png", "PNG", 200},
		{"/docs/openapi.yaml", "application/yaml", "openapi:", 200},
		{"/llms.txt", "text/plain; charset=utf-8", "](docs/guide-run.md)", 200},
		{"/docs/llms.txt", "text/plain; charset=utf-8", "](guide-run.md)", 200},
		{"/llms-full.txt", "text/plain; charset=utf-8", "# Run it for real", 200},
		{"/docs/none", "text/plain; charset=utf-8", "no page with this address", 404},
		{"/docs/../docs.go", "text/plain; charset=utf-8", "no page", 404},
		{"/docs/static/", "text/plain; charset=utf-8", "no page", 404},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", c.path, nil)
		if !Owns(r.URL.Path) {
			t.Errorf("%s is not of the site", c.path)
		}
		w := httptest.NewRecorder()
		Serve(w, r)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.format || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: %d %s %.200s", c.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestServeOtherMethods(t *testing.T) {
	send := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		Serve(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return w
	}
	if w := send("HEAD", "/docs/"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/docs/", nil)
	r.Header.Set("If-None-Match", send("GET", "/docs/").Header().Get("ETag"))
	w := httptest.NewRecorder()
	Serve(w, r)
	if w.Code != http.StatusNotModified || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a page that has not changed: %d %v", w.Code, w.Header())
	}
	if w := send("GET", "/docs"); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs/" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := send("POST", "/docs/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", w.Code)
	}
	for _, path := range []string{"/", "/docs.html", "/docsx", "/stores/a", "/llms.txt/"} {
		if Owns(path) {
			t.Errorf("%s is of the site", path)
		}
	}
}
