package server

import (
	"context"

	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// watchHooks registers the metrics of webhooks, if the service sends any.
func (m *Metrics) watchHooks(svc *service.Service) {
	if !svc.SendsHooks() {
		return
	}
	m.registry.MustRegister(hookMetrics{svc,
		prometheus.NewDesc("cohort_webhook_attempts_total", "Attempts of this node to deliver messages of webhooks: delivered, repeated later, or failed for the last time.", []string{"outcome"}, nil),
		prometheus.NewDesc("cohort_webhook_waiting", "Deliveries of all stores that wait for another attempt.", nil, nil),
		prometheus.NewDesc("cohort_webhook_lag_seconds", "Time from a change to the first attempt of this node to tell it, by the clock of the store.", nil, nil),
	})
}

// hookMetrics collects the metrics of webhooks.
type hookMetrics struct {
	svc                    *service.Service
	attempts, waiting, lag *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (m hookMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.attempts, m.waiting, m.lag} {
		descs <- d
	}
}

// Collect implements prometheus.Collector. If the query fails, the gauge is missing rather
// than zero.
func (m hookMetrics) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	if n, err := m.svc.WaitingDeliveries(ctx); err == nil {
		metrics <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(n))
	}
	stats := m.svc.HookStats()
	for outcome, n := range map[string]int64{"delivered": stats.Delivered, "repeated": stats.Repeated, "failed": stats.Failed} {
		metrics <- prometheus.MustNewConstMetric(m.attempts, prometheus.CounterValue, float64(n), outcome)
	}
	metrics <- prometheus.MustNewConstHistogram(m.lag, stats.Lags.Count, stats.Lags.Sum.Seconds(), stats.Lags.Buckets)
}
