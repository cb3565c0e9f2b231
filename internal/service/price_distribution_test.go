package service_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The distribution counts the prices that Prices returns for one product after another.
func TestPriceDistributionAgainstPrices(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			p := drawPriceModel(rt)
			n++
			store := fmt.Sprint("spread-", n)
			if _, err := s.CreateStore(t.Context(), cohort.Store{Hash: store}); err != nil {
				rt.Fatal(err)
			}
			if err := s.db.Update(t.Context(), func(tx *db.Tx) error { return p.insert(tx, store) }); err != nil {
				rt.Fatal(err)
			}
			group, channel := rapid.Int64Range(1, 3).Draw(rt, "group"), rapid.Int64Range(1, 3).Draw(rt, "channel")
			got, err := s.PriceDistribution(t.Context(), store, service.DistributionRequest{GroupID: group, ChannelID: channel, Limit: 100})
			if err != nil {
				rt.Fatal(err)
			}
			want := map[string]int{}
			for id, product := range p.products {
				prices, err := s.Prices(t.Context(), store, service.PriceRequest{
					ShopperQuery: service.ShopperQuery{GroupID: &group}, ChannelID: channel, Items: []service.PriceItem{{ProductID: id}},
				})
				if err != nil {
					rt.Fatal(err)
				}
				want[stepOf(product.CatalogPrice(), prices[0].Calculated.Decimal)]++
			}
			if diff := cmp.Diff(want, stepsOf(got)); diff != "" {
				rt.Fatalf("group %d in channel %d (-want +got):\n%s", group, channel, diff)
			}
			if len(got.Dearest) != got.Dearer {
				rt.Fatalf("%d products are dearer, and %d have names", got.Dearer, len(got.Dearest))
			}
			for i, p := range got.Dearest {
				if !p.Price.GreaterThan(p.Catalog) || i > 0 && p.Price.Sub(p.Catalog).GreaterThan(got.Dearest[i-1].Price.Sub(got.Dearest[i-1].Catalog)) {
					rt.Fatalf("product %d is not dearer, or not in its place: %v", p.ID, got.Dearest)
				}
			}
			if got.Priced != len(p.products) || got.Sample() {
				rt.Fatalf("%d of %d products have a price", got.Priced, got.Products)
			}
		})
	})
}

// stepOf returns the step of a price in dollars.
func stepOf(catalog, price decimal.Decimal) string {
	switch price.Cmp(catalog.Round(2)) {
	case 0:
		return "same"
	case 1:
		return "dearer"
	}
	for percent := int64(5); percent <= 50; percent += 5 {
		if !price.LessThan(catalog.Mul(decimal.NewFromInt(100 - percent)).Div(decimal.NewFromInt(100)).Round(2)) {
			return fmt.Sprint("to ", percent)
		}
	}
	return "more"
}

// stepsOf returns the counts of a distribution that are not 0.
func stepsOf(d service.PriceDistribution) map[string]int {
	counts := map[string]int{"same": d.Same, "dearer": d.Dearer}
	for _, step := range d.Steps {
		name := fmt.Sprint("to ", step.UpTo)
		if step.UpTo == 0 {
			name = "more"
		}
		counts[name] = step.Products
	}
	for name, n := range counts {
		if n == 0 {
			delete(counts, name)
		}
	}
	return counts
}

