package server

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// match is the result of routing a request.
type match struct {
	Route string // method and path of the route; empty: none
	Store string
	IDs   map[string]string
	Allow string // if the path only has other methods
}

func routed(rt *router, r *http.Request) match {
	e := &entry{}
	w := httptest.NewRecorder()
	rt.serve(w, r, e)
	got := match{Route: w.Header().Get("Route"), Allow: w.Header().Get("Allow")}
	if got.Route != "" {
		got.Store, got.IDs = e.path.store, map[string]string{}
		for _, id := range e.path.ids {
			if id.Name != "" {
				got.IDs[id.Name] = id.Text
			}
		}
	}
	return got
}

// allRoutes returns a router with every route. The handlers set a header to the name of
// their route.
func allRoutes() *router {
	rt := newRouter()
	say := func(route string) handler {
		return func(w http.ResponseWriter, _ *http.Request, _ *entry) { w.Header().Set("Route", route) }
	}
	for _, path := range ownPaths {
		rt.handle(path, say("GET "+path))
	}
	for _, d := range append(Dialects(nil), wordy) {
		for _, route := range d.Routes {
			rt.handleRoute(d, route, say(route.Method+" "+route.Path))
		}
	}
	return rt
}

// wordy is a dialect with every kind of wildcard.
var wordy = &api.Dialect{
	Prefix:    "/v9",
	Canonical: func(path string) string { return path },
	Routes: []api.Route{
		{Method: "GET", Path: "/lists/count"},
		{Method: "POST", Path: "/lists/{id}"},
		{Method: "GET", Path: "/lists/{name}"},
		{Method: "PUT", Path: "/lists/{id}/records/{variant_id}/{currency}"},
		{Method: "GET", Path: "/words/{one}/{two}/{three}"},
		{Method: "GET", Path: "/lists/{list_uuid}"},
		{Method: "PUT", Path: "/lists/{list_uuid}/records/{record_uuid}"},
	},
}

var ownPaths = []string{"/livez", "/readyz", "/openapi.yaml"}

var (
	wildcards  = regexp.MustCompile(`\{(\w+)\}`)
	uuids      = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	routeParam = regexp.MustCompile(`^\{[a-z_]+\}$`)
)

// uuid is a UUID in upper case.
const uuid = "1465BB16-EB7D-4FBA-8312-0EA9D88CD6E9"

// muxRouter routes with http.ServeMux. It marks each segment of digits with a segment
// "#" before it, each segment of letters with "@", and each UUID with "$", in paths and in
// routes, so that digits match ids only, letters words only, and UUIDs UUIDs only.
type muxRouter struct {
	mux      *http.ServeMux
	dialects []*api.Dialect
}

func newMuxRouter(dialects ...*api.Dialect) *muxRouter {
	rt := &muxRouter{mux: http.NewServeMux(), dialects: dialects}
	rt.mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	handle := func(method, pattern, route string, ids ...string) {
		rt.mux.HandleFunc(method+" "+pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Route", route)
			w.Header().Set("Store", r.PathValue("store"))
			for _, id := range ids {
				w.Header().Add("Ids", id)
				w.Header().Add("Ids", r.PathValue(id))
			}
		})
	}
	for _, path := range ownPaths {
		handle("GET", path, "GET "+path)
	}
	for _, d := range rt.dialects {
		for _, route := range d.Routes {
			var ids []string
			for _, m := range wildcards.FindAllStringSubmatch(route.Path, -1) {
				ids = append(ids, m[1])
			}
			handle(route.Method, "/stores/{store}"+d.Prefix+markedPath(route.Path), route.Method+" "+route.Path, ids...)
		}
	}
	return rt
}

func (rt *muxRouter) routed(r *http.Request) match {
	p := r.URL.Path
	if trimmed := strings.TrimSuffix(p, "/"); trimmed != "" {
		p = trimmed
	}
	u := &url.URL{Path: rt.marked(p)}
	if path.Clean(p) != p || path.Clean(u.Path) != u.Path || strings.Contains(strings.ToLower(r.URL.RawPath), "%2f") {
		return match{} // the mux would redirect, or unescape the slash
	}
	w := httptest.NewRecorder()
	rt.mux.ServeHTTP(w, &http.Request{Method: r.Method, URL: u})
	h := w.Header()
	if h.Get("Route") == "" {
		return match{Allow: rt.allow(u)}
	}
	got := match{Route: h.Get("Route"), Store: h.Get("Store"), IDs: map[string]string{}}
	for pair := range slices.Chunk(h["Ids"], 2) {
		got.IDs[pair[0]] = pair[1]
	}
	return got
}

