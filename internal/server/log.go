package server

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/vendorapi"

	"go.opentelemetry.io/otel/trace"
)

// entry is the state of one running request, for its log line and its metrics too.
type entry struct {
	recorder
	start      time.Time
	requestID  [1]string // a slice of it is the value of a header
	path       requestPath
	operation  *operation           // nil: no route matched
	unserved   *vendorapi.Operation // what the vendor has there; nil: a route matched, or nothing is known
	store      string               // empty: not authenticated
	token      string               // the token's id; empty: no token, or an unknown one
	client     netip.Addr           // invalid: no network connection
	tool       string               // of the MCP server; "": none
	fault      string               // the id of the fault rule that applied; see beginFault
	check      journal.Check        // that ended the request before its operation; "": none
	suppressed bool                 // log at debug level only: one of many requests with unknown tokens
	err        error

	request      *http.Request
	ctx          requestContext
	body         body
	bodyFinished bool       // the body was read to its end, or finishBody has run
	bodyFailed   bool       // reading the body returned an error
	broken       bool       // err occurred after part of the response was sent
	recording    *recording // for the journal; nil: none
	span         trace.Span // nil: not traced
}

// observe serves a request, then logs and counts it. Queries, headers and bodies are
// not logged: they contain tokens and personal data.
func (s *Server) observe(w http.ResponseWriter, r *http.Request) {
	e := &entry{recorder: recorder{ResponseWriter: w}, start: time.Now(), request: r}
	e.ctx.request, e.ctx.cutOff = r.Context(), s.cutOff
	e.ctx.start, e.ctx.http2 = e.start, r.ProtoMajor > 1
	e.requestID[0] = newRequestID()
	e.client = s.proxies.client(r)
	if s.tracer != nil {
		r = s.beginTrace(r, e)
		e.request, e.ctx.request = r, r.Context()
	}
	w.Header()["X-Request-Id"] = e.requestID[:]
	if r.TLS != nil && !api.IsLoopback(r.Host) {
		w.Header()["Strict-Transport-Security"] = strictTransport
	}
	s.metrics.inFlight.Inc()
	defer s.finish(e, r)
	if !s.rejectHost(e, r) {
		s.compress(e, r)
	}
}

func (s *Server) finish(e *entry, r *http.Request) {
	s.metrics.inFlight.Dec()
	e.ctx.release()
	if e.clientLeft() {
		e.status = statusClientGone
	}
	if e.operation == nil {
		e.operation = s.none
	}
	if e.span != nil {
		e.endTrace()
	}
	now := time.Now()
	took := now.Sub(e.start)
	e.operation.count(e.status, took)
	e.recording.keep(r, took, s.none)
	if e.unserved != nil {
		s.metrics.unserved.WithLabelValues(e.unserved.Family).Inc()
	}
	ctx := context.WithoutCancel(r.Context())
	if level := e.level(); s.log.Enabled(ctx, level) {
		// The methods of slog.Logger would look up the source line of the caller,
		// which is always this one.
		line := slog.NewRecord(now, level, "request", 0)
		e.describe(&line, r, took)
		_ = s.log.Handler().Handle(ctx, line) // an error of the log has nowhere to go
	}
}

// newRequestID returns a unique id of 32 hexadecimal digits, as the vendor has them. It
// is not a secret, so it does not use crypto/rand, which takes twice as long.
func newRequestID() string {
	const digits = "0123456789abcdef"
	var id [32]byte
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 16 {
		id[i], id[16+i] = digits[a%16], digits[b%16]
		a, b = a/16, b/16
	}
	return string(id[:])
}

// notServed explains the 404 of an operation that the vendor has.
const notServed = "known to the vendor, not served here"

// describe adds the attributes of the log line. It omits empty attributes.
func (e *entry) describe(line *slog.Record, r *http.Request, took time.Duration) {
	var buf [14]slog.Attr // for all attributes, so that one call adds them
	attrs := append(buf[:0],
		slog.String("request_id", e.requestID[0]), slog.String("method", r.Method),
		slog.String("operation", e.operation.name), slog.Int("status", e.status),
		slog.Int64("bytes", e.bytes), slog.Duration("took", took))
	if e.client.IsValid() {
		attrs = append(attrs, slog.String("client", e.client.String()))
	}
	if e.token != "" {
		attrs = append(attrs, slog.String("token", e.token))
	}
	if e.store != "" {
		// The path of an authenticated request matches a route, so it contains the
		// store and ids only. Any other path may contain personal data.
		attrs = append(attrs, slog.String("store", e.store), slog.String("path", shorten(r.URL.Path)))
	}
	if e.unserved != nil {
		// The operation's own path, because that of the request may contain personal data.
		attrs = append(attrs, slog.String("reason", notServed), slog.String("vendor_operation", e.unserved.String()))
	}
	if id := r.Header.Get("X-Correlation-Id"); id != "" {
		attrs = append(attrs, slog.String("correlation_id", shorten(id)))
	}
	if e.span != nil {
		attrs = append(attrs, slog.String("trace_id", e.span.SpanContext().TraceID().String()))
	}
	if e.tool != "" {
		attrs = append(attrs, slog.String("tool", e.tool))
	}
	if e.fault != "" {
		attrs = append(attrs, slog.String("fault", e.fault))
	}
	if err := e.logged(); err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	line.AddAttrs(attrs...)
}

// level is Error for requests that an operator should look at, and Debug for those
// that would flood the log.
func (e *entry) level() slog.Level {
	switch {
	case e.suppressed:
		return slog.LevelDebug
	case e.clientLeft(), e.fault != "" && (e.err == nil || cohort.KindOf(e.err) != cohort.KindInternal): // a failure on purpose
		return slog.LevelInfo
	case e.status >= 500 || e.status == 0 || e.broken:
		return slog.LevelError
	case e.status == http.StatusMultiStatus:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// logged returns the error for the log. It omits errors of the caller, which the
// response has and whose text may quote the request.
func (e *entry) logged() error {
	if e.status >= 500 || e.broken || e.status == http.StatusMultiStatus || cohort.KindOf(e.err) == cohort.KindInternal {
		return e.err
	}
	return nil
}

// clientLeft reports whether the request failed because its client has gone.
func (e *entry) clientLeft() bool { return e.err != nil && e.ctx.gone.Load() }

// shorten bounds the text of a client in one log line.
func shorten(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// recorder records status and size of a response.
type recorder struct {
	http.ResponseWriter
	status  int // 0: nothing has been sent
	bytes   int64
	gzipped bool // the compressor writes to this recorder
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	if r.gzipped && (status == http.StatusNotModified || r.Header().Get("Content-Encoding") != "") {
		api.TagGzip(r.Header())
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
