package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/prometheus/client_golang/prometheus"
)

// ready responds with 200 if requests can be served; with "?write" only if the
// database also accepts writes, for all stores. If it is spread over several servers, and
// some do not respond, the text says so: requests for the stores on the others are served.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, e *entry) {
	if err := s.svc.Ready(&e.ctx); err != nil {
		e.err = interrupted(err)
		api.WriteText(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	missing := s.svc.Complete(&e.ctx)
	if missing != nil {
		e.err = interrupted(missing)
	}
	if r.URL.Query().Has("write") && missing == nil {
		if err := s.svc.Writable(&e.ctx); err != nil {
			e.err = interrupted(err)
			api.WriteText(w, http.StatusServiceUnavailable, "the database cannot be written to")
			return
		}
	}
	switch {
	case missing == nil:
		api.WriteText(w, http.StatusOK, "ok")
	case r.URL.Query().Has("write"):
		api.WriteText(w, http.StatusServiceUnavailable, "the database cannot be written to")
	default:
		api.WriteText(w, http.StatusOK, "ok, but "+missingPart(missing))
	}
}

// missingPart says what of the database does not respond, without the addresses, which are
// in the log.
func missingPart(err error) string {
	if lost, ok := errors.AsType[*service.LostWorkersError](err); ok {
		return fmt.Sprintf("a part of the database does not answer: %d of its servers", len(lost.Workers))
	}
	return "the servers of the database do not say whether all of them answer"
}

// watchServers registers the metrics of a database that is spread over several servers.
func (m *Metrics) watchServers(svc *service.Service) {
	cluster, distributed := svc.Cluster()
	if !distributed {
		return
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_db_workers", Help: "Workers of Citus that have stores."},
			func() float64 { return float64(cluster.Workers) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cohort_db_workers_lost", Help: "Workers of Citus that do not respond; all, if that cannot be found out."},
			func() float64 { return lostWorkers(svc, cluster.Workers) }))
}

func lostWorkers(svc *service.Service, all int) float64 {
	err := svc.Complete(context.Background())
	if err == nil {
		return 0
	}
	if lost, ok := errors.AsType[*service.LostWorkersError](err); ok {
		return float64(len(lost.Workers))
	}
	return float64(all)
}

// watchWrites registers the counter of failed writes.
func (m *Metrics) watchWrites(svc *service.Service) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "cohort_db_write_failures_total", Help: "Writes that failed because the database did not accept them, or whose outcome is unknown."},
		func() float64 { return float64(svc.FailedWrites()) }))
}
