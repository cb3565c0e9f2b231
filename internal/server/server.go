// Package server is the HTTP server: it routes a request, checks its token, scope
// and limits, runs the dialect's handler, and logs and counts the request.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/apiv2"
	"cohort.example/cohort/internal/apiv3"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/stub"
	"cohort.example/cohort/internal/upstream"

	"github.com/klauspost/compress/gzhttp"
	"go.opentelemetry.io/otel/trace"
)

// Options are options of a Server; the zero value works.
type Options struct {
	Log     *slog.Logger     // nil discards
	Metrics *Metrics         // nil discards
	Now     func() time.Time // the clock of limits in memory; nil is the system clock
	Limits  *limit.Shared    // limits that nodes share; nil counts in memory
	Memory  *limit.Memory    // counts without Limits; nil counts in memory of its own, with Now

	TrustedProxies TrustedProxies // the proxies whose X-Forwarded-For is trusted
	LoopbackOnly   bool           // reject requests whose Host header does not name this machine
	Hosts          []string       // names in lower case that LoopbackOnly accepts besides, except for the control API

	Faults      *fault.Set // the rules by which requests fail; nil: none
	FaultHeader bool       // a request may ask for a fault with the header X-Cohort-Fault

	Control http.Handler // serves the paths below /_cohort; nil: there are none

	MCP MCPHandler // serves /mcp; nil: the path does not exist

	Journal *journal.Journal // keeps the last requests of each store; nil: nothing does

	Tracer   trace.Tracer    // begins a span for each request; nil: nothing is traced
	Upstream *upstream.Proxy // gets requests to paths without a route; nil: nothing does
	Stub     *stub.Stub      // answers other requests to such paths; nil: nothing does
}

// storePrefix begins the routes of all dialects.
const storePrefix = "/stores/{store_hash}"

// Server is the handler of all requests.
type Server struct {
	svc          *service.Service
	log          *slog.Logger
	metrics      *Metrics
	limits       limit.Limiter
	brake        *limit.Brake
	expensive    *limit.FairQueue
	proxies      TrustedProxies
	failures     *limit.Failures // counts unknown tokens
	loopbackOnly bool
	hosts        []string // see Options.Hosts
	routes       *router
	endpoints    map[string]*endpoint // by operation
	dialects     []*api.Dialect
	bodies       bodyBudget
	none         *operation       // for requests that match no route
	journal      *journal.Journal // nil: none
	tracer       trace.Tracer     // nil: none
	gzip         func(http.Handler) http.HandlerFunc
	// CutOff cancels all running requests, through the context cutOff.
	cutOff      context.Context
	CutOff      context.CancelFunc
	faults      *fault.Set
	faultHeader bool
	// EndFaults ends the waits of fault rules, and of requests that wait for events, through
	// the context patience, when the server is about to stop.
	patience  context.Context
	EndFaults context.CancelFunc
	// authenticate is the service's method; tests replace it.
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
		svc:       svc,
		log:       o.Log,
		metrics:   o.Metrics,
		limits:    limit.NewMemory(o.Now),
		brake:     limit.NewBrake(time.Now),
		expensive: newExpensiveQueue(),
		proxies:   o.TrustedProxies, failures: limit.NewFailures(o.Now), loopbackOnly: o.LoopbackOnly, hosts: o.Hosts,
		routes: newRouter(), endpoints: map[string]*endpoint{},
		none:    o.Metrics.operation("none"),
		gzip:    newCompressor(),
		journal: o.Journal,
		tracer:  o.Tracer,

		faults: o.Faults, faultHeader: o.FaultHeader,

		authenticate: svc.Authenticate,
	}
	s.cutOff, s.CutOff = context.WithCancel(context.Background())
	s.patience, s.EndFaults = context.WithCancel(s.cutOff)
	s.metrics.watchDatabase(svc)
	s.metrics.watchServers(svc)
	s.metrics.watchWrites(svc)
	s.metrics.watchJobs(svc)
	s.metrics.watchHooks(svc)
	if o.Memory != nil {
		s.limits = o.Memory
	}
	if o.Limits != nil {
		s.limits = o.Limits
		s.metrics.watchLimits(o.Limits)
	}
	s.routes.handle("/livez", s.plain("live", s.live))
	s.routes.handle("/readyz", s.plain("ready", s.ready))
	s.routes.handle("/openapi.yaml", s.plain("openapi", s.openAPI))
	if o.Control != nil {
		s.routes.control = s.plain("control", func(w http.ResponseWriter, r *http.Request, e *entry) {
			r.Body = &watchedBody{r.Body, e}
			o.Control.ServeHTTP(w, r)
		})
	}
	s.dialects = Dialects(svc)
	for _, d := range s.dialects {
		for _, route := range d.Routes {
			e := &endpoint{s, d, route, s.metrics.operation(route.Operation).at(route.Method, storePrefix+d.Prefix+route.Path)}
			s.routes.handleRoute(d, route, e.handle)
			s.endpoints[route.Operation] = e
		}
	}
	if o.MCP != nil {
		s.handleMCP(o.MCP)
	}
	s.routes.elsewhere = s.newElsewhere(o)
	s.routes.knowVendor()
	return s
}

