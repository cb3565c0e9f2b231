package server

import (
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// limits is what a store may do: how many requests at once, how many in a
// window, and how often operations with a rate of their own can be called.
// They are kept in memory and so hold for one node.
type limits struct {
	gate   *gate
	quotas *window
	rates  *window
}

func newLimits(now func() time.Time) *limits {
	return &limits{gate: newGate(), quotas: newWindow(cohort.Window, now), rates: newWindow(time.Minute, now)}
}

// refused is a request that a limit does not let in.
type refused struct {
	limit      string // which one, for the metrics
	retryAfter int    // seconds
}

// admit counts a request, and sets the quota's headers. It returns a function
// to call when the request is done, or how it is refused; what is refused uses
// up nothing.
func (l *limits) admit(h http.Header, store cohort.Store, route api.Route, ids api.IDs) (release func(), no *refused) {
	atOnce := route.AtOnce
	if atOnce > 0 && store.AtOnce > 0 {
		atOnce = store.AtOnce
	}
	release, ok := l.gate.enter(store.Hash, route.Operation, atOnce)
	if !ok {
		release, no = func() {}, &refused{limit: "at_once", retryAfter: 1}
	}
	if no == nil {
		no = l.takeRate(store.Hash, route, ids)
	}
	if quota, metered := store.RequestQuota(); metered {
		no = l.takeQuota(h, store.Hash, quota, no)
	}
	if no != nil {
		release()
	}
	return release, no
}

// takeQuota uses up one request of the quota, unless the request is refused
// already, and sets the headers in either case.
func (l *limits) takeQuota(h http.Header, store string, quota int, no *refused) *refused {
	if no != nil {
		setQuotaHeaders(h, l.quotas.look(store, quota))
		return no
	}
	u, ok := l.quotas.take(store, quota)
	setQuotaHeaders(h, u)
	if !ok {
		return &refused{limit: "quota", retryAfter: u.retryAfter()}
	}
	return nil
}

// takeRate uses up one call of the operation's rates, the store's first: when
// that is gone, nothing is kept per path. A call that is let in here and meets
// the end of the quota is counted all the same; it is only ever too strict.
func (l *limits) takeRate(store string, route api.Route, ids api.IDs) *refused {
	rate := route.PerMinute
	if rate == (api.Rate{}) {
		return nil
	}
	storeKey := route.Operation + " " + store
	pathKey := storeKey + "/" + ids[0].Digits + "/" + ids[1].Digits // all in which its paths differ
	if u := l.rates.look(pathKey, rate.PerPath); u.left == 0 {
		return &refused{limit: "rate", retryAfter: u.retryAfter()}
	}
	if u, ok := l.rates.take(storeKey, rate.PerStore); !ok {
		return &refused{limit: "rate", retryAfter: u.retryAfter()}
	}
	if u, ok := l.rates.take(pathKey, rate.PerPath); !ok {
		return &refused{limit: "rate", retryAfter: u.retryAfter()}
	}
	return nil
}

// windowLength is the same for all answers.
var windowLength = []string{strconv.FormatInt(cohort.Window.Milliseconds(), 10)}

// setQuotaHeaders sets all four; a client fails when only some are there.
func setQuotaHeaders(h http.Header, u usage) {
	h["X-Rate-Limit-Time-Window-Ms"] = windowLength
	h["X-Rate-Limit-Time-Reset-Ms"] = []string{strconv.FormatInt(max(u.reset.Milliseconds(), 0), 10)}
	h["X-Rate-Limit-Requests-Quota"] = []string{strconv.Itoa(u.limit)}
	h["X-Rate-Limit-Requests-Left"] = []string{strconv.Itoa(u.left)}
}
