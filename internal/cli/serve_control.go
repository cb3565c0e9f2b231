package cli

import (
	"log/slog"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// minControlToken is the length that a control token must have.
const minControlToken = 16

// options returns the options of the server. The flags have been checked.
func (c *serveCommand) options(svc *service.Service, log *slog.Logger, m *server.Metrics, limits *limit.Shared) server.Options {
	proxies, _ := server.ParseTrustedProxies(c.TrustedProxies)
	o := server.Options{Log: log, Metrics: m, Limits: limits, TrustedProxies: proxies, LoopbackOnly: c.devIsLocal()}
	if c.devIsLocal() || c.ControlToken != "" {
		version, _ := buildVersion()
		if limits == nil {
			o.Memory = limit.NewMemoryWithClocks(svc.Now)
		}
		o.Faults, o.FaultHeader, o.Journal = &fault.Set{}, c.Dev, journal.New()
		o.Control = control.New(control.Options{
			Service: svc, Limits: o.Memory, Faults: o.Faults, Journal: o.Journal,
			Token: c.ControlToken, Dialects: server.Dialects(svc), Version: version, Log: log,
		})
	}
	return o
}
