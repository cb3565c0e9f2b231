package service_test

import (
	"context"
	"strconv"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// The outbox tells another pricing system of the sitewide discount of a clone, once the
// clone is committed.
func TestClonedDiscountIsSent(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"}, service.WithPusher(newOtherPricing(t)))
		rules := []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5)}
		from := mustCreate(t, svc, "a", cohort.Group{Name: "from", DiscountRules: rules})
		plain := mustCreate(t, svc, "a", cohort.Group{Name: "without a discount"})
		clone := func(id int64, name string, dryRun bool) int64 {
			g, err := svc.CloneGroup(t.Context(), "a", id, name, dryRun)
			if err != nil {
				t.Fatal(err)
			}
			return g.ID
		}
		clone(from.ID, "dry", true)
		clone(plain.ID, "plain too", false)
		if jobs, err := svc.Outbox().List(t.Context(), "a", ""); err != nil || len(jobs) != 0 {
			t.Fatalf("jobs %+v, error %v", jobs, err)
		}
		id := clone(from.ID, "to", false)
		jobs, err := svc.Outbox().List(t.Context(), "a", "")
		if err != nil || len(jobs) != 1 || jobs[0].Subject != strconv.FormatInt(id, 10) {
			t.Errorf("jobs %+v, error %v", jobs, err)
		}
		select {
		case <-svc.Outbox().Woken():
		default:
			t.Error("no worker was woken")
		}
	})
}

// Price lists are deleted while groups that have them are cloned. No clone keeps a list that
// is gone, and each rule matches the assignments.
func TestClonesDuringDeletionsOfLists(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		ctx := context.Background()
		if _, err := s.UpdateStore(ctx, "a", cohort.StoreUpdate{Catalog: new(cohort.CatalogManaged)}); err != nil {
			t.Fatal(err)
		}
		const rounds = 4
		for round := range rounds {
			list, err := s.CreatePriceList(ctx, "a", cohort.PriceList{Name: string(rune('a' + round))})
			if err != nil {
				t.Fatal(err)
			}
			from := s.group(t, cohort.Group{DiscountRules: listRule(list.ID)})
			for _, err := range together(5, func(i int) error {
				if i == 0 {
					return s.DeletePriceList(ctx, "a", list.ID)
				}
				_, err := s.CloneGroup(ctx, "a", from, string(rune('a'+round))+strconv.Itoa(i), false)
				return err
			}) {
				if err != nil {
					t.Error(err)
				}
			}
		}
		wantRulesMatch(t, s.db, "a", true)
		groups, err := s.ListGroups(ctx, "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 100})
		if err != nil || len(groups) != 5*rounds {
			t.Errorf("%d groups, error %v", len(groups), err)
		}
	})
}
