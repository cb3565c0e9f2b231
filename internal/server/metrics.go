package server

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the metrics of the server, for Prometheus.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	rejected *prometheus.CounterVec
	unserved *prometheus.CounterVec
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cohort_http_requests_total", Help: "Requests, by operation and status."},
			[]string{"operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cohort_http_request_duration_seconds", Help: "Time from the header of the request to the end of the response.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12)},
			[]string{"operation"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cohort_http_requests_in_flight", Help: "Running requests."}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cohort_http_requests_refused_total", Help: "Requests rejected with 429, by limit: quota, concurrency, rate and bodies are limits of a store; event_followers too, and of the process; expensive and passwords of the process; failed_tokens of a client address."},
			[]string{"limit"}),
		unserved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cohort_http_requests_unserved_total", Help: "Requests with a 404 for an operation that the vendor has and Cohort does not, by family of resources."},
			[]string{"family"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.rejected, m.unserved,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchLimits registers the metrics of shared limits. A server without shared limits
// does not have these metrics, so an alert can rely on the gauge.
func (m *Metrics) watchLimits(l *limit.Shared) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_limits_shared", Help: "Whether the limits are shared with the other nodes now (1) or this node counts locally (0)."},
			func() float64 {
				if l.Sharing() {
					return 1
				}
				return 0
			}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_limits_decided_locally_total", Help: "Requests that this node has decided by local counts, because Redis did not respond."},
			func() float64 { return float64(l.DecidedLocally()) }))
}

// watchDatabase registers the metrics of the connection pool, if the database has one.
func (m *Metrics) watchDatabase(svc *service.Service) {
	if _, ok := svc.DatabaseStats(); !ok {
		return
	}
	stat := func(of func(service.DatabaseStats) float64) func() float64 {
		return func() float64 {
			stats, _ := svc.DatabaseStats()
			return of(stats)
		}
	}
	connections := func(state string, of func(service.DatabaseStats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_db_connections", Help: "Connections to the database: in use, idle, and the most that may be open (max).",
			ConstLabels: prometheus.Labels{"state": state}}, stat(of))
	}
	m.registry.MustRegister(
		connections("in_use", func(s service.DatabaseStats) float64 { return float64(s.InUse) }),
		connections("idle", func(s service.DatabaseStats) float64 { return float64(s.Idle) }),
		connections("max", func(s service.DatabaseStats) float64 { return float64(s.Max) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_attempts_repeated_total", Help: "Transactions that were retried, because of a conflict with another transaction or because the database server was unavailable."},
			stat(func(s service.DatabaseStats) float64 { return float64(s.Repeated) })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_outcomes_unknown_total", Help: "Commits with an unknown outcome, because the database server was unavailable for too long."},
			stat(func(s service.DatabaseStats) float64 { return float64(s.Unknown) })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_follow_queries_total", Help: "Queries for the changes of other nodes. One query serves all requests that wait for it."},
			stat(func(s service.DatabaseStats) float64 { return float64(s.Followed) })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_follow_failures_total", Help: "Such queries that failed, or found a writer that does not record its changes. Reads then come from the database."},
			stat(func(s service.DatabaseStats) float64 { return float64(s.NotFollowed) })))
}

// Registry returns the registry of the metrics, for other exporters than Handler.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Handler serves the metrics in the text format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// operation is a route in the metrics and in the log. It caches its counters, since
// looking one up by labels costs as much as routing the request.
type operation struct {
	name     string
	method   string // of its route, "": several
	route    string // with wildcards, "": none
	metrics  *Metrics
	duration func() prometheus.Observer
	requests [1000]atomic.Pointer[prometheus.Counter] // by status; net/http does not send larger ones
}

// operation returns a new operation. It makes its metrics on first use, so operations
// that are never called are not in the metrics.
func (m *Metrics) operation(name string) *operation {
	return &operation{name: name, metrics: m, duration: sync.OnceValue(func() prometheus.Observer {
		return m.duration.WithLabelValues(name)
	})}
}

// at adds the route of the operation, for traces.
func (o *operation) at(method, route string) *operation {
	o.method, o.route = method, route
	return o
}

// count counts a response.
func (o *operation) count(status int, took time.Duration) {
	o.responses(status).Inc()
	o.duration().Observe(took.Seconds())
}

func (o *operation) responses(status int) prometheus.Counter {
	if c := o.requests[status].Load(); c != nil {
		return *c
	}
	c := o.metrics.requests.WithLabelValues(o.name, strconv.Itoa(status)) // concurrent calls get the same counter
	o.requests[status].Store(&c)
	return c
}
