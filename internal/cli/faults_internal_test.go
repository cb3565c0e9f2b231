package cli

import (
	"log/slog"
	"testing"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// A server has faults wherever it has the control API. Clients can ask for them with a
// header only in development.
func TestFaultOptions(t *testing.T) {
	svc := service.New(dbtest.SQLite(t))
	for name, test := range map[string]struct {
		command serveCommand
		faults  bool
		header  bool
	}{
		"neither":       {serveCommand{}, false, false},
		"control token": {serveCommand{ControlToken: "a control token"}, true, false},
		"development":   {serveCommand{Dev: true}, true, true},
	} {
		o := test.command.options(svc, slog.New(slog.DiscardHandler), server.NewMetrics(), nil)
		if (o.Faults != nil) != test.faults || o.FaultHeader != test.header {
			t.Errorf("%s: faults %v, header %v", name, o.Faults != nil, o.FaultHeader)
		}
	}
}
