package server

import (
	"net/http"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// ready answers 200 while requests can be served, and with "?write" only while
// changes can be made, too.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, e *entry) {
	if err := s.svc.Ready(&e.work); err != nil {
		e.err = interrupted(err)
		api.WriteText(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	if r.URL.Query().Has("write") {
		if err := s.svc.Writable(&e.work); err != nil {
			e.err = interrupted(err)
			api.WriteText(w, http.StatusServiceUnavailable, "the database cannot be written to")
			return
		}
	}
	api.WriteText(w, http.StatusOK, "ok")
}

// watchWrites tells of writes that fail.
func (m *Metrics) watchWrites(svc *service.Service) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "cohort_db_write_failures_total", Help: "Changes that failed because the database could not be written to, or whose outcome is unknown."},
		func() float64 { return float64(svc.FailedWrites()) }))
}
