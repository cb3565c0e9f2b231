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

// TestSitewideCalls checks for each kind of change of a group's rules whether the
// pricing system is called, and with which discount.
func TestSitewideCalls(t *testing.T) {
	type rules = []cohort.DiscountRule
	five, ten := percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleAll, 0, 10)
	category := percentOff(cohort.RuleCategory, 3, 5)
	list := cohort.DiscountRule{Type: cohort.RulePriceList, TargetID: 1}
	to := func(r ...cohort.DiscountRule) cohort.GroupUpdate {
		r = append(rules{}, r...)
		return cohort.GroupUpdate{DiscountRules: &r}
	}
	const called = true
	tests := []struct {
		name   string
		before rules
		update cohort.GroupUpdate
		called bool
		rule   *cohort.DiscountRule // nil: the group has none
	}{
		{"added", nil, to(five), called, &five},
		{"added beside others", rules{category}, to(category, five), called, &five},
		{"added instead of a price list", rules{list}, to(five), called, &five},
		{"changed", rules{five}, to(ten), called, &ten},
		{"repeated, which is a retry", rules{five}, to(five), called, &five},
		{"repeated while others change", rules{five, category}, to(five), called, &five},
		{"removed with all others", rules{five, category}, to(), called, nil},
		{"removed alone", rules{category, five}, to(category), called, nil},
		{"removed for a price list", rules{five}, to(list), called, nil},
		{"never there", rules{category}, to(list), !called, nil},
		{"never there, none now", nil, to(), !called, nil},
		{"update of something else", rules{five}, cohort.GroupUpdate{Name: new("new"), IsDefault: new(true)}, !called, nil},
		{"update of nothing", rules{five}, cohort.GroupUpdate{}, !called, nil},
	}
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPusher(p))
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				g := mustCreate(t, svc, "a", cohort.Group{Name: tt.name, DiscountRules: tt.before})
				p.calls = nil
				mustUpdate(t, svc, "a", g.ID, tt.update)
				var want []service.SitewideDiscount
				if tt.called {
					want = []service.SitewideDiscount{{StoreHash: "a", GroupID: g.ID, Rule: tt.rule}}
				}
				wantCalls(t, p, want...)
			})
		}
	})
}

// wantCalls checks the calls of the pricing system, apart from versions and keys.
func wantCalls(t *testing.T, p *pricing, want ...service.SitewideDiscount) {
	t.Helper()
	if diff := cmp.Diff(want, p.calls, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(service.SitewideDiscount{}, "Version", "Key")); diff != "" {
		t.Errorf("calls of the pricing system (-want +got):\n%s", diff)
	}
}

func TestSitewideCallsOnceOrNever(t *testing.T) {
	five := percentOff(cohort.RuleAll, 0, 5)
	category := percentOff(cohort.RuleCategory, 3, 5)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPusher(p))
		mustCreate(t, svc, "a", cohort.Group{Name: "none"})
		mustCreate(t, svc, "a", cohort.Group{Name: "category", DiscountRules: []cohort.DiscountRule{category}})
		if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{DiscountRules: []cohort.DiscountRule{five}}); err == nil {
			t.Error("a group without a name is accepted")
		}
		if _, err := svc.CreateGroup(t.Context(), "none", cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{five}}); err == nil {
			t.Error("a group without a store is accepted")
		}
		if len(p.calls) != 0 {
			t.Errorf("the pricing system was called: %v", p.calls)
		}

		g := mustCreate(t, svc, "a", cohort.Group{Name: "all", DiscountRules: []cohort.DiscountRule{category, five}})
		// Neither a rejected change nor the deletion of the group makes another call.
		_, err := svc.UpdateGroup(t.Context(), "a", g.ID, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{five, five}})
		wantKind(t, err, cohort.KindInvalid)
		if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
			t.Error(err)
		}
		wantCalls(t, p, service.SitewideDiscount{StoreHash: "a", GroupID: g.ID, Rule: &five})
	})
}

func TestPricingIsCalledAfterTheCommit(t *testing.T) {
	five, ten := percentOff(cohort.RuleAll, 0, 5), percentOff(cohort.RuleAll, 0, 10)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPusher(p))
		p.during = func(ctx context.Context, d service.SitewideDiscount) {
			g, err := svc.Group(ctx, d.StoreHash, d.GroupID)
			if err != nil {
				t.Errorf("pricing is called for a group that does not exist: %v", err)
				return
			}
			stored, _ := cohort.SitewideRule(g.DiscountRules)
			if diff := cmp.Diff(&stored, d.Rule); diff != "" {
				t.Errorf("(-stored +sent):\n%s", diff)
			}
		}
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{five}})
		mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{ten}})
		if len(p.calls) != 2 {
			t.Errorf("calls %v", p.calls)
		}
	})
}

// When the call to the pricing system fails, the group is changed nevertheless. The
// caller gets the group and the error, and may repeat the request.
func TestPricingFails(t *testing.T) {
	five, ten := []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5)}, []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 10)}
	down := errors.New("pricing is down")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := &pricing{err: down}
		svc := newService(t, d, []string{"a"}, service.WithPusher(p))
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
			t.Errorf("the stored group has the id %d", g.ID)
		}
		wantGroups(t, svc, "a", g)

		for _, rules := range [][]cohort.DiscountRule{ten, ten, nil} {
			g, err = svc.UpdateGroup(t.Context(), "a", g.ID, cohort.GroupUpdate{Name: new("y"), DiscountRules: &rules})
			wantPartial(err)
			if diff := cmp.Diff(rules, g.DiscountRules, cmpopts.EquateEmpty()); diff != "" || g.Name != "y" {
				t.Errorf("the stored group is %v", g)
			}
			wantGroups(t, svc, "a", g)
		}

		p.err = nil
		wantGroups(t, svc, "a", mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: &five}))
	})
}
