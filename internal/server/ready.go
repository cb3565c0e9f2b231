package server

import (
	"net/http"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// ready responds with 200 if requests can be served; with "?write" only if the
// database also accepts writes.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, e *entry) {
	if err := s.svc.Ready(&e.ctx); err != nil {
		e.err = interrupted(err)
		api.WriteText(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	if r.URL.Query().Has("write") {
		if err := s.svc.Writable(&e.ctx); err != nil {
			e.err = interrupted(err)
			api.WriteText(w, http.StatusServiceUnavailable, "the database cannot be written to")
			return
		}
	}
	api.WriteText(w, http.StatusOK, "ok")
}

// watchWrites registers the counter of failed writes.
func (m *Metrics) watchWrites(svc *service.Service) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "cohort_db_write_failures_total", Help: "Writes that failed because the database did not accept them, or whose outcome is unknown."},
		func() float64 { return float64(svc.FailedWrites()) }))
}
