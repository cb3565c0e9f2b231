package server

import (
	"cmp"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

// admit asks the limits about a request, and sets the quota's headers. Whoever
// is let in calls done when the request is over; what is refused uses up nothing.
func admit(limits limit.Limiter, h http.Header, store cohort.Store, route api.Route, ids api.IDs) (d limit.Decision, done func()) {
	r := limit.Request{Store: store.Hash, Operation: cmp.Or(route.Gate, route.Operation), AtOnce: route.AtOnce}
	if route.AtOnce > 1 && store.AtOnce > 0 { // one at a time is what an operation needs, not a default
		r.AtOnce = store.AtOnce
	}
	if rate := route.PerMinute; rate != (api.Rate{}) {
		r.PerPath, r.PerStore = rate.PerPath, rate.PerStore
		r.Path = ids[0].Text + "/" + ids[1].Text + "/" + ids[2].Text // all in which the paths differ
	}
	r.Quota, r.Metered = store.RequestQuota()
	d, done = limits.Admit(r)
	if r.Metered {
		setQuotaHeaders(h, d.Quota)
	}
	return d, done
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
