package tracing_test

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/tracing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// Without a trace nothing is made, not even memory.
func TestOff(t *testing.T) {
	ctx := tracing.WithTracer(t.Context(), tracing.Tracer(nil))
	allocations := testing.AllocsPerRun(100, func() {
		for _, start := range []func(context.Context, string) (context.Context, *tracing.Span){tracing.Start, tracing.StartRoot} {
			got, span := start(ctx, "x")
			if got != ctx || span != nil {
				t.Error("a span is begun")
			}
			span.Text("a", "b")
			span.Number("c", 1)
			span.End(nil)
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	ended := tracetest.NewSpanRecorder()
	tracer := tracing.Tracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended)))
	ctx, root := tracing.StartRoot(tracing.WithTracer(t.Context(), tracer), "root")
	inner, span := tracing.Start(ctx, "child")
	span.Text("text", "b")
	span.Number("number", 7)
	span.End(cohort.Invalid("name", "The value of Jo is taken."))
	root.End(errors.New("unexpected"))

	list := ended.Ended()
	if len(list) != 2 || list[0].Parent().SpanID() != list[1].SpanContext().SpanID() || list[1].SpanKind() != trace.SpanKindClient {
		t.Fatalf("%v", list)
	}
	if trace.SpanFromContext(inner).SpanContext().SpanID() != list[0].SpanContext().SpanID() {
		t.Error("the context has another span")
	}
	want := map[attribute.Key]string{"text": "b", "number": "7", "error.type": cohort.KindInvalid.String()}
	for _, a := range list[0].Attributes() {
		if want[a.Key] != a.Value.String() {
			t.Errorf("%s is %s", a.Key, a.Value.String())
		}
		delete(want, a.Key)
	}
	if status := list[0].Status(); len(want) > 0 || status.Code != codes.Error || status.Description != "" || len(list[0].Events()) > 0 {
		t.Errorf("without %v, status %v", want, status)
	}
}
