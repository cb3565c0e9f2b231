package control

import (
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// limits are the limits of a store in responses.
type limits struct {
	Plan        cohort.Plan `json:"plan"`
	Concurrency int         `json:"concurrency"` // 0: those of the operations
	Quota       *quota      `json:"quota"`       // null: none
	// Operations are the concurrency limits that PUT has set.
	Operations map[string]int `json:"operations"`
}

// quota is the quota of a store, and what is left of it.
type quota struct {
	Limit   int   `json:"limit"`
	Left    int   `json:"left"`
	ResetMS int64 `json:"reset_ms"`
}

func (a *API) getLimits(w http.ResponseWriter, r *http.Request) error {
	st, err := a.storeWithLimits(r)
	if err != nil {
		return err
	}
	return a.writeLimits(w, st)
}

// storeWithLimits returns the store of a request, or a problem if nodes share its limits.
func (a *API) storeWithLimits(r *http.Request) (cohort.Store, error) {
	if a.Limits == nil {
		return cohort.Store{}, &problem{status: http.StatusConflict, detail: "Nodes share the limits in Redis, so this API does not have them."}
	}
	return a.Service.Store(r.Context(), r.PathValue("hash"))
}

func (a *API) writeLimits(w http.ResponseWriter, st cohort.Store) error {
	wire := limits{Plan: st.Plan, Concurrency: st.Concurrency, Operations: a.Limits.Concurrency(st.Key)}
	if n, metered := st.RequestQuota(); metered {
		u := a.Limits.QuotaUsage(st.Key, n)
		wire.Quota = &quota{u.Limit, u.Left, u.Reset.Milliseconds()}
	}
	return writeOK(w, http.StatusOK, wire)
}

// limitsInput is the body of setLimits. What it leaves out does not change.
type limitsInput struct {
	Plan        *cohort.Plan `json:"plan"`
	Quota       *int         `json:"quota"`
	Concurrency *int         `json:"concurrency"`
	// Operations replaces the limits of all operations; {} restores their own.
	Operations map[string]int `json:"operations"`
}

func (a *API) setLimits(w http.ResponseWriter, r *http.Request) error {
	var in limitsInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	st, err := a.storeWithLimits(r)
	if err != nil {
		return err
	}
	operations, err := LimitedOperations(a.Dialects, in.Operations)
	if err != nil {
		return err
	}
	st, err = a.Service.UpdateStore(r.Context(), st.Key, cohort.StoreUpdate{Plan: in.Plan, Quota: in.Quota, Concurrency: in.Concurrency})
	if err != nil {
		return err
	}
	if in.Operations != nil {
		a.Limits.SetConcurrency(st.Key, operations)
	}
	return a.writeLimits(w, st)
}

// LimitedOperations returns concurrency limits by the names under which requests are
// counted: several operations may share one. Its errors are of type *cohort.Error.
func LimitedOperations(dialects []*api.Dialect, in map[string]int) (map[string]int, error) {
	names := map[string]string{}
	for _, d := range dialects {
		for _, r := range d.Routes {
			names[r.Operation] = r.CountedAs()
		}
	}
	operations := map[string]int{}
	for name, n := range in {
		counted, known := names[name]
		switch {
		case !known:
			return nil, cohort.Invalid("operations", fmt.Sprintf("There is no operation %q.", name))
		case n < 0 || n > cohort.MaxConcurrency:
			return nil, cohort.Invalid("operations", fmt.Sprintf("A limit must be from 0, which means none, to %d.", cohort.MaxConcurrency))
		}
		operations[counted] = n
	}
	return operations, nil
}

// exhaustLimits uses up the store's quota, so that the next request gets a 429.
func (a *API) exhaustLimits(w http.ResponseWriter, r *http.Request) error {
	st, err := a.storeWithLimits(r)
	if err != nil {
		return err
	}
	n, metered := st.RequestQuota()
	if !metered {
		return &problem{status: http.StatusConflict, detail: "The store has no quota. Set a plan or a quota first."}
	}
	a.Limits.Exhaust(st.Key, n)
	return a.writeLimits(w, st)
}

// refillLimits forgets what the store has used of its limits.
func (a *API) refillLimits(w http.ResponseWriter, r *http.Request) error {
	st, err := a.storeWithLimits(r)
	if err != nil {
		return err
	}
	a.Limits.Refill(st.Key)
	return a.writeLimits(w, st)
}