// marked marks the segments of a path after the dialect's prefix.
func (rt *muxRouter) marked(p string) string {
	parts := strings.SplitN(p, "/", 5) // "", "stores", store, "v2", the rest
	if len(parts) < 5 || parts[1] != "stores" {
		return p
	}
	for _, d := range rt.dialects {
		if d.Prefix != "/"+parts[3] {
			continue
		}
		return strings.Join(parts[:4], "/") + markedPath(d.Canonical("/"+parts[4]))
	}
	return p
}

// markedPath puts the mark of each segment before it.
func markedPath(p string) string {
	segments := strings.Split(p, "/")
	for i, segment := range segments {
		switch {
		case isDigits(segment):
			segments[i] = "#/" + strings.TrimLeft(segment[:len(segment)-1], "0") + segment[len(segment)-1:]
		case strings.HasSuffix(segment, "uuid}"):
			segments[i] = "$/" + segment
		case uuids.MatchString(segment):
			segments[i] = "$/" + strings.ToLower(segment)
		case strings.HasSuffix(segment, "id}"):
			segments[i] = "#/" + segment
		case isLetters(segment), routeParam.MatchString(segment):
			segments[i] = "@/" + segment
		}
	}
	return strings.Join(segments, "/")
}

func (rt *muxRouter) allow(u *url.URL) string {
	var allow []string
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		if _, pattern := rt.mux.Handler(&http.Request{Method: method, URL: u}); pattern == "/" || pattern == "" {
			continue
		}
		allow = append(allow, method)
		if method == "GET" {
			allow = append(allow, "HEAD")
		}
	}
	return strings.Join(allow, ", ")
}

// The router finds the same routes as http.ServeMux does on marked paths.
func TestRouterMatchesServeMux(t *testing.T) {
	router, mux := allRoutes(), newMuxRouter(append(Dialects(nil), wordy)...)
	segments := []string{
		"customer_groups", "customergroups", "customers", "addresses", "count", "validate", "time", "7", "12",
		"007", "000", "0", "99999999999999999999", "7x", "x7", "-7", "%37", "٧", "count.json", "7.json", "customer_groups.json", "customergroupsx",
		".json", "", ".", "..", "%2e", "%2E%2e", "%2F", "customer_groups%2Fcount", "customers%2f7", "%20", "%25", "é", "stores", "v2", "abc", "livez", "openapi.yaml",
		"lists", "lists", "records", "words", "usd", "USD", "zZ", "u-d", "us d", "usd%2e", "us@", "us%5B", "%60", "%7B", "us%64",
		uuid, uuid, strings.ToLower(uuid), uuid[1:], uuid + "0", strings.ReplaceAll(uuid, "-", ""), strings.Replace(uuid, "E", "G", 1),
		strings.Replace(uuid, "-", "_", 1), "%31" + uuid[1:], "{" + uuid + "}",
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"}
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.SampledFrom([]string{
			"/stores/abc/v2", "/stores/abc/v2", "/stores/abc/v2", "/stores/123/v2", "/stores/a%62c/v2", "/stores/%2e./v2", "/stores//v2",
			"/stores/./v2", "/stores/../v2", "/stores/abc/v3", "/stores/abc/v9", "/stores/abc/v9", "/stores/abc/cohort", "/stores/abc", "/stores", "", "/", "//stores/abc/v2",
		}).Draw(t, "prefix")
		for _, segment := range rapid.SliceOfN(rapid.SampledFrom(segments), 0, 5).Draw(t, "segments") {
			target += "/" + segment
		}
		target += rapid.SampledFrom([]string{"", "", "/", "//", ".json", ".json/"}).Draw(t, "end")
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Skip("not a valid request target")
		}
		r := &http.Request{Method: rapid.SampledFrom(methods).Draw(t, "method"), URL: u}
		if diff := cmp.Diff(mux.routed(r), routed(router, r)); diff != "" {
			t.Errorf("%s %s (-mux +router):\n%s", r.Method, target, diff)
		}
	})
}

// Paths that match a route only after cleaning or unescaping are not found.
func TestRouterDoesNotCleanPaths(t *testing.T) {
	rt := allRoutes()
	for _, target := range []string{
		"/stores/abc/v2/customer_groups%2Fcount", "/stores/abc/v2/customer_groups%2fcount", "/stores/abc%2fv2/time", "/stores%2Fabc/v2/time",
		"/stores/abc/v2//time", "/stores//abc/v2/time", "//stores/abc/v2/time", "/stores/abc/v2/time//", "/livez//", "//livez",
		"/stores/abc/v2/./time", "/stores/abc/v2/customers/../time", "/stores/abc/v2/customers/%2e%2e/time", "/x/../livez",
		"/stores/./v2/time", "/stores/../v2/time", "/stores//v2/time", "/stores/abc/v2/customer_groups/..json", "*",
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"GET", "PATCH"} {
			if diff := cmp.Diff(match{}, routed(rt, &http.Request{Method: method, URL: u})); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", method, target, diff)
			}
		}
	}
}

