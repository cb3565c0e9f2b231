// Package tracing adds spans to the trace of a request. Without a trace in the context, or a
// provider, it does nothing but look for one. Package telemetry exports spans.
//
// Attributes have no personal data and no secrets: names of operations, hashes of stores,
// counts and outcomes.
package tracing

import (
	"context"

	"cohort.example/cohort"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// scope names the origin of the spans.
const scope = "cohort.example/cohort"

// Tracer returns the tracer of a provider, or nil for nil.
func Tracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		return nil
	}
	return p.Tracer(scope)
}

type tracerKey struct{}

// WithTracer returns a context in which StartRoot begins traces.
func WithTracer(ctx context.Context, t trace.Tracer) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, tracerKey{}, t)
}

// Span is a span of a trace; nil if nothing is traced. All methods may be called then.
type Span struct{ span trace.Span }

// Start begins a span in the trace of a context, if that has one that is recorded. The caller
// ends the span.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, nil
	}
	return begin(ctx, parent.TracerProvider().Tracer(scope), name)
}

// StartRoot begins a trace for work in the background with a call of another system, if the
// context is one of WithTracer.
func StartRoot(ctx context.Context, name string) (context.Context, *Span) {
	t, ok := ctx.Value(tracerKey{}).(trace.Tracer)
	if !ok {
		return ctx, nil
	}
	return begin(ctx, t, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithNewRoot())
}

func begin(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) (context.Context, *Span) {
	ctx, span := t.Start(ctx, name, options...)
	return ctx, &Span{span}
}

// Text adds an attribute with a text.
func (s *Span) Text(name, value string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(name, value))
	}
}

// Number adds an attribute with a number.
func (s *Span) Number(name string, value int) {
	if s != nil {
		s.span.SetAttributes(attribute.Int(name, value))
	}
}

// End ends the span. An error makes it one that failed, with the kind of the error and without
// its text, which may quote a request.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetAttributes(attribute.String("error.type", cohort.KindOf(err).String()))
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}
