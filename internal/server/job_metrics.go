package server

import (
	"context"
	"time"

	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// watchJobs tells of the jobs of a service that has some.
func (m *Metrics) watchJobs(svc *service.Service) {
	if !svc.Outbox().HasKinds() {
		return
	}
	m.registry.MustRegister(jobMetrics{svc,
		prometheus.NewDesc("cohort_jobs_waiting", "Jobs of all stores that wait for an attempt, or are under way.", nil, nil),
		prometheus.NewDesc("cohort_jobs_dead", "Jobs of all stores that were tried so often that nobody tries them any more.", nil, nil),
		prometheus.NewDesc("cohort_jobs_delivered_total", "Attempts at jobs by this node that succeeded.", nil, nil),
		prometheus.NewDesc("cohort_jobs_failed_total", "Attempts at jobs by this node that failed.", nil, nil),
	})
}

// jobMetrics asks the database once for all its figures.
type jobMetrics struct {
	svc                              *service.Service
	waiting, dead, delivered, failed *prometheus.Desc
}

// countTimeout is how long the database may take to count jobs.
const countTimeout = 2 * time.Second

// Describe implements prometheus.Collector.
func (m jobMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.waiting, m.dead, m.delivered, m.failed} {
		descs <- d
	}
}

// Collect implements prometheus.Collector. Without the database there are no
// gauges, which is not the same as no jobs.
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
