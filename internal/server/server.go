// Package server is the HTTP handler: it takes a request through the log, its
// route, token, scope and limits to a dialect's handler.
package server

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/apiv2"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/service"

	"github.com/klauspost/compress/gzhttp"
)

// Options is what a Server can be given; the zero value works.
type Options struct {
	Log     *slog.Logger     // nil discards
	Metrics *Metrics         // nil counts nothing
	Now     func() time.Time // the clock of the limits; nil is the system's
}

// Server answers every request that Cohort gets.
type Server struct {
	svc     *service.Service
	log     *slog.Logger
	metrics *Metrics
	limits  *limits
	routes  *router
	handler http.Handler
}

// New returns a server for a service.
func New(svc *service.Service, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		svc:     svc,
		log:     o.Log,
		metrics: o.Metrics,
		limits:  newLimits(o.Now),
		routes:  newRouter(),
	}
	s.routes.handle(http.MethodGet, "/livez", s.plain("live", s.live))
	s.routes.handle(http.MethodGet, "/readyz", s.plain("ready", s.ready))
	s.routes.handle(http.MethodGet, "/openapi.yaml", s.plain("openapi", s.openAPI))
	for _, d := range Dialects(svc) {
		for _, route := range d.Routes {
			s.routes.handle(route.Method, storePath+d.Prefix+route.Path, &endpoint{s, d, route})
		}
		s.routes.canonical[d.Prefix] = d.Canonical
	}
	s.handler = s.observe(compress(s.routes))
	return s
}

// storePath is what every path of a dialect begins with.
const storePath = "/stores/{store_hash}"

// Dialects returns every dialect that is served.
func Dialects(svc *service.Service) []*api.Dialect {
	return []*api.Dialect{apiv2.Dialect(svc)}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// compress answers with gzip those who ask for it, however short the answer.
func compress(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(0), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(h)
}

// plain makes a route of the server's own, outside of any store.
func (s *Server) plain(operation string, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entryOf(r).operation = operation
		h(w, r)
	})
}

// live answers as long as the process does.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) { api.WriteText(w, http.StatusOK, "ok") }

// ready answers 200 while requests can be served.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.svc.Ready(r.Context()); err != nil {
		entryOf(r).err = err
		api.WriteText(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	api.WriteText(w, http.StatusOK, "ok")
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openapi.Document)
}

// bearsBody reports whether a method's request body means something.
func bearsBody(method string) bool {
	return strings.HasPrefix(method, "P") // POST, PUT, PATCH
}
