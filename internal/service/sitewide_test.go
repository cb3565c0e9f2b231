package service_test

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSitewideHandOver goes through the changes of a group's rules and holds
// when pricing is told, and what.
func TestSitewideHandOver(t *testing.T) {
	type rules = []cohort.DiscountRule
	five, ten := percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleAll, 0, 10)
	category := percentOff(cohort.RuleCategory, 3, 5)
	list := cohort.DiscountRule{Type: cohort.RulePriceList, TargetID: 1}
	to := func(r ...cohort.DiscountRule) cohort.GroupUpdate {
		r = append(rules{}, r...)
		return cohort.GroupUpdate{DiscountRules: &r}
	}
	const told = true
	tests := []struct {
		name   string
		before rules
		update cohort.GroupUpdate
		told   bool
		rule   *cohort.DiscountRule // nil: that there is none any more
	}{
		{"added", nil, to(five), told, &five},
		{"added beside others", rules{category}, to(category, five), told, &five},
		{"added instead of a price list", rules{list}, to(five), told, &five},
		{"changed", rules{five}, to(ten), told, &ten},
		{"repeated, which is how to try again", rules{five}, to(five), told, &five},
		{"repeated while others change", rules{five, category}, to(five), told, &five},
		{"removed with all others", rules{five, category}, to(), told, nil},
		{"removed alone", rules{category, five}, to(category), told, nil},
		{"removed for a price list", rules{five}, to(list), told, nil},
		{"never there", rules{category}, to(list), !told, nil},
		{"never there, none now", nil, to(), !told, nil},
		{"update of something else", rules{five}, cohort.GroupUpdate{Name: new("new"), IsDefault: new(true)}, !told, nil},
		{"update of nothing", rules{five}, cohort.GroupUpdate{}, !told, nil},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPricing(p))
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				g := mustCreate(t, svc, "a", cohort.Group{Name: "x", DiscountRules: tt.before})
				p.calls = nil
				mustUpdate(t, svc, "a", g.ID, tt.update)
				var want []handOver
				if tt.told {
					want = []handOver{{"a", g.ID, tt.rule}}
				}
				if diff := cmp.Diff(want, p.calls, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("told to pricing (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestSitewideHandOverOnceOrNever(t *testing.T) {
	five := percentOff(cohort.RuleAll, 0, 5)
	category := percentOff(cohort.RuleCategory, 3, 5)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPricing(p))
		mustCreate(t, svc, "a", cohort.Group{Name: "none"})
		mustCreate(t, svc, "a", cohort.Group{Name: "category", DiscountRules: []cohort.DiscountRule{category}})
		if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{DiscountRules: []cohort.DiscountRule{five}}); err == nil {
			t.Error("a group without a name is accepted")
		}
		if _, err := svc.CreateGroup(t.Context(), "none", cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{five}}); err == nil {
			t.Error("a group without a store is accepted")
		}
		if len(p.calls) != 0 {
			t.Errorf("pricing was told %v", p.calls)
		}

		g := mustCreate(t, svc, "a", cohort.Group{Name: "all", DiscountRules: []cohort.DiscountRule{category, five}})
		// The one call there is; neither a refused change nor the end of the group
		// makes another.
		want := []handOver{{"a", g.ID, &five}}
		_, err := svc.UpdateGroup(t.Context(), "a", g.ID, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{five, five}})
		wantKind(t, err, cohort.KindInvalid)
		if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, p.calls); diff != "" {
			t.Errorf("told to pricing (-want +got):\n%s", diff)
		}
	})
}

func TestPricingIsToldAfterTheCommit(t *testing.T) {
	five, ten := percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleAll, 0, 10)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPricing(p))
		p.during = func(ctx context.Context, h handOver) {
			g, err := svc.Group(ctx, h.Store, h.Group)
			if err != nil {
				t.Errorf("pricing is told of a group that is not there: %v", err)
				return
			}
			kept, _ := cohort.SitewideRule(g.DiscountRules)
			if diff := cmp.Diff(&kept, h.Rule); diff != "" {
				t.Errorf("(-kept +told):\n%s", diff)
			}
		}
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{five}})
		mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{ten}})
		if len(p.calls) != 2 {
			t.Errorf("pricing was told %v", p.calls)
		}
	})
}

// When pricing fails, the group is changed all the same, the caller learns both,
// and the same request again is the way out.
func TestPricingFails(t *testing.T) {
	five, ten := []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5)}, []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 10)}
	down := errors.New("pricing is down")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{err: down}
		svc := newService(t, d, []string{"a"}, service.WithPricing(p))
		wantPartial := func(err error) {
			t.Helper()
			wantKind(t, err, cohort.KindPartial)
			if !errors.Is(err, down) {
				t.Errorf("the cause is not in the chain of %v", err)
			}
		}

		g, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "x", DiscountRules: five})
		wantPartial(err)
		if g.ID != 1 {
			t.Errorf("the group that was stored has the id %d", g.ID)
		}
		wantGroups(t, svc, "a", g)

		for _, rules := range [][]cohort.DiscountRule{ten, ten, nil} {
			g, err = svc.UpdateGroup(t.Context(), "a", g.ID, cohort.GroupUpdate{Name: new("y"), DiscountRules: &rules})
			wantPartial(err)
			if diff := cmp.Diff(rules, g.DiscountRules, cmpopts.EquateEmpty()); diff != "" || g.Name != "y" {
				t.Errorf("the group that was stored is %v", g)
			}
			wantGroups(t, svc, "a", g)
		}

		p.err = nil
		wantGroups(t, svc, "a", mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: &five}))
	})
}
