package apiv2_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/db/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// The scripts in the folders of testdata need a server that no live one is.

// TestDates runs on a clock that moves a day at a time, in a zone that is not
// UTC and with a fraction of a second that the wire does not show.
func TestDates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		berlin := time.FixedZone("CEST", 2*60*60)
		var now time.Time
		clock := func() time.Time {
			now = now.AddDate(0, 0, 1)
			return now
		}
		cohorttest.RunScripts(t, os.DirFS("testdata/clock"), "*.txt", func(t *testing.T) cohorttest.Target {
			s := servertest.Start(t, d, server.Options{}, service.WithClock(clock))
			vars := s.Vars(t)
			now = time.Date(2023, 7, 16, 8, 30, 41, 999_000_000, berlin)
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
