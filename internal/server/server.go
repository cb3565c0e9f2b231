// Package server is the HTTP handler: it takes a request through the log, its
// route, token, scope and limits to a dialect's handler.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/apiv2"
	"cohort.example/cohort/internal/apiv3"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/service"

	"github.com/klauspost/compress/gzhttp"
)

// Options is what a Server can be given; the zero value works.
type Options struct {
	Log     *slog.Logger     // nil discards
	Metrics *Metrics         // nil counts nothing
	Now     func() time.Time // the clock of limits that are not shared; nil is the system's
	Limits  *limit.Shared    // limits that other nodes share; nil counts in memory

	TrustedProxies TrustedProxies // whose X-Forwarded-For counts
	LoopbackOnly   bool           // refuses a Host header that does not name this machine
}

// Server answers every request that Cohort gets.
type Server struct {
	svc     *service.Service
	log     *slog.Logger
	metrics *Metrics
	limits  limit.Limiter
	work    *limit.Work
	proxies TrustedProxies
	// failures counts tokens that nobody has.
	failures     *limit.Failures
	loopbackOnly bool
	routes       *router
	bodies       ration     // of memory for the bodies under way
	none         *operation // for what no route matches
	gzip         func(http.Handler) http.HandlerFunc
	// cutOff is the context that ends what is under way, which CutOff does.
	cutOff context.Context
	CutOff context.CancelFunc
	// authenticate is the service's, or stands for it in tests.
	authenticate func(ctx context.Context, storeHash, secret string, need cohort.Scope) (service.Bearer, error)
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
		limits:  limit.NewMemory(o.Now),
		work:    newWork(),
		proxies: o.TrustedProxies, failures: limit.NewFailures(o.Now), loopbackOnly: o.LoopbackOnly,
		routes: newRouter(),
		none:   o.Metrics.operation("none"),
		gzip:   newCompressor(),

		authenticate: svc.Authenticate,
	}
	s.cutOff, s.CutOff = context.WithCancel(context.Background())
	s.metrics.watchDatabase(svc)
	s.metrics.watchWrites(svc)
	s.metrics.watchJobs(svc)
	if o.Limits != nil {
		s.limits = o.Limits
		s.metrics.watchLimits(o.Limits)
	}
	s.routes.handle("/livez", s.plain("live", s.live))
	s.routes.handle("/readyz", s.plain("ready", s.ready))
	s.routes.handle("/openapi.yaml", s.plain("openapi", s.openAPI))
	for _, d := range Dialects(svc) {
		for _, route := range d.Routes {
			e := &endpoint{s, d, route, s.metrics.operation(route.Operation)}
			s.routes.handleRoute(d, route, e.handle)
		}
	}
	return s
}

// Dialects returns every dialect that is served.
func Dialects(svc *service.Service) []*api.Dialect {
	return []*api.Dialect{apiv2.Dialect(svc), apiv3.Dialect(svc), apiv3.Extension(svc)}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.observe(w, r) }

// newCompressor returns what answers with gzip, however short the answer.
func newCompressor() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(0), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap
}

// varies is the Vary of all answers: whoever keeps them must not give one
// client's encoding to another.
var varies = []string{"Accept-Encoding"}

// compress answers with gzip those who ask for it. Nobody else goes through the
// compressor, which puts a writer of its own around their answers as well.
func (s *Server) compress(e *entry, r *http.Request) {
	if !mentionsGzip(r) {
		e.Header()["Vary"] = varies
		s.routes.serve(e, r, e)
		return
	}
	e.gzipped = r.Method != http.MethodHead // which the compressor leaves alone
	s.gzip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.routes.serve(w, r, e) })).ServeHTTP(e, r)
}

// mentionsGzip reports whether the compressor has to find out if the client
// takes gzip.
func mentionsGzip(r *http.Request) bool {
	accepted := r.Header["Accept-Encoding"]
	return len(accepted) > 0 && strings.Contains(strings.ToLower(accepted[0]), "gzip")
}

// plain makes a route of the server's own, outside of any store.
func (s *Server) plain(name string, h handler) handler {
	operation := s.metrics.operation(name)
	return func(w http.ResponseWriter, r *http.Request, e *entry) {
		e.operation = operation
		h(w, r, e)
	}
}

// live answers as long as the process does.
func (s *Server) live(w http.ResponseWriter, _ *http.Request, _ *entry) {
	api.WriteText(w, http.StatusOK, "ok")
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request, _ *entry) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openapi.Document)
}

// bearsBody reports whether a method's request body means something.
func bearsBody(method string) bool {
	return strings.HasPrefix(method, "P") // POST, PUT, PATCH
}
