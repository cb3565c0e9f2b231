package server

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceContext reads the header traceparent, by which a client names its trace.
var traceContext propagation.TraceContext

// beginTrace begins the span of a request, which endTrace ends, and returns the request with
// it. Paths, queries, addresses and user agents are not in it: they may be personal data.
func (s *Server) beginTrace(r *http.Request, e *entry) *http.Request {
	ctx := traceContext.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, e.span = s.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("cohort.request_id", e.requestID[0])))
	return r.WithContext(ctx)
}

// endTrace ends the span of a request, whose operation is known now.
func (e *entry) endTrace() {
	method, route := e.operation.method, e.operation.route
	name := e.operation.name
	if route != "" {
		name = method + " " + route
		e.span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route))
	}
	e.span.SetName(name)
	e.span.SetAttributes(attribute.String("cohort.operation", e.operation.name), attribute.Int("http.response.status_code", e.status))
	if e.store != "" {
		e.span.SetAttributes(attribute.String("cohort.store", e.store))
	}
	if e.tool != "" {
		e.span.SetAttributes(attribute.String("cohort.tool", e.tool))
	}
	if e.status >= http.StatusInternalServerError || e.status == 0 || e.broken {
		e.span.SetStatus(codes.Error, "")
	}
	e.span.End()
}