// Run does the background work of the dialects until ctx ends. Without it they do without:
// nothing is kept in files.
func (s *Server) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, d := range s.dialects {
		if d.Run != nil {
			running.Go(func() { d.Run(ctx, s.log) })
		}
	}
	running.Wait()
}

// Dialects returns all dialects.
func Dialects(svc *service.Service) []*api.Dialect {
	return []*api.Dialect{apiv2.Dialect(svc), apiv3.Dialect(svc), apiv3.Extension(svc)}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.observe(w, r) }

// eventStream ends the path of the stream of events.
const eventStream = "/cohort/v1/events/stream"

// newCompressor returns a wrapper that compresses responses of any length with gzip.
func newCompressor() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(0), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap
}

// varies is the Vary header of all responses: a cache must not send one client's
// encoding to another client.
var varies = []string{"Accept-Encoding"}

// compress compresses the response if the client accepts gzip. Other requests bypass
// the compressor, which would wrap their writer too. So do streams, which it would hold
// back, and the control API, which has some.
func (s *Server) compress(e *entry, r *http.Request) {
	if !acceptsGzip(r) || isControl(r) || strings.HasSuffix(r.URL.Path, eventStream) {
		e.Header()["Vary"] = varies
		s.routes.serve(s.record(e, r, e), r, e)
		return
	}
	e.gzipped = r.Method != http.MethodHead // the compressor ignores HEAD
	s.gzip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.routes.serve(s.record(w, r, e), r, e) })).ServeHTTP(e, r)
}

// acceptsGzip reports whether the client accepts gzip. The compressor agrees, except for
// malformed headers.
func acceptsGzip(r *http.Request) bool {
	accepted := r.Header["Accept-Encoding"]
	if len(accepted) == 0 {
		return false
	}
	for coding := range strings.SplitSeq(strings.ToLower(accepted[0]), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			q, hasWeight := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !hasWeight || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// plain makes the handler of a route outside of any store.
func (s *Server) plain(name string, h handler) handler {
	operation := s.metrics.operation(name)
	return func(w http.ResponseWriter, r *http.Request, e *entry) {
		e.operation = operation
		h(w, r, e)
	}
}

// live responds with 200 while the process runs.
func (s *Server) live(w http.ResponseWriter, _ *http.Request, _ *entry) {
	api.WriteText(w, http.StatusOK, "ok")
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request, _ *entry) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openapi.Document)
}

// hasBody reports whether the API reads the request body of a method.
func hasBody(method string) bool {
	return strings.HasPrefix(method, "P") // POST, PUT, PATCH
}
