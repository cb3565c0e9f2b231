package server

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// limitsOf returns the limits that apply to a request.
func limitsOf(store cohort.Store, route api.Route, ids api.IDs) limit.Request {
	r := limit.Request{Store: store.Key, Operation: route.CountedAs(), Concurrency: route.Concurrency}
	if route.Concurrency > 1 && store.Concurrency > 0 { // 1 is a requirement of the operation, not a default
		r.Concurrency = store.Concurrency
	}
	if rate := route.PerMinute; rate != (api.Rate{}) {
		r.PerPath, r.PerStore = rate.PerPath, rate.PerStore
		r.Path = variableParts(ids[0].Text, ids[1].Text, ids[2].Text)
	}
	r.Quota, r.Metered = store.RequestQuota()
	return r
}

// variableParts returns the variable parts of a path as one text.
func variableParts(first, second, third string) string { return first + "/" + second + "/" + third }

// counter returns the function that counts calls for a subject that only the handler
// knows. The count is that of a path with the subject as its only variable part.
func (e *endpoint) counter(store cohort.Store) func(api.SharedRate, string) error {
	return func(shared api.SharedRate, subject string) error {
		d, done := e.server.limits.Admit(limit.Request{
			Store: store.Key, Operation: shared.Operation, Path: variableParts(subject, "", ""),
			PerPath: shared.Rate.PerPath, PerStore: shared.Rate.PerStore,
		})
		done()
		if d.RejectedBy != "" {
			return &api.TooManyError{Limit: d.RejectedBy, RetryAfter: d.RetryAfter}
		}
		return nil
	}
}

// rejectTooMany responds with 429 if a handler has exceeded a rate limit.
func (e *endpoint) rejectTooMany(w http.ResponseWriter, err error) (rejected bool) {
	tooMany, ok := errors.AsType[*api.TooManyError](err)
	if !ok {
		return false
	}
	e.server.metrics.rejected.WithLabelValues(tooMany.Limit).Inc()
	writeTooManyRequests(w, tooMany.RetryAfter)
	return true
}

// enforce sets the quota headers. If the limits reject the request, it responds with
// 429 and returns false. The client waits for that response if it has got very many.
func (e *endpoint) enforce(w http.ResponseWriter, entry *entry, q limit.Request, d limit.Decision) (admitted bool) {
	if q.Metered {
		setQuotaHeaders(w.Header(), d.Quota)
	}
	if d.RejectedBy == "" {
		return true
	}
	e.server.metrics.rejected.WithLabelValues(d.RejectedBy).Inc()
	e.brake(entry, q.Store)
	writeTooManyRequests(w, d.RetryAfter)
	return false
}

// brake holds back the response to a rejected request, if the brake wants that, until the
// client leaves or the server is about to stop.
func (e *endpoint) brake(entry *entry, store string) {
	delay := e.server.brake.Delay(store)
	if delay == 0 {
		return
	}
	entry.body.release() // of no more use
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-entry.ctx.Done():
	case <-e.server.patience.Done():
	}
}

// windowLength is the same in all responses.
var windowLength = []string{strconv.FormatInt(cohort.Window.Milliseconds(), 10)}

// setQuotaHeaders always sets all four headers: there is a client that fails if only
// some are present.
func setQuotaHeaders(h http.Header, u limit.Usage) {
	h["X-Rate-Limit-Time-Window-Ms"] = windowLength
	h["X-Rate-Limit-Time-Reset-Ms"] = []string{strconv.FormatInt(max(u.Reset.Milliseconds(), 0), 10)}
	h["X-Rate-Limit-Requests-Quota"] = []string{strconv.Itoa(u.Limit)}
	h["X-Rate-Limit-Requests-Left"] = []string{strconv.Itoa(u.Left)}
}
