package docsite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix begins the paths of the site on a server.
const Prefix = "/docs/"

// Owns reports whether a path is one of the site.
func Owns(p string) bool {
	return strings.HasPrefix(p, Prefix) || p+"/" == Prefix || isList(p)
}

// isList reports whether a path is that of a list for language models, for which they look at
// the root of a server.
func isList(p string) bool { return p == "/llms.txt" || p == "/llms-full.txt" }

// Serve serves the site below [Prefix], and the lists for language models at the root. A page has
// its address with and without ".html".
func Serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The documentation only takes GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	s := Load()
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	switch {
	case r.URL.Path+"/" == Prefix:
		http.Redirect(w, r, Prefix, http.StatusFound)
		return
	case r.URL.Path == "/llms.txt":
		send(w, r, "llms.txt", []byte(s.llms(strings.TrimPrefix(Prefix, "/"))))
		return
	case isList(r.URL.Path):
		name = strings.TrimPrefix(r.URL.Path, "/")
	case name == "" || strings.HasSuffix(name, "/"):
		name += "index.html"
	}
	for _, candidate := range []string{name, name + ".html", strings.TrimSuffix(name, ".html.md") + ".md"} {
		if text, ok := s.File(candidate); ok {
			send(w, r, candidate, text)
			return
		}
	}
	http.Error(w, "The documentation has no page with this address. "+Prefix+" lists all.", http.StatusNotFound)
}

// types are the types of files by the endings of their names.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".yaml": "application/yaml",
}

// send sends a file. A browser keeps it, and asks whether it is still the same.
func send(w http.ResponseWriter, r *http.Request, name string, text []byte) {
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	sum := sha256.Sum256(text)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}
