package server

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

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
			Name: "cohort_http_requests_refused_total", Help: "Requests refused with 429, by the limit that they met: quota, at_once or rate."},
			[]string{"limit"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
