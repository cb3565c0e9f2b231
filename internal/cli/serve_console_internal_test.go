package cli

import (
	"net"
	"testing"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// The console counts among the expensive requests of the API: both share the processors.
func TestConsoleSharesTheLimitOfExpensiveRequests(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	svc := service.New(dbtest.SQLite(t))
	api := server.New(svc, server.Options{})
	for _, c := range []*serveCommand{{Dev: true}, {}} {
		if o := c.consoleOptions(svc, api, server.Options{}, l); o.Expensive == nil || o.Expensive != api.Expensive() {
			t.Errorf("with --dev=%t the console has the limit %p, the API %p", c.Dev, o.Expensive, api.Expensive())
		}
	}
}
