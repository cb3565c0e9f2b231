package server_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// halfPricing fails for groups with odd ids.
type halfPricing struct{}

func (halfPricing) PushSitewide(_ context.Context, d service.SitewideDiscount) error {
	if d.GroupID%2 == 1 {
		return errors.New("odd id")
	}
	return nil
}

// A server with a pricing system has metrics of its jobs; without one it has none.
func TestJobMetrics(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := server.NewMetrics()
		svc := service.New(d, service.WithPusher(halfPricing{}))
		server.New(svc, server.Options{Metrics: m})
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "of-jobs"}); err != nil {
			t.Fatal(err)
		}
		rules := []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}}
		for i := range 3 {
			if _, err := svc.CreateGroup(t.Context(), "of-jobs", cohort.Group{Name: fmt.Sprint("group ", i), DiscountRules: rules}); err != nil && cohort.KindOf(err) != cohort.KindPartial {
				t.Fatal(err)
			}
		}
		want := []string{"cohort_jobs_dead 0", "cohort_jobs_delivered_total 1", "cohort_jobs_failed_total 2", "cohort_jobs_waiting 2"}
		if diff := cmp.Diff(want, scrapedJobs(m)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		want = []string{"cohort_jobs_delivered_total 1", "cohort_jobs_failed_total 2"}
		if diff := cmp.Diff(want, scrapedJobs(m)); diff != "" {
			t.Errorf("without a database (-want +got):\n%s", diff)
		}
	})
	m := server.NewMetrics()
	server.New(service.New(dbtest.SQLite(t)), server.Options{Metrics: m})
	if got := scrapedJobs(m); len(got) != 0 {
		t.Errorf("without a pricing system: %q", got)
	}
}

func scrapedJobs(m *server.Metrics) (lines []string) {
	for _, metric := range []string{"dead", "delivered_total", "failed_total", "waiting"} {
		lines = append(lines, scraped(m, "cohort_jobs_"+metric)...)
	}
	return lines
}
