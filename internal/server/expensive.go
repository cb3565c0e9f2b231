package server

import (
	"errors"
	"net/http"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// Bounds of expensive requests in the whole process.
const (
	// expensiveWaiting is how many requests wait at most.
	expensiveWaiting = 128
	// expensiveWait is how long a request waits at most.
	expensiveWait = 5 * time.Second
)

// expensiveConcurrency is how many expensive requests run concurrently. It leaves one
// processor for all other requests.
func expensiveConcurrency(processors int) int { return max(processors-1, 1) }

func newExpensiveQueue() *limit.FairQueue {
	return limit.NewFairQueue(limit.FairQueueOptions{
		Name: limit.ExpensiveRequests, Concurrency: expensiveConcurrency(limit.Processors()), Waiting: expensiveWaiting, Wait: expensiveWait,
	})
}

// Expensive returns the limit of expensive requests, for other handlers of the process.
func (s *Server) Expensive() *limit.FairQueue { return s.expensive }

// run runs the route's handler. An expensive request first waits for a slot, and
// holds it until its response is computed.
func (e *endpoint) run(w http.ResponseWriter, r *api.Request, entry *entry) error {
	if !e.route.Expensive {
		return e.call(w, r, entry)
	}
	release, err := e.server.expensive.Acquire(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	defer release()
	return e.call(&releasingWriter{w, release}, r, entry)
}

// releasingWriter releases the slot before the first byte of the response, so that a
// client that reads slowly holds no slot.
type releasingWriter struct {
	http.ResponseWriter
	release func()
}

func (w *releasingWriter) WriteHeader(status int) {
	w.release()
	w.ResponseWriter.WriteHeader(status)
}

func (w *releasingWriter) Write(b []byte) (int, error) {
	w.release()
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *releasingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// rejectFull responds with 429 if err is the error of a process-wide limit. It
// reports whether it has responded.
func (e *endpoint) rejectFull(w http.ResponseWriter, err error) bool {
	full, ok := errors.AsType[*limit.FullError](err)
	if !ok {
		return false
	}
	e.server.metrics.rejected.WithLabelValues(full.Limit).Inc()
	writeTooManyRequests(w, full.RetryAfter)
	return true
}
