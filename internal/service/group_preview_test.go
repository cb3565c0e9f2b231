package service_test

import (
	"fmt"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A preview says what members pay and see before a change, and after it was made.
func TestPreviewGroup(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			p := drawPriceModel(rt)
			p.matchRules()
			n++
			store := fmt.Sprint("preview-", n)
			if _, err := s.CreateStore(t.Context(), cohort.Store{Hash: store}); err != nil {
				rt.Fatal(err)
			}
			if err := s.db.Update(t.Context(), func(tx *db.Tx) error { return p.insert(tx, store) }); err != nil {
				rt.Fatal(err)
			}
			id := rapid.Int64Range(0, 3).Draw(rt, "group")
			u := p.drawChange(rt)
			got, err := s.PreviewGroup(t.Context(), store, id, u)
			if err != nil {
				rt.Fatal(err)
			}
			if len(got.Products) != min(len(p.products), service.PreviewedProducts) {
				rt.Fatalf("%d of %d products", len(got.Products), len(p.products))
			}
			before := s.outcomes(rt, store, id, got.Products)
			if id == 0 {
				id = 4
				if err := s.db.Update(t.Context(), func(tx *db.Tx) error { return insertNew(tx, store, u.Apply(cohort.Group{ID: id, Name: "new"})) }); err != nil {
					rt.Fatal(err)
				}
			} else if _, err := s.UpdateGroup(t.Context(), store, id, u); err != nil {
				rt.Fatal(err)
			}
			after := s.outcomes(rt, store, id, got.Products)
			for i, product := range got.Products {
				want := service.PreviewedProduct{ID: product.ID, Name: product.Name, Before: before[i], After: after[i]}
				if diff := cmp.Diff(want, product); diff != "" {
					rt.Fatalf("product %d, change %+v (-want +got):\n%s", product.ID, u, diff)
				}
			}
		})
	})
}

// matchRules gives each group with a price list the rule for it: they are one fact.
func (p *priceModel) matchRules() {
	for id, g := range p.groups {
		i := slices.IndexFunc(p.assigned, func(a cohort.PriceListAssignment) bool { return a.GroupID == id })
		if i >= 0 {
			g.DiscountRules = []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: p.assigned[i].PriceListID}}
			p.groups[id] = g
		}
	}
}

// insertNew does what CreateGroup does, with an id that the model leaves free.
func insertNew(tx *db.Tx, store string, g cohort.Group) error {
	if list := cohort.PriceListRule(g.DiscountRules); list != 0 {
		if err := tx.InsertAssignment(store, cohort.PriceListAssignment{ID: 1000, PriceListID: list, GroupID: g.ID}); err != nil {
			return err
		}
	}
	return tx.InsertGroup(store, g)
}

// drawChange draws other rules and other access for a group.
func (p *priceModel) drawChange(t *rapid.T) (u cohort.GroupUpdate) {
	rules := p.groups[rapid.Int64Range(1, 3).Draw(t, "rules of")].DiscountRules
	if list := rapid.Int64Range(0, 4).Draw(t, "list"); list > 0 {
		rules = []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: list}}
	}
	access := rapid.SampledFrom([]cohort.CategoryAccess{
		{Type: cohort.AccessAll}, {Type: cohort.AccessNone}, {Type: cohort.AccessSpecific, Categories: []int64{1, 3}}, {Type: cohort.AccessSpecific, Categories: []int64{5}},
	}).Draw(t, "access")
	return cohort.GroupUpdate{DiscountRules: &rules, CategoryAccess: &access}
}

// outcomes returns what members of a group pay for products, and which they see.
func (s *fixture) outcomes(t *rapid.T, store string, group int64, products []service.PreviewedProduct) (list []service.GroupOutcome) {
	if len(products) == 0 {
		return nil
	}
	who := service.ShopperQuery{GroupID: &group}
	r, a := service.PriceRequest{ShopperQuery: who, ChannelID: cohort.FirstChannelID}, service.AccessRequest{ShopperQuery: who}
	for _, p := range products {
		r.Items = append(r.Items, service.PriceItem{ProductID: p.ID})
		a.ProductIDs = append(a.ProductIDs, p.ID)
	}
	prices, err := s.Prices(t.Context(), store, r)
	if err != nil {
		t.Fatal(err)
	}
	access, err := s.CheckAccess(t.Context(), store, a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range prices {
		list = append(list, service.GroupOutcome{Price: prices[i].Calculated.Decimal, Sees: access.Products[i].Allowed})
	}
	return list
}

func TestPreviewGroupRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		if _, err := s.PreviewGroup(t.Context(), "a", 9, cohort.GroupUpdate{}); cohort.KindOf(err) != cohort.KindNotFound {
			t.Error(err)
		}
		bad := []cohort.DiscountRule{{Type: "none"}}
		if _, err := s.PreviewGroup(t.Context(), "a", 0, cohort.GroupUpdate{DiscountRules: &bad}); cohort.KindOf(err) != cohort.KindInvalid {
			t.Error(err)
		}
	})
}
