package conformance

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
)

// noPricing is a pricing system that fails.
type noPricing struct{}

func (noPricing) PushSitewide(context.Context, service.SitewideDiscount) error {
	return errors.New("no pricing today")
}

// TestStatus207 creates and changes a group whose discount the pricing system refuses.
func TestStatus207(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{}, service.WithPusher(noPricing{}))
		s.Store(t, cohort.Store{Hash: "abc"})
		c, err := client.New("abc", s.Token(t, "abc", cohort.ScopeCustomers), client.WithBaseURL(s.URL))
		if err != nil {
			t.Fatal(err)
		}
		rule := client.DiscountRule{Type: client.RuleAll, Method: client.MethodPercent, Amount: client.MustAmount("5")}
		g, err := c.Groups.Create(t.Context(), client.GroupUpdate{Name: client.Set("A"), DiscountRules: client.Set([]client.DiscountRule{rule})})
		partial, ok := errors.AsType[*client.PartialError](err)
		if !ok || partial.Message == "" || partial.RequestID == "" || g.ID != 1 || g.Name != "A" || len(g.DiscountRules) != 1 {
			t.Errorf("got %+v, %v", g, err)
		}
		rule.Amount = client.MustAmount("6")
		g, err = c.Groups.Update(t.Context(), 1, client.GroupUpdate{DiscountRules: client.Set([]client.DiscountRule{rule})})
		if !errors.As(err, &partial) || !g.DiscountRules[0].Amount.Equal(rule.Amount.Decimal) {
			t.Errorf("got %+v, %v", g, err)
		}
	})
}
