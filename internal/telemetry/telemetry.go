// Package telemetry sends traces and metrics by OpenTelemetry, as the usual OTEL_ variables
// say. Without them it does nothing.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// flushTimeout bounds how long the end of the server waits for the last traces and metrics.
	flushTimeout = 5 * time.Second
	// reportEvery is the least time between two lines of the log about failed exports.
	reportEvery = time.Minute
)

// Options say what is sent.
type Options struct {
	Version string              // of this program
	Metrics prometheus.Gatherer // whose metrics are sent
	Log     *slog.Logger
}

// Telemetry sends traces and metrics.
type Telemetry struct {
	traces  *sdktrace.TracerProvider // nil: none
	metrics *metric.MeterProvider    // nil: none
	log     *slog.Logger
}

// Start begins to send what the environment asks for. It does not wait for a collector: one
// that is missing is reported in the log. It returns an error for a variable that has an
// unknown value. The caller ends with Stop.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{log: o.Log}
	traces, metrics := wanted("TRACES"), wanted("METRICS")
	if !traces && !metrics {
		return t, nil
	}
	r, err := newResource(ctx, o.Version)
	if err != nil {
		return nil, fmt.Errorf("cannot start OpenTelemetry: %w", err)
	}
	otel.SetErrorHandler(newReporter(o.Log))
	if traces {
		err = t.startTraces(ctx, r)
	}
	if metrics && err == nil {
		err = t.startMetrics(ctx, r, o.Metrics)
	}
	if err != nil {
		t.Stop()
		return nil, fmt.Errorf("cannot start OpenTelemetry: %w", err)
	}
	o.Log.Info("sending telemetry by OpenTelemetry", "traces", traces, "metrics", metrics)
	return t, nil
}

// wanted reports whether the environment asks for a signal: with an exporter, or with the
// address of a collector.
func wanted(signal string) bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	if exporter := os.Getenv("OTEL_" + signal + "_EXPORTER"); exporter != "" {
		return exporter != "none"
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}

// newResource describes this process. It does not have the command line, which may have
// secrets.
func newResource(ctx context.Context, version string) (*resource.Resource, error) {
	return resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "cohort"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // the last one wins
}

func (t *Telemetry) startTraces(ctx context.Context, r *resource.Resource) error {
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return err
	}
	t.traces = sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(r))
	return nil
}

func (t *Telemetry) startMetrics(ctx context.Context, r *resource.Resource, from prometheus.Gatherer) error {
	autoexport.WithFallbackMetricProducer(func(context.Context) (metric.Producer, error) {
		return bridge.NewMetricProducer(bridge.WithGatherer(from)), nil
	})
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		return err
	}
	t.metrics = metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(r))
	return nil
}

// Traces returns where spans go, or nil if none are sent.
func (t *Telemetry) Traces() trace.TracerProvider {
	if t.traces == nil {
		return nil
	}
	return t.traces
}

// Stop sends what is left, within flushTimeout.
func (t *Telemetry) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	var traces, metrics error
	if t.traces != nil {
		traces = t.traces.Shutdown(ctx)
	}
	if t.metrics != nil {
		metrics = t.metrics.Shutdown(ctx)
	}
	if err := errors.Join(traces, metrics); err != nil {
		t.log.Warn("the last telemetry was not sent", "error", err)
	}
}

// reporter logs failed exports, which can be many.
type reporter struct {
	log  *slog.Logger
	last atomic.Int64 // Unix nanoseconds
}

func newReporter(log *slog.Logger) *reporter { return &reporter{log: log} }

// Handle implements otel.ErrorHandler.
func (r *reporter) Handle(err error) {
	now, last := time.Now().UnixNano(), r.last.Load()
	if now-last >= int64(reportEvery) && r.last.CompareAndSwap(last, now) {
		r.log.Warn("telemetry was not sent; requests are served", "error", err)
	}
}
