package control

import (
	"net/http"
	"time"

	"cohort.example/cohort"
)

// health says what the server is.
func (a *API) health(w http.ResponseWriter, r *http.Request) error {
	if err := a.Service.Ready(r.Context()); err != nil {
		return &problem{status: http.StatusServiceUnavailable, detail: "The database does not answer."}
	}
	return writeOK(w, http.StatusOK, map[string]any{
		"version": a.Version, "date_started": a.started.UTC().Truncate(time.Second),
		"uptime_seconds": int64(a.Now().Sub(a.started).Seconds()),
	})
}

// operation is an operation of the vendor's API in responses.
type operation struct {
	Operation   string       `json:"operation"`
	Method      string       `json:"method"`
	Path        string       `json:"path"` // after the store
	Scope       cohort.Scope `json:"scope"`
	Concurrency int          `json:"concurrency"` // 0: no limit
}

// listOperations lists the operations below /stores, under the names of the OpenAPI
// document.
func (a *API) listOperations(w http.ResponseWriter, _ *http.Request) error {
	var list []operation
	for _, d := range a.Dialects {
		for _, r := range d.Routes {
			list = append(list, operation{r.Operation, r.Method, d.Prefix + r.Path, r.Scope, r.Concurrency})
		}
	}
	return writeOK(w, http.StatusOK, map[string]any{"operations": list})
}
