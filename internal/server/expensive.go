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
	// expensiveWaiting is how many wait at most.
	expensiveWaiting = 128
	// expensiveWait is how long each waits at most.
	expensiveWait = 5 * time.Second
)

// expensiveConcurrency is how many run at once: one processor stays for the requests
// that take none for long.
func expensiveConcurrency(processors int) int { return max(processors-1, 1) }

func newWork() *limit.Work {
	return limit.NewWork(limit.WorkOptions{
		Name: limit.ExpensiveWork, Concurrency: expensiveConcurrency(limit.Processors()), Waiting: expensiveWaiting, Wait: expensiveWait,
	})
}

// work answers a request with the route's handler. An expensive one waits for a
// place in the process, and holds it until its answer is computed.
func (e *endpoint) work(w http.ResponseWriter, r *api.Request) error {
	if !e.route.Expensive {
		return e.route.Handle(w, r)
	}
	done, err := e.server.work.Begin(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	defer done()
	return e.route.Handle(&finisher{w, done}, r)
}

// finisher calls done before the first byte of an answer, so that a client that
// reads slowly holds no place.
type finisher struct {
	http.ResponseWriter
	done func()
}

func (f *finisher) WriteHeader(status int) {
	f.done()
	f.ResponseWriter.WriteHeader(status)
}

func (f *finisher) Write(b []byte) (int, error) {
	f.done()
	return f.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (f *finisher) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// refuseFull answers where a limit of the whole process is full. It reports
// whether err says so.
func (e *endpoint) refuseFull(w http.ResponseWriter, err error) bool {
	full, ok := errors.AsType[*limit.FullError](err)
	if !ok {
		return false
	}
	e.server.metrics.refused.WithLabelValues(full.Limit).Inc()
	refuseTooMany(w, full.RetryAfter)
	return true
}
