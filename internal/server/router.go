package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/vendorapi"
)

// handler serves a request after routing.
type handler func(w http.ResponseWriter, r *http.Request, e *entry)

// router finds the handler for a method and a path. Unlike http.ServeMux it never
// redirects, its 404 is the API's, and its wildcards are typed: an id matches digits
// only, a UUID a UUID only, and a word letters only.
type router struct {
	methods  []string            // of all routes, in the order of the Allow header
	fixed    map[string]handlers // by path: the routes outside of any store
	control  handler             // of the control API; nil: there is none
	dialects map[string]*tree    // by the path segment after the store, such as "v2"
	routed   map[string]bool     // the routes of the dialects, by vendorapi.Key
	vendor   *vendorapi.Index    // nil: no route of the vendor is known

	elsewhere *elsewhere // nil: a path without a route is 404
}

// handlers are the handlers of a path by method.
type handlers map[string]handler

// tree has the paths of a dialect, without the prefix.
type tree struct {
	*api.Dialect
	root *node
}

// node is a path. Its children are by the next segment: a fixed name, else an id
// (digits), else a word (letters), else a UUID.
type node struct {
	handlers       handlers
	names          map[string]*node
	id, word, uuid wildcard
}

// wildcard is the child for a variable segment.
type wildcard struct {
	*node
	name string // in the routes, without braces
}

// controlPrefix begins the paths of the control API.
const controlPrefix = "/_cohort/"

// isControl reports whether a request is one to the control API.
func isControl(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, controlPrefix) }

func newRouter() *router {
	return &router{fixed: map[string]handlers{}, dialects: map[string]*tree{}, routed: map[string]bool{}}
}

// knowVendor makes the router recognize requests to operations that the vendor has and
// no route serves. It is called after all routes are added.
func (rt *router) knowVendor() {
	rt.vendor = vendorapi.NewIndex(func(prefix, method, path string) bool { return rt.routed[vendorapi.Key(method, prefix, path)] })
}

// handle adds a GET route outside of any store.
func (rt *router) handle(path string, h handler) { rt.handleMethod(http.MethodGet, path, h) }

// handleMethod adds a route outside of any store.
func (rt *router) handleMethod(method, path string, h handler) {
	if rt.fixed[path] == nil {
		rt.fixed[path] = handlers{}
	}
	rt.add(rt.fixed[path], method, path, h)
}

