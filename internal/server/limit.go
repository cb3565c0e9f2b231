package server

import (
	"cmp"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// limitsOf returns the limits that hold for a request.
func limitsOf(store cohort.Store, route api.Route, ids api.IDs) limit.Request {
	r := limit.Request{Store: store.Key, Operation: cmp.Or(route.ConcurrencyGroup, route.Operation), Concurrency: route.Concurrency}
	if route.Concurrency > 1 && store.Concurrency > 0 { // one at a time is what an operation needs, not a default
		r.Concurrency = store.Concurrency
	}
	if rate := route.PerMinute; rate != (api.Rate{}) {
		r.PerPath, r.PerStore = rate.PerPath, rate.PerStore
		r.Path = ids[0].Text + "/" + ids[1].Text + "/" + ids[2].Text // all in which the paths differ
	}
	r.Quota, r.Metered = store.RequestQuota()
	return r
}

// obey sets the quota's headers, and answers if the limits refuse the request.
func (e *endpoint) obey(w http.ResponseWriter, q limit.Request, d limit.Decision) (admitted bool) {
	if q.Metered {
		setQuotaHeaders(w.Header(), d.Quota)
	}
	if d.Refused == "" {
		return true
	}
	e.server.metrics.refused.WithLabelValues(d.Refused).Inc()
	refuseTooMany(w, d.RetryAfter)
	return false
}

// windowLength is the same for all answers.
var windowLength = []string{strconv.FormatInt(cohort.Window.Milliseconds(), 10)}

// setQuotaHeaders sets all four; a client fails when only some are there.
func setQuotaHeaders(h http.Header, u limit.Usage) {
	h["X-Rate-Limit-Time-Window-Ms"] = windowLength
	h["X-Rate-Limit-Time-Reset-Ms"] = []string{strconv.FormatInt(max(u.Reset.Milliseconds(), 0), 10)}
	h["X-Rate-Limit-Requests-Quota"] = []string{strconv.Itoa(u.Limit)}
	h["X-Rate-Limit-Requests-Left"] = []string{strconv.Itoa(u.Left)}
}