// The router finds every route by its path, with ids without leading zeros.
func TestRouterFindsEveryRoute(t *testing.T) {
	rt := allRoutes()
	for _, d := range append(Dialects(nil), wordy) {
		for _, route := range d.Routes {
			want := match{Route: route.Method + " " + route.Path, Store: "abc", IDs: map[string]string{}}
			n := 0
			path := wildcards.ReplaceAllStringFunc(route.Path, func(wildcard string) string {
				n++
				name := strings.Trim(wildcard, "{}")
				switch {
				case strings.HasSuffix(name, "uuid"):
					want.IDs[name] = strings.ToLower(uuid)
					return uuid
				case !strings.HasSuffix(name, "id"):
					want.IDs[name] = strings.Repeat("w", n)
					return want.IDs[name]
				}
				want.IDs[name] = strconv.Itoa(10 * n)
				return "00" + want.IDs[name]
			})
			paths := []string{path, path + "/"}
			if d.Canonical(path+".json") == path {
				paths = append(paths, path+".json/")
			}
			for _, path := range paths {
				u := &url.URL{Path: "/stores/abc" + d.Prefix + path}
				if diff := cmp.Diff(want, routed(rt, &http.Request{Method: route.Method, URL: u})); diff != "" {
					t.Errorf("%s %s (-want +got):\n%s", route.Method, u.Path, diff)
				}
			}
		}
	}
}

// An ambiguous route table panics.
func TestRouterAmbiguousTables(t *testing.T) {
	for name, paths := range map[string][]string{
		"one path twice":         {"/groups/{id}", "/groups/{id}"},
		"two names for one id":   {"/groups/{id}", "/groups/{group_id}/members"},
		"two names for one word": {"/groups/{name}", "/groups/{word}/members"},
		"two names for one UUID": {"/groups/{uuid}", "/groups/{group_uuid}/members"},
		"too many ids":           {"/a/{id}/b/{b_id}/c/{c_id}/d/{d_id}"},
		"too many wildcards":     {"/a/{id}/b/{b}/c/{c_id}/d/{d}"},
	} {
		if !panics(func() {
			rt := newRouter()
			for _, path := range paths {
				rt.handleRoute(&api.Dialect{Prefix: "/v9"}, api.Route{Method: "GET", Path: path}, func(http.ResponseWriter, *http.Request, *entry) {})
			}
		}) {
			t.Errorf("%s: no panic for %v", name, paths)
		}
	}
}

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

// A segment matches a fixed name, else an id if it is all digits, else a word if it is
// all letters, else a UUID if it is one, else nothing.
func TestRouterSegments(t *testing.T) {
	rt := allRoutes()
	const prefix = "/stores/abc/v9"
	for _, c := range []struct {
		method, path, route string
		ids                 map[string]string
	}{
		{"GET", "/lists/count", "GET /lists/count", map[string]string{}},
		{"GET", "/lists/Count", "GET /lists/{name}", map[string]string{"name": "Count"}},
		{"GET", "/lists/USD", "GET /lists/{name}", map[string]string{"name": "USD"}},
		{"POST", "/lists/007", "POST /lists/{id}", map[string]string{"id": "7"}},
		{"PUT", "/lists/7/records/8/uSd", "PUT /lists/{id}/records/{variant_id}/{currency}", map[string]string{"id": "7", "variant_id": "8", "currency": "uSd"}},
		{"HEAD", "/words/a/b/c", "GET /words/{one}/{two}/{three}", map[string]string{"one": "a", "two": "b", "three": "c"}},
		{"GET", "/lists/" + uuid, "GET /lists/{list_uuid}", map[string]string{"list_uuid": strings.ToLower(uuid)}},
		{"GET", "/lists/" + uuid[1:], "", nil},
		{"POST", "/lists/7/" + uuid, "", nil},
		{"GET", "/lists/us7", "", nil},
		{"GET", "/lists/us-d", "", nil},
		{"GET", "/lists/us_d", "", nil},
		{"GET", "/lists/us.json", "", nil},
		{"GET", "/lists/us@", "", nil},
		{"GET", "/lists/us[", "", nil},
		{"GET", "/lists/us`", "", nil},
		{"GET", "/lists/us{", "", nil},
		{"GET", "/lists/\u00fcsd", "", nil},
		{"PUT", "/lists/7/records/8/840", "", nil},
		{"PUT", "/lists/7/records/usd/8", "", nil},
		{"GET", "/words/a/b", "", nil},
	} {
		got := routed(rt, &http.Request{Method: c.method, URL: &url.URL{Path: prefix + c.path}})
		want := match{Route: c.route, IDs: c.ids}
		if c.route != "" {
			want.Store = "abc"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.method, c.path, diff)
		}
	}
}
