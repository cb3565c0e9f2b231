package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// halfReceiver fails for messages about groups with odd ids.
type halfReceiver struct{ sent chan struct{} }

func (halfReceiver) CheckDestination(string) error { return nil }

func (r halfReceiver) Send(_ context.Context, a service.HookAttempt) (answer service.HookAnswer) {
	if strings.Contains(string(a.Body), `"id":1}`) || strings.Contains(string(a.Body), `"id":3}`) {
		answer.Err = errors.New("odd id")
	}
	r.sent <- struct{}{}
	return answer
}

// A server that sends webhooks has metrics of them; without a database it has no gauge.
func TestHookMetrics(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m, to := server.NewMetrics(), halfReceiver{make(chan struct{})}
		svc := service.New(d, service.WithHookSender(to))
		server.New(svc, server.Options{Metrics: m})
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		h := cohort.Hook{ClientID: "one", Scope: "store/customerGroup/created", Destination: "https://example.com/", Active: true}
		if _, err := svc.CreateHook(t.Context(), "a", h); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: fmt.Sprint("group ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		deliver(t, svc, to, 3)
		want := []string{
			`cohort_webhook_attempts_total{outcome="delivered"} 1`, `cohort_webhook_attempts_total{outcome="failed"} 0`,
			`cohort_webhook_attempts_total{outcome="repeated"} 2`, "cohort_webhook_waiting 2", "cohort_webhook_lag_seconds_count 3",
		}
		if diff := cmp.Diff(want, scrapedHooks(m)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append(want[:3:3], want[4]), scrapedHooks(m)); diff != "" {
			t.Errorf("without a database (-want +got):\n%s", diff)
		}
	})
	m := server.NewMetrics()
	server.New(service.New(dbtest.SQLite(t)), server.Options{Metrics: m})
	if got := scrapedHooks(m); len(got) != 0 {
		t.Errorf("a server that sends none: %q", got)
	}
}

// deliver sends webhooks until some attempts are made, and their outcomes are written down.
func deliver(t *testing.T, svc *service.Service, to halfReceiver, attempts int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	var running sync.WaitGroup
	running.Go(func() { svc.Outbox().Run(ctx, log) })
	running.Go(func() { svc.RunHooks(ctx, log) })
	for range attempts {
		<-to.sent
	}
	stop()
	running.Wait()
}

func scrapedHooks(m *server.Metrics) (lines []string) {
	for _, metric := range []string{"attempts_total", "waiting", "lag_seconds_count"} {
		lines = append(lines, scraped(m, "cohort_webhook_"+metric)...)
	}
	return lines
}
