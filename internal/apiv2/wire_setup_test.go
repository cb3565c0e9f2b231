package apiv2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// The scripts in the subdirectories of testdata need a server with a special setup, so
// they cannot run against a live server.

// TestWireDates uses a clock that advances one day with each POST and PUT, in a zone
// other than UTC, and with fractions of a second, which responses do not show.
func TestWireDates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		berlin := time.FixedZone("CEST", 2*60*60)
		var days atomic.Int32
		clock := func() time.Time {
			return time.Date(2023, 7, 16+int(days.Load()), 8, 30, 41, 999_000_000, berlin)
		}
		svc := service.New(d, service.WithClock(clock))
		h := server.New(svc, server.Options{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost || r.Method == http.MethodPut {
				days.Add(1)
			}
			h.ServeHTTP(w, r)
		}))
		defer s.Close()
		vars := (&servertest.Server{Service: svc}).Vars(t)
		cohorttest.RunScripts(t, os.DirFS("testdata/clock"), "*.txt", func(*testing.T) cohorttest.Target {
			return cohorttest.Target{URL: s.URL, Vars: vars}
		})
	})
}

// TestWireSitewide uses a pricing system that fails twice. It checks the 207 and the
// calls to the pricing system.
func TestWireSitewide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pricing := &unreliablePricing{failures: 2}
		cohorttest.RunScripts(t, os.DirFS("testdata/pricing"), "*.txt", func(t *testing.T) cohorttest.Target {
			s := servertest.Start(t, d, server.Options{}, service.WithPusher(pricing))
			return cohorttest.Target{URL: s.URL, Vars: s.Vars(t)}
		})
		want := []string{"abc 1: 5 percent", "abc 1: 6 percent", "abc 1: 6 percent", "abc 1: none"}
		if diff := cmp.Diff(want, pricing.calls); diff != "" {
			t.Errorf("calls to the pricing system (-want +got):\n%s", diff)
		}
	})
}

// TestWireManaged uses a store whose catalog Cohort manages.
func TestWireManaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars := s.Vars(t)
		managed := cohort.CatalogManaged
		if _, err := s.Service.UpdateStore(t.Context(), vars["store"], cohort.StoreUpdate{Catalog: &managed}); err != nil {
			t.Fatal(err)
		}
		cohorttest.RunScripts(t, os.DirFS("testdata/managed"), "*.txt", func(*testing.T) cohorttest.Target {
			return cohorttest.Target{URL: s.URL, Vars: vars}
		})
	})
}

// unreliablePricing fails the first calls.
type unreliablePricing struct {
	failures int
	calls    []string
}

func (p *unreliablePricing) PushSitewide(_ context.Context, d service.SitewideDiscount) error {
	discount := "none"
	if d.Rule != nil {
		discount = fmt.Sprintf("%s %s", d.Rule.Amount, d.Rule.Method)
	}
	p.calls = append(p.calls, fmt.Sprintf("%s %d: %s", d.StoreHash, d.GroupID, discount))
	if len(p.calls) <= p.failures {
		return errors.New("pricing is unavailable")
	}
	return nil
}