// insertPrices inserts products with the ids 3, 6, 9 and so on.
func insertPrices(t *testing.T, s *fixture, count int64) {
	t.Helper()
	err := s.db.Update(t.Context(), func(tx *db.Tx) error {
		var errs []error
		for i := int64(1); i <= count; i++ {
			price := cents(999 + i)
			if i == 7 {
				price = cents(1)
			}
			errs = append(errs, tx.InsertProduct("a", cohort.Product{ID: 3 * i, Name: fmt.Sprint("product ", i), Type: cohort.ProductPhysical, Price: price}))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// All products of one rule are in one step, whatever their prices are rounded to, and a
// catalog that is larger than the limit is sampled from its beginning to its end.
func TestPriceDistributionOfLargeCatalog(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		insertPrices(t, s, 350)
		product := percentOff(cohort.RuleProduct, 30, 90)
		id := s.group(t, cohort.Group{DiscountRules: []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5), product}})
		r := service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: 400}
		got, err := s.PriceDistribution(t.Context(), "a", r)
		if err != nil {
			t.Fatal(err)
		}
		// 95 per cent of a cent are a cent.
		if diff := cmp.Diff(map[string]int{"to 5": 348, "more": 1, "same": 1}, stepsOf(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if len(got.Largest) != service.LargestDiscounts || got.Largest[0].ID != 30 || got.Largest[0].Name != "product 10" || got.Sample() {
			t.Errorf("the largest discounts of %d products are %v", got.Priced, got.Largest)
		}
		for i := 1; i < len(got.Largest); i++ {
			if got.Largest[i].Percent.GreaterThan(got.Largest[i-1].Percent) {
				t.Errorf("discount %d is larger than the one before", i)
			}
		}
		r.Limit = 200
		if got, err = s.PriceDistribution(t.Context(), "a", r); err != nil {
			t.Fatal(err)
		}
		if got.Priced != 200 || got.Products != 350 || !got.Sample() || stepsOf(got)["to 5"] != 198 {
			t.Errorf("a sample of %d from %d products: %v", got.Priced, got.Products, stepsOf(got))
		}
	})
}

// Products with more bulk tiers than one request may read are priced in halves.
func TestPriceDistributionAtBounds(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		tiers := []cohort.BulkTier{{QuantityMin: 2, QuantityMax: 3, Method: cohort.MethodPercent, Amount: cents(100)}, {QuantityMin: 4, Method: cohort.MethodPercent, Amount: cents(200)}}
		var items []service.PriceItem
		err := s.db.Update(t.Context(), func(tx *db.Tx) error {
			var errs []error
			items = nil
			for id := int64(1); id <= 5; id++ {
				items = append(items, service.PriceItem{ProductID: id})
				errs = append(errs, tx.InsertProduct("a", cohort.Product{ID: id, Name: fmt.Sprint(id), Type: cohort.ProductPhysical, Price: cents(id), BulkTiers: tiers}))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			t.Fatal(err)
		}
		id := s.group(t, cohort.Group{})
		const most = 1 << 30
		s.LowerPriceBounds(most, most, 3, most, most)
		if _, err := s.Prices(t.Context(), "a", priceRequest(id, 1, items...)); cohort.KindOf(err) != cohort.KindInvalid {
			t.Fatalf("all products are within the bounds: %v", err)
		}
		got, err := s.PriceDistribution(t.Context(), "a", service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: 100})
		if err != nil || got.Priced != 5 || got.Same != 5 {
			t.Errorf("%d products have a price, error %v", got.Priced, err)
		}
		s.LowerPriceBounds(most, most, 1, most, most)
		if _, err := s.PriceDistribution(t.Context(), "a", service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: 100}); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("one product is over the bound: %v", err)
		}
	})
}

func TestPriceDistributionErrors(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		insertPrices(t, s, 2)
		id := s.group(t, cohort.Group{})
		for name, test := range map[string]struct {
			request service.DistributionRequest
			kind    cohort.Kind
		}{
			"an unknown group":  {service.DistributionRequest{GroupID: 99, ChannelID: 1, Limit: 100}, cohort.KindNotFound},
			"too small a limit": {service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: 99}, cohort.KindInvalid},
			"too high a limit":  {service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: service.MaxDistributed + 1}, cohort.KindInvalid},
			"no channel":        {service.DistributionRequest{GroupID: id, Limit: 100}, cohort.KindInvalid},
		} {
			if _, err := s.PriceDistribution(t.Context(), "a", test.request); cohort.KindOf(err) != test.kind {
				t.Errorf("%s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.PriceDistribution(ctx, "a", service.DistributionRequest{GroupID: id, ChannelID: 1, Limit: 100}); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of the context: %v", err)
		}
	})
}