// handleRoute adds a route of a dialect.
func (rt *router) handleRoute(d *api.Dialect, route api.Route, h handler) {
	prefix := strings.TrimPrefix(d.Prefix, "/")
	if rt.dialects[prefix] == nil {
		rt.dialects[prefix] = &tree{d, &node{}}
	}
	n := rt.dialects[prefix].root
	ids := 0
	for segment := range strings.SplitSeq(route.Path[1:], "/") {
		if strings.HasPrefix(segment, "{") {
			ids++
		}
		n = n.child(segment)
	}
	if ids > len(api.IDs{}) {
		panic("server: too many wildcards in " + route.Path)
	}
	if n.handlers == nil {
		n.handlers = handlers{}
	}
	rt.add(n.handlers, route.Method, route.Path, h)
	rt.routed[vendorapi.Key(route.Method, d.Prefix, route.Path)] = true
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

// child returns the child for a segment of a route's path, and makes it if needed.
func (n *node) child(segment string) *node {
	if name, ok := strings.CutPrefix(segment, "{"); ok {
		name = strings.TrimSuffix(name, "}")
		switch {
		case strings.HasSuffix(name, "uuid"):
			return n.uuid.child(name)
		case strings.HasSuffix(name, "id"):
			return n.id.child(name)
		}
		return n.word.child(name)
	}
	if n.names == nil {
		n.names = map[string]*node{}
	}
	if n.names[segment] == nil {
		n.names[segment] = &node{}
	}
	return n.names[segment]
}

func (w *wildcard) child(name string) *node {
	if w.node == nil {
		*w = wildcard{&node{}, name}
	}
	if w.name != name {
		panic(fmt.Sprintf("server: two names for one wildcard: %s and %s", w.name, name))
	}
	return w.node
}

// serve routes a request by path and method, and calls the handler.
func (rt *router) serve(w http.ResponseWriter, r *http.Request, e *entry) {
	if rt.control != nil && isControl(r) {
		rt.control(w, r, e)
		return
	}
	at := rt.find(r, &e.path)
	h := at[r.Method]
	if h == nil && r.Method == http.MethodHead {
		h = at[http.MethodGet]
	}
	if h != nil {
		h(w, r, e)
		return
	}
	if at == nil && rt.elsewhere.serve(w, r, e) {
		return
	}
	e.unserved = rt.unserved(r)
	if at != nil {
		w.Header().Set("Allow", rt.allow(at))
		if e.unserved == nil && rt.wrongMethod(w, r) {
			return
		}
	}
	api.WriteText(w, http.StatusNotFound, "The route is not found, check the URL")
}

// requestPath has the variable parts of a request's path.
type requestPath struct {
	store string
	ids   api.IDs
}

// find returns the handlers of a request's path, nil if there is no such path, and
// fills in the variable parts.
//
// A path that contains an empty segment, "." or ".." matches no route, since no
// segment of a route is empty, "." or "..".
func (rt *router) find(r *http.Request, into *requestPath) handlers {
	if raw := r.URL.RawPath; raw != "" && strings.Contains(strings.ToLower(raw), "%2f") {
		return nil // an escaped slash is part of a segment, and no segment of a route has one
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	if !strings.HasPrefix(path, "/stores/") {
		return rt.fixed[path]
	}
	store, _, path, t := rt.split(path)
	if t == nil {
		return nil
	}
	into.store = store
	return t.root.find(path, &into.ids)
}

// split splits a path that begins with "/stores/" into the store, the dialect's prefix,
// and the rest in the form of the routes, which begins with a slash. It returns no tree
// if no dialect has such a path.
func (rt *router) split(path string) (store, prefix, rest string, t *tree) {
	store, rest, _ = strings.Cut(path[len("/stores/"):], "/")
	prefix, rest, ok := strings.Cut(rest, "/")
	t = rt.dialects[prefix]
	if !ok || t == nil || store == "" || store == "." || store == ".." {
		return "", "", "", nil
	}
	slash := len(path) - len(rest) - 1
	return store, path[slash-len(prefix)-1 : slash], t.Canonical(path[slash:]), t
}

// unserved returns the operation of the vendor's API that a request without a route asks
// for, or nil.
func (rt *router) unserved(r *http.Request) *vendorapi.Operation {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if rt.vendor == nil || !strings.HasPrefix(path, "/stores/") {
		return nil
	}
	_, prefix, rest, t := rt.split(path)
	if t == nil {
		return nil
	}
	return rt.vendor.Find(prefix, r.Method, rest)
}

// wrongMethod sends the response of a dialect to a method that a path does not have, if
// the dialect has one for the path.
func (rt *router) wrongMethod(w http.ResponseWriter, r *http.Request) bool {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if !strings.HasPrefix(path, "/stores/") {
		return false
	}
	_, _, rest, t := rt.split(path)
	return t != nil && t.WrongMethod != nil && t.WrongMethod(w, rest)
}

// find walks down a path, which is empty or begins with a slash.
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
		case n.uuid.node != nil && cohort.IsUUID(segment):
			// In lower case, so that rate limits count all spellings together.
			ids[known].Name, ids[known].Text = n.uuid.name, strings.ToLower(segment)
			known++
			next = n.uuid.node
		default:
			return nil
		}
		n = next
	}
	return n.handlers
}

// cutSegment cuts a path before its first slash.
func cutSegment(path string) (segment, rest string) {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// withoutZeros drops leading zeros, so that rate limits count all spellings of an id
// together.
func withoutZeros(digits string) string {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

// allow returns the value of the Allow header for a path.
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
