package server

import (
	"net/http"
	"net/url"
	"testing"
)

// BenchmarkRouter compares the router with http.ServeMux. Both hold every route,
// look up a path with one id, and read the store and the id from it.
//
// The mux needs a rewritten path to distinguish ids from names, see muxRouter.
// "rewrite+mux" is the alternative to the router. "mux" leaves out the cost of
// the rewrite, and so is the least that any use of http.ServeMux costs.
func BenchmarkRouter(b *testing.B) {
	r := request("/stores/abc/v2/customer_groups/1234", "")
	b.Run("router", func(b *testing.B) {
		rt := allRoutes()
		b.ReportAllocs()
		for b.Loop() {
			var at requestPath
			if rt.find(r, &at)["GET"] == nil || at.store != "abc" || at.ids[0].Text != "1234" {
				b.Fatal("route not found")
			}
		}
	})

	found := false
	rt := newMuxRouter(Dialects(nil)...)
	rt.mux = newMarkedMux(func(_ http.ResponseWriter, r *http.Request) {
		found = r.PathValue("store") == "abc" && r.PathValue("id") == "1234"
	})
	serve := func(b *testing.B, r *http.Request) {
		found = false
		rt.mux.ServeHTTP(nil, r)
		if !found {
			b.Fatal("route not found")
		}
	}
	rewritten := func() *http.Request {
		return &http.Request{Method: r.Method, URL: &url.URL{Path: rt.marked(r.URL.Path)}}
	}
	b.Run("rewrite+mux", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			serve(b, rewritten())
		}
	})
	b.Run("mux", func(b *testing.B) {
		r := rewritten()
		b.ReportAllocs()
		for b.Loop() {
			serve(b, r)
		}
	})
}

// newMarkedMux returns a mux that holds every route in the form of markedPath
// and calls h for each.
func newMarkedMux(h http.HandlerFunc) *http.ServeMux {
	mux := http.NewServeMux()
	for _, path := range ownPaths {
		mux.HandleFunc("GET "+path, h)
	}
	for _, d := range Dialects(nil) {
		for _, route := range d.Routes {
			mux.HandleFunc(route.Method+" /stores/{store}"+d.Prefix+markedPath(route.Path), h)
		}
	}
	return mux
}
