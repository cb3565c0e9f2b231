package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
)

// entry is what becomes of one request in the log and the metrics.
type entry struct {
	recorder  *recorder
	requestID string
	operation string // empty: no route matched
	store     string // empty: not let in
	err       error
}

type entryKey struct{}

func entryOf(r *http.Request) *entry { return r.Context().Value(entryKey{}).(*entry) }

// status is the status that was sent, 0 when none was yet.
func (e *entry) status() int { return e.recorder.status }

// observe gives each request its id, and logs and counts it when it is done.
// Neither queries nor headers and bodies are logged: they hold tokens and
// people's data.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		e := &entry{recorder: &recorder{ResponseWriter: w}, requestID: rand.Text()}
		w.Header().Set("X-Request-Id", e.requestID)
		s.metrics.inFlight.Inc()
		defer func() {
			s.metrics.inFlight.Dec()
			took := time.Since(start)
			operation := e.operation
			if operation == "" {
				operation = "none"
			}
			s.metrics.requests.WithLabelValues(operation, strconv.Itoa(e.status())).Inc()
			s.metrics.duration.WithLabelValues(operation).Observe(took.Seconds())
			s.log.LogAttrs(context.WithoutCancel(r.Context()), e.level(), "request", e.attrs(r, operation, took)...)
		}()
		next.ServeHTTP(e.recorder, r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
	})
}

// attrs is the log line. Attributes that say nothing are left out.
func (e *entry) attrs(r *http.Request, operation string, took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", e.requestID), slog.String("method", r.Method),
		slog.String("operation", operation), slog.Int("status", e.status()),
		slog.Int64("bytes", e.recorder.bytes), slog.Duration("took", took),
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
	return attrs
}

// level is Error for what an operator should look at.
func (e *entry) level() slog.Level {
	switch {
	case e.clientLeft():
		return slog.LevelInfo
	case e.status() >= 500 || e.status() == 0:
		return slog.LevelError
	case e.status() == http.StatusMultiStatus:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// logged is the error, unless it is the caller's fault and the answer said it:
// its text may quote what the caller sent.
func (e *entry) logged() error {
	if e.status() >= 500 || e.status() == http.StatusMultiStatus || cohort.KindOf(e.err) == cohort.KindInternal {
		return e.err
	}
	return nil
}

func (e *entry) clientLeft() bool { return errors.Is(e.err, context.Canceled) }

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
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
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

// Unwrap lets http.ResponseController find the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
