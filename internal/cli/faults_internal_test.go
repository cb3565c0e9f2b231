package cli

import (
	"log/slog"
	"testing"
	"time"

	"cohort.example/cohort"
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

// The limits of a server with the control API follow the clocks that it changes.
func TestLimitsFollowTheClocks(t *testing.T) {
	svc := service.New(dbtest.SQLite(t))
	o := (&serveCommand{Dev: true}).options(svc, slog.New(slog.DiscardHandler), server.NewMetrics(), nil)
	for by, left := range map[time.Duration]int{cohort.Window - time.Second: 0, cohort.Window: 5} {
		if err := svc.Clocks().Freeze("a", time.Now()); err != nil {
			t.Fatal(err)
		}
		o.Memory.Refill("a")
		o.Memory.Exhaust("a", 5)
		if err := svc.Clocks().Advance("a", by); err != nil {
			t.Fatal(err)
		}
		if u := o.Memory.QuotaUsage("a", 5); u.Left != left {
			t.Errorf("after %v %d are left, want %d", by, u.Left, left)
		}
	}
}
