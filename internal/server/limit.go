package server

import (
	"cmp"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// limitsOf returns the limits that apply to a request.
func limitsOf(store cohort.Store, route api.Route, ids api.IDs) limit.Request {
	r := limit.Request{Store: store.Key, Operation: cmp.Or(route.ConcurrencyGroup, route.Operation), Concurrency: route.Concurrency}
	if route.Concurrency > 1 && store.Concurrency > 0 { // 1 is a requirement of the operation, not a default
		r.Concurrency = store.Concurrency
	}
	if rate := route.PerMinute; rate != (api.Rate{}) {
		r.PerPath, r.PerStore = rate.PerPath, rate.PerStore
		r.Path = ids[0].Text + "/" + ids[1].Text + "/" + ids[2].Text // all variable parts of the path
	}
	r.Quota, r.Metered = store.RequestQuota()
	return r
}

// enforce sets the quota headers. If the limits reject the request, it responds with
// 429 and returns false.
func (e *endpoint) enforce(w http.ResponseWriter, q limit.Request, d limit.Decision) (admitted bool) {
	if q.Metered {
		setQuotaHeaders(w.Header(), d.Quota)
	}
	if d.RejectedBy == "" {
		return true
	}
	e.server.metrics.rejected.WithLabelValues(d.RejectedBy).Inc()
	writeTooManyRequests(w, d.RetryAfter)
	return false
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
