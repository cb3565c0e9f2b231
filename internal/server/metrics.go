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

// Metrics is what the server counts, for Prometheus.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	refused  *prometheus.CounterVec
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cohort_http_requests_total", Help: "Requests answered, by operation and status."},
			[]string{"operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cohort_http_request_duration_seconds", Help: "Time from the request's header to the end of the answer.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12)},
			[]string{"operation"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cohort_http_requests_in_flight", Help: "Requests under way."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cohort_http_requests_refused_total", Help: "Requests refused with 429, by the limit that they met: quota, at_once, rate or bodies of a store, work or passwords of the whole process, or failed_tokens of an address."},
			[]string{"limit"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchLimits tells of limits that are shared with other nodes. Without such
// limits nothing is told, so that an alarm may rest on the gauge.
func (m *Metrics) watchLimits(l *limit.Shared) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_limits_shared", Help: "Whether the limits are shared with the other nodes now (1) or this node counts for itself (0)."},
			func() float64 {
				if l.Sharing() {
					return 1
				}
				return 0
			}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_limits_decided_locally_total", Help: "Requests about which this node decided for itself, because the shared limits could not be asked."},
			func() float64 { return float64(l.DecidedLocally()) }))
}

// watchDatabase tells of the connections to a database that has some.
func (m *Metrics) watchDatabase(svc *service.Service) {
	if _, ok := svc.DatabaseStats(); !ok {
		return
	}
	figure := func(of func(service.DatabaseStats) float64) func() float64 {
		return func() float64 {
			stats, _ := svc.DatabaseStats()
			return of(stats)
		}
	}
	connections := func(state string, of func(service.DatabaseStats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_db_connections", Help: "Connections to the database: in use, idle, and how many there may be (max).",
			ConstLabels: prometheus.Labels{"state": state}}, figure(of))
	}
	m.registry.MustRegister(
		connections("in_use", func(s service.DatabaseStats) float64 { return float64(s.InUse) }),
		connections("idle", func(s service.DatabaseStats) float64 { return float64(s.Idle) }),
		connections("max", func(s service.DatabaseStats) float64 { return float64(s.Max) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_attempts_repeated_total", Help: "Transactions tried again, because others stood in their way or the server was away."},
			figure(func(s service.DatabaseStats) float64 { return float64(s.Repeated) })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cohort_db_outcomes_unknown_total", Help: "Commits of which nobody could say how they ended, because the server was away for long."},
			figure(func(s service.DatabaseStats) float64 { return float64(s.Unknown) })))
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// operation is a route in the metrics and in the log. It finds each of its
// counters once: to ask for one by its labels costs as much as to find a route.
type operation struct {
	name     string
	metrics  *Metrics
	duration func() prometheus.Observer
	requests [1000]atomic.Pointer[prometheus.Counter] // by status, of which net/http lets no larger pass
}

// operation returns a new operation. There are no figures of it yet, so that
// what is never called is not in the metrics.
func (m *Metrics) operation(name string) *operation {
	return &operation{name: name, metrics: m, duration: sync.OnceValue(func() prometheus.Observer {
		return m.duration.WithLabelValues(name)
	})}
}

// count counts an answer.
func (o *operation) count(status int, took time.Duration) {
	o.answered(status).Inc()
	o.duration().Observe(took.Seconds())
}

func (o *operation) answered(status int) prometheus.Counter {
	if c := o.requests[status].Load(); c != nil {
		return *c
	}
	c := o.metrics.requests.WithLabelValues(o.name, strconv.Itoa(status)) // the same for all who ask
	o.requests[status].Store(&c)
	return c
}
