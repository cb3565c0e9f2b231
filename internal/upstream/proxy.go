package upstream

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"cohort.example/cohort/internal/api"
)

// Options are options of a Proxy.
type Options struct {
	To          *url.URL // of the API, as ParseURL returns it
	Stores      map[string]Store
	AllowWrites bool // passes on more than GET and HEAD
	Log         *slog.Logger
}

const (
	// MaxPassed is how many bytes the body of a request has that is passed on. It is in
	// memory meanwhile.
	MaxPassed = 8 << 20
	// maxAtOnce bounds the requests that are passed on at the same time.
	maxAtOnce = 16
)

// Proxy passes requests on to other stores, with the tokens of those.
type Proxy struct {
	Options
	forward httputil.ReverseProxy
	running chan struct{}
}

// New returns a proxy.
func New(o Options) *Proxy {
	p := &Proxy{Options: o, running: make(chan struct{}, maxAtOnce)}
	p.forward = httputil.ReverseProxy{
		Transport:      NewTransport(),
		Rewrite:        p.rewrite,
		ModifyResponse: p.modify,
		ErrorHandler:   p.unreachable,
		ErrorLog:       log.New(io.Discard, "", 0), // the errors of clients that have gone
	}
	return p
}

// Has reports whether the requests of a store are passed on. A nil proxy passes none on.
func (p *Proxy) Has(store string) bool { return p != nil && p.Stores[store].Hash != "" }

// Allows reports whether requests with a method are passed on.
func (p *Proxy) Allows(method string) bool {
	return p.AllowWrites || method == http.MethodGet || method == http.MethodHead
}

type passedKey struct{}

// passed is a request that is passed on.
type passed struct {
	hash  string // of the store here
	store Store
}

// Serve passes on a request to a store that [Proxy.Has]. Its path begins with /stores/ and
// the hash. The caller has checked the token of the request, which is not passed on.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, hash string) {
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	default:
		w.Header().Set("Retry-After", "1")
		api.WriteText(w, http.StatusServiceUnavailable, "Too many requests are being passed on.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), Timeout)
	defer cancel()
	r = r.WithContext(context.WithValue(ctx, passedKey{}, passed{hash, p.Stores[hash]}))
	p.forward.ServeHTTP(w, r)
}

// kept are the headers of a request that are passed on. Others may have tokens of Cohort.
var kept = []string{
	"Accept", "Accept-Language", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "Prefer", "User-Agent", "X-Correlation-Id",
}

// rewrite makes the request to the other store. It leaves out Accept-Encoding, so that the
// transport decodes responses and the journal has them as text.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	to := r.In.Context().Value(passedKey{}).(passed)
	rest := strings.TrimPrefix(r.In.URL.EscapedPath(), "/stores/"+to.hash)
	path := p.To.EscapedPath() + "/stores/" + to.store.Hash + rest
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path // net/http has parsed it, so this does not happen
	}
	r.Out.URL = &url.URL{Scheme: p.To.Scheme, Host: p.To.Host, Path: plain, RawPath: path, RawQuery: r.In.URL.RawQuery}
	r.Out.Host = ""
	r.Out.Header = http.Header{"X-Auth-Token": {to.store.Token}}
	for _, name := range kept {
		if values := r.In.Header.Values(name); len(values) > 0 {
			r.Out.Header[name] = values
		}
	}
	if r.Out.Header["User-Agent"] == nil {
		r.Out.Header["User-Agent"] = []string{""} // or net/http sends its own
	}
}

// modify bounds a response, and makes a Location lead back here.
func (p *Proxy) modify(res *http.Response) error {
	for _, name := range []string{"X-Request-Id", "Set-Cookie", "Strict-Transport-Security"} { // those of this server count
		res.Header.Del(name)
	}
	to := res.Request.Context().Value(passedKey{}).(passed)
	if location := res.Header.Get("Location"); location != "" {
		location = strings.TrimPrefix(location, p.To.String())
		if rest, ok := strings.CutPrefix(location, "/stores/"+to.store.Hash+"/"); ok {
			res.Header.Set("Location", "/stores/"+to.hash+"/"+rest)
		}
	}
	return Limit(res)
}

func (p *Proxy) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if p.Log != nil && !errors.Is(r.Context().Err(), context.Canceled) {
		p.Log.Error("a request cannot be passed on", "host", p.To.Host, "error", err)
	}
	api.WriteText(w, http.StatusBadGateway, "The upstream store cannot be reached.")
}
