package server

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"cohort.example/cohort/internal/api"
)

// router finds the handler for a method and a path. It is the standard mux,
// but for three things: it never redirects, its 404 is the API's, and ids are
// digits. For the last, each id in a pattern and each number in a path gets a
// segment "#" before it: a number then matches ids only, and the other way
// round, which the mux cannot tell by itself.
type router struct {
	mux       *http.ServeMux
	methods   []string
	canonical map[string]func(string) string // by the dialect's prefix
}

func newRouter() *router {
	rt := &router{mux: http.NewServeMux(), canonical: map[string]func(string) string{}}
	rt.mux.HandleFunc("/", rt.notFound)
	return rt
}

const numberMark = "#"

var idWildcard = regexp.MustCompile(`\{\w*id\}`)

func (rt *router) handle(method, pattern string, h http.Handler) {
	if !slices.Contains(rt.methods, method) {
		rt.methods = append(rt.methods, method)
	}
	rt.mux.Handle(method+" "+idWildcard.ReplaceAllString(pattern, numberMark+"/$0"), h)
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.URL.Path
	if trimmed := strings.TrimSuffix(p, "/"); trimmed != "" {
		p = trimmed
	}
	escapedSlash := strings.Contains(strings.ToLower(r.URL.RawPath), "%2f")
	if path.Clean(p) != p || escapedSlash || strings.Contains(p, numberMark) {
		// The mux would redirect to the clean path; no name has a slash in it.
		api.WriteText(w, http.StatusNotFound, notFoundText)
		return
	}
	u := *r.URL
	u.Path, u.RawPath = rt.canonicalPath(p), ""
	r.URL = &u // of our own copy of the request; see observe
	rt.mux.ServeHTTP(w, r)
}

// canonicalPath lets the dialect rewrite what follows its prefix, and marks the
// numbers there.
func (rt *router) canonicalPath(p string) string {
	parts := strings.SplitN(p, "/", 5) // "", "stores", hash, "v2", the rest
	if len(parts) < 5 || parts[1] != "stores" {
		return p
	}
	canonical, ok := rt.canonical["/"+parts[3]]
	if !ok {
		return p
	}
	rest := strings.Split(canonical("/"+parts[4]), "/")
	for i, segment := range rest {
		if isDigits(segment) {
			// Without zeros in front, so that one thing has one path.
			rest[i] = numberMark + "/" + strings.TrimLeft(segment[:len(segment)-1], "0") + segment[len(segment)-1:]
		}
	}
	return strings.Join(parts[:4], "/") + strings.Join(rest, "/")
}

const notFoundText = "The route is not found, check the URL"

// notFound is the answer for a path that does not exist, and for a method that
// a path does not have.
func (rt *router) notFound(w http.ResponseWriter, r *http.Request) {
	if allow := rt.allowed(r); allow != "" {
		w.Header().Set("Allow", allow)
	}
	api.WriteText(w, http.StatusNotFound, notFoundText)
}

func (rt *router) allowed(r *http.Request) string {
	var allow []string
	for _, method := range rt.methods {
		probe := http.Request{Method: method, Host: r.Host, URL: r.URL}
		if _, pattern := rt.mux.Handler(&probe); pattern == "/" || pattern == "" {
			continue
		}
		allow = append(allow, method)
		if method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	return strings.Join(allow, ", ")
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
