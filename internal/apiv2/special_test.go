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

// What scripts cannot show by themselves: the scripts in the folders of
// testdata need a server that no live one is, and pages need many groups.

// TestDates runs on a clock that moves a day with each POST and PUT, in a zone
// that is not UTC and with a fraction of a second that the wire does not show.
func TestDates(t *testing.T) {
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

// TestSitewide runs with a pricing that fails twice. It shows the 207 and what
// pricing gets to know.
func TestSitewide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pricing := &unreliablePricing{failures: 2}
		cohorttest.RunScripts(t, os.DirFS("testdata/pricing"), "*.txt", func(t *testing.T) cohorttest.Target {
			s := servertest.Start(t, d, server.Options{}, service.WithPricing(pricing))
			return cohorttest.Target{URL: s.URL, Vars: s.Vars(t)}
		})
		want := []string{"abc 1: 5 percent", "abc 1: 6 percent", "abc 1: 6 percent", "abc 1: none"}
		if diff := cmp.Diff(want, pricing.told); diff != "" {
			t.Errorf("pricing was told otherwise (-want +got):\n%s", diff)
		}
	})
}

// TestManaged runs on a store whose catalog is managed.
func TestManaged(t *testing.T) {
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

// TestPages: 50 groups to a page unless something else is said, 250 at most;
// the pages have every group once, by id.
func TestPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars := s.Vars(t)
		const groups = 251
		for range groups {
			if _, err := s.Service.CreateGroup(t.Context(), vars["store"], cohort.Group{Name: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		list := s.URL + "/stores/" + vars["store"] + "/v2/customer_groups"
		for query, want := range map[string]struct{ first, last int64 }{
			"":                  {1, 50},
			"?page=1":           {1, 50},
			"?page=2":           {51, 100},
			"?page=6":           {251, 251},
			"?limit=250":        {1, 250},
			"?limit=250&page=2": {251, 251},
			"?limit=100&page=3": {201, 251},
		} {
			ids := listIDs(t, list+query, vars["token"])
			var all []int64
			for id := want.first; id <= want.last; id++ {
				all = append(all, id)
			}
			if diff := cmp.Diff(all, ids); diff != "" {
				t.Errorf("%q (-want +got):\n%s", query, diff)
			}
		}
	})
}

// unreliablePricing fails as often as it is told to.
type unreliablePricing struct {
	failures int
	told     []string
}

func (p *unreliablePricing) SetSitewideDiscount(_ context.Context, storeHash string, groupID int64, rule *cohort.DiscountRule) error {
	what := "none"
	if rule != nil {
		what = fmt.Sprintf("%s %s", rule.Amount, rule.Method)
	}
	p.told = append(p.told, fmt.Sprintf("%s %d: %s", storeHash, groupID, what))
	if len(p.told) <= p.failures {
		return errors.New("pricing is away")
	}
	return nil
}
