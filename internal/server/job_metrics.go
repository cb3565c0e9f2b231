package server

import (
	"context"
	"time"

	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// watchJobs registers the metrics of jobs, if the service has jobs.
func (m *Metrics) watchJobs(svc *service.Service) {
	if !svc.Outbox().HasKinds() {
		return
	}
	m.registry.MustRegister(jobMetrics{svc,
		prometheus.NewDesc("cohort_jobs_waiting", "Jobs of all stores that wait for an attempt or are running.", nil, nil),
		prometheus.NewDesc("cohort_jobs_dead", "Jobs of all stores that are not retried any more, because they have failed too often.", nil, nil),
		prometheus.NewDesc("cohort_jobs_delivered_total", "Job attempts by this node that succeeded.", nil, nil),
		prometheus.NewDesc("cohort_jobs_failed_total", "Job attempts by this node that failed.", nil, nil),
	})
}

// jobMetrics collects all its metrics with one query.
type jobMetrics struct {
	svc                              *service.Service
	waiting, dead, delivered, failed *prometheus.Desc
}

// countTimeout bounds the query that counts jobs.
const countTimeout = 2 * time.Second

// Describe implements prometheus.Collector.
func (m jobMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.waiting, m.dead, m.delivered, m.failed} {
		descs <- d
	}
}

// Collect implements prometheus.Collector. If the query fails, the gauges are
// missing rather than zero.
func (m jobMetrics) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	c, err := m.svc.Outbox().Counts(ctx)
	if err == nil {
		metrics <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(c.Waiting))
		metrics <- prometheus.MustNewConstMetric(m.dead, prometheus.GaugeValue, float64(c.Dead))
	}
	metrics <- prometheus.MustNewConstMetric(m.delivered, prometheus.CounterValue, float64(c.Delivered))
	metrics <- prometheus.MustNewConstMetric(m.failed, prometheus.CounterValue, float64(c.Failed))
}
