package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort/internal/api"
)

// handler answers a request whose path is known to lead to it.
type handler func(w http.ResponseWriter, r *http.Request, e *entry)

// router finds the handler for a method and a path. It differs from the
// standard mux in that it never redirects, that its 404 is the API's, and that
// ids are digits and names are not.
type router struct {
	methods  []string            // all there are, in the order that Allow has
	own      map[string]handlers // the server's own, by path
	dialects map[string]*tree    // by the segment of the path behind the store: "v2"
}

// handlers is what can be done at a path, by method.
type handlers map[string]handler

// tree is the paths of a dialect, as what follows its prefix.
type tree struct {
	canonical func(string) string
	root      *node
}

// node is a place in a tree. One segment leads from it to the next: one of the
// names, or an id, or any other word.
type node struct {
	handlers handlers
	names    map[string]*node
	id, word wildcard
}

// wildcard is where a segment leads that is not known before.
type wildcard struct {
	*node
	name string // what the routes call it, without braces
}

func newRouter() *router {
	return &router{own: map[string]handlers{}, dialects: map[string]*tree{}}
}

// handle adds a path of the server's own, to GET.
func (rt *router) handle(path string, h handler) {
	if rt.own[path] == nil {
		rt.own[path] = handlers{}
	}
	rt.add(rt.own[path], http.MethodGet, path, h)
}

// handleRoute adds a route of a dialect.
func (rt *router) handleRoute(d *api.Dialect, route api.Route, h handler) {
	prefix := strings.TrimPrefix(d.Prefix, "/")
	if rt.dialects[prefix] == nil {
		rt.dialects[prefix] = &tree{canonical: d.Canonical, root: &node{}}
	}
	n := rt.dialects[prefix].root
	ids := 0
	for segment := range strings.SplitSeq(route.Path[1:], "/") {
		if strings.HasPrefix(segment, "{") {
			ids++
		}
		n = n.grow(segment)
	}
	if ids > len(api.IDs{}) {
		panic("server: too many wildcards in " + route.Path)
	}
	if n.handlers == nil {
		n.handlers = handlers{}
	}
	rt.add(n.handlers, route.Method, route.Path, h)
}

func (rt *router) add(at handlers, method, path string, h handler) {
	if at[method] != nil {
		panic(fmt.Sprintf("server: two routes for %s %s", method, path))
	}
	at[method] = h
	if !slices.Contains(rt.methods, method) {
		rt.methods = append(rt.methods, method)
	}
}

// grow returns the node that a segment of a route's path leads to.
func (n *node) grow(segment string) *node {
	if name, ok := strings.CutPrefix(segment, "{"); ok {
		name = strings.TrimSuffix(name, "}")
		if strings.HasSuffix(name, "id") {
			return n.id.grow(name)
		}
		return n.word.grow(name)
	}
	if n.names == nil {
		n.names = map[string]*node{}
	}
	if n.names[segment] == nil {
		n.names[segment] = &node{}
	}
	return n.names[segment]
}

func (w *wildcard) grow(name string) *node {
	if w.node == nil {
		*w = wildcard{&node{}, name}
	}
	if w.name != name {
		panic(fmt.Sprintf("server: a wildcard is called %s and %s at the same place", w.name, name))
	}
	return w.node
}

// serve answers a request by its path and method.
func (rt *router) serve(w http.ResponseWriter, r *http.Request, e *entry) {
	at := rt.find(r, &e.path)
	h := at[r.Method]
	if h == nil && r.Method == http.MethodHead {
		h = at[http.MethodGet]
	}
	if h != nil {
		h(w, r, e)
		return
	}
	if at != nil {
		w.Header().Set("Allow", rt.allow(at))
	}
	api.WriteText(w, http.StatusNotFound, "The route is not found, check the URL")
}

// requestPath is what the path of a request says.
type requestPath struct {
	store string
	ids   api.IDs
}

// find returns what can be done at a request's path, nil when there is no such
// path, and fills in what the path says.
//
// A path with an empty segment, "." or ".." in it leads nowhere, since no
// segment of a route is like that.
func (rt *router) find(r *http.Request, into *requestPath) handlers {
	if raw := r.URL.RawPath; raw != "" && strings.Contains(strings.ToLower(raw), "%2f") {
		return nil // an escaped slash is part of a name, and no name has one
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	rest, ok := strings.CutPrefix(path, "/stores/")
	if !ok {
		return rt.own[path]
	}
	store, rest, _ := strings.Cut(rest, "/")
	prefix, rest, ok := strings.Cut(rest, "/")
	t := rt.dialects[prefix]
	if !ok || t == nil || store == "" || store == "." || store == ".." {
		return nil
	}
	into.store = store
	slash := len(path) - len(rest) - 1
	return t.root.find(t.canonical(path[slash:]), &into.ids)
}

// find follows a path, which is empty or begins with a slash, from segment to
// segment.
func (n *node) find(path string, ids *api.IDs) handlers {
	known := 0
	for path != "" {
		var segment string
		segment, path = cutSegment(path[1:])
		next := n.names[segment]
		switch {
		case next != nil:
		case n.id.node != nil && isDigits(segment):
			ids[known].Name, ids[known].Text = n.id.name, withoutZeros(segment)
			known++
			next = n.id.node
		case n.word.node != nil && isLetters(segment):
			ids[known].Name, ids[known].Text = n.word.name, segment
			known++
			next = n.word.node
		default:
			return nil
		}
		n = next
	}
	return n.handlers
}

// cutSegment cuts a path in front of its first slash.
func cutSegment(path string) (segment, rest string) {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// withoutZeros drops the zeros in front of a number, so that one thing has one
// name wherever requests are counted.
func withoutZeros(digits string) string {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

// allow is the methods of a path, as the Allow header has them.
func (rt *router) allow(at handlers) string {
	var allow []string
	for _, method := range rt.methods {
		if at[method] == nil {
			continue
		}
		allow = append(allow, method)
		if method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	return strings.Join(allow, ", ")
}

func isLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
