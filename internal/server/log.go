package server

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"cohort.example/cohort"
)

// entry is what the server knows of one request while it is under way, and what
// becomes of it in the log and the metrics.
type entry struct {
	recorder
	start     time.Time
	requestID [1]string // in the form that a header's values have
	path      requestPath
	operation *operation // nil: no route matched
	store     string     // empty: not let in
	token     string     // its id; empty: no token, or one that nobody has
	client    netip.Addr // not valid: there is no network
	flood     bool       // one of many that fail alike, of which the log has a word already
	err       error

	request    *http.Request
	work       work
	body       body
	bodyLeft   bool // nothing is to be done about the rest of the body any more
	bodyFailed bool // reading it ended with an error
	broken     bool // the error came when a part of the answer was sent
}

// observe answers a request, and logs and counts it when it is done. Neither
// queries nor headers and bodies are logged: they hold tokens and people's data.
func (s *Server) observe(w http.ResponseWriter, r *http.Request) {
	e := &entry{recorder: recorder{ResponseWriter: w}, start: time.Now(), request: r}
	e.work.request, e.work.cutOff = r.Context(), s.cutOff
	e.work.start, e.work.multiplex = e.start, r.ProtoMajor > 1
	e.requestID[0] = newRequestID()
	e.client = s.proxies.client(r)
	w.Header()["X-Request-Id"] = e.requestID[:]
	if r.TLS != nil {
		w.Header()["Strict-Transport-Security"] = strictTransport
	}
	s.metrics.inFlight.Inc()
	defer s.finish(e, r)
	if !s.refuseHost(e, r) {
		s.compress(e, r)
	}
}

func (s *Server) finish(e *entry, r *http.Request) {
	s.metrics.inFlight.Dec()
	e.work.release()
	if e.clientLeft() {
		e.status = statusClientGone
	}
	if e.operation == nil {
		e.operation = s.none
	}
	now := time.Now()
	took := now.Sub(e.start)
	e.operation.count(e.status, took)
	ctx := context.WithoutCancel(r.Context())
	if level := e.level(); s.log.Enabled(ctx, level) {
		// Not by the logger's own methods, which find out from which line of
		// the code they were called. It is always this one.
		line := slog.NewRecord(now, level, "request", 0)
		e.describe(&line, r, took)
		_ = s.log.Handler().Handle(ctx, line) // nobody is there to be told
	}
}

// newRequestID returns 26 letters and digits that no other request has. They
// name a request and open nothing, so they need not come from crypto/rand,
// which takes twice as long.
func newRequestID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 13 {
		id[i], id[13+i] = alphabet[a%32], alphabet[b%32]
		a, b = a/32, b/32
	}
	return string(id[:])
}

// describe fills in the log line. Attributes that say nothing are left out.
func (e *entry) describe(line *slog.Record, r *http.Request, took time.Duration) {
	var room [12]slog.Attr // for all there can be, so that they are added at once
	attrs := append(room[:0],
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
		// The path of a request that was let in has nothing in it but the store
		// and ids. In any other there may be anything, people's data too.
		attrs = append(attrs, slog.String("store", e.store), slog.String("path", shorten(r.URL.Path)))
	}
	if id := r.Header.Get("X-Correlation-Id"); id != "" {
		attrs = append(attrs, slog.String("correlation_id", shorten(id)))
	}
	if err := e.logged(); err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	line.AddAttrs(attrs...)
}

// level is Error for what an operator should look at, and Debug for what would
// drown the rest.
func (e *entry) level() slog.Level {
	switch {
	case e.flood:
		return slog.LevelDebug
	case e.clientLeft():
		return slog.LevelInfo
	case e.status >= 500 || e.status == 0 || e.broken:
		return slog.LevelError
	case e.status == http.StatusMultiStatus:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// logged is the error, unless it is the caller's fault and the answer said it:
// its text may quote what the caller sent.
func (e *entry) logged() error {
	if e.status >= 500 || e.broken || e.status == http.StatusMultiStatus || cohort.KindOf(e.err) == cohort.KindInternal {
		return e.err
	}
	return nil
}

// clientLeft reports whether the request failed because its client is gone.
func (e *entry) clientLeft() bool { return e.err != nil && e.work.gone.Load() }

// shorten bounds what a client can put into one log line.
func shorten(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// recorder notes what is sent.
type recorder struct {
	http.ResponseWriter
	status  int // 0: nothing was sent yet
	bytes   int64
	gzipped bool // by a compressor in front, which decides on its own when
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	if r.gzipped {
		weakenETag(r.Header())
	}
	r.ResponseWriter.WriteHeader(status)
}

// weakenETag makes an answer's ETag weak, because a strong one names the bytes
// that are sent, and those of a compressed answer are others. The 304 to a
// client who would get a compressed answer has to have the same ETag as that.
func weakenETag(h http.Header) {
	if tag := h.Get("Etag"); strings.HasPrefix(tag, `"`) {
		h.Set("Etag", "W/"+tag)
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
