package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// insertLargeCatalog inserts a catalog whose prices need much work: products 1 to 3 are
// in 1 000 categories, each with a rule, and product 1 has 500 variants, each with 20
// options and a price record with 100 bulk tiers.
func insertLargeCatalog(tx *db.Tx) error {
	var errs []error
	do := func(err error) { errs = append(errs, err) }
	categories := make([]int64, cohort.MaxCategoriesOfProduct)
	rules := make([]cohort.DiscountRule, len(categories))
	for i := range categories {
		id := int64(i + 1)
		categories[i] = id
		do(tx.InsertCategory("a", cohort.Category{ID: id, Name: fmt.Sprint(id)}))
		rules[i] = cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: id, Method: cohort.MethodPercent, Amount: decimal.New(id, -2)}
	}
	for id := int64(1); id <= 3; id++ {
		do(tx.InsertProduct("a", cohort.Product{
			ID: id, Name: fmt.Sprint(id), Type: cohort.ProductPhysical, Price: cents(10_000), Categories: categories, BaseVariantID: id,
		}))
		do(tx.InsertVariant("a", cohort.Variant{ID: id, ProductID: id}))
	}
	everything := cohort.CategoryAccess{Type: cohort.AccessAll}
	do(tx.InsertGroup("a", cohort.Group{ID: 1, Name: "Rules", CategoryAccess: everything, DiscountRules: rules}))
	do(tx.InsertGroup("a", cohort.Group{ID: 2, Name: "List", CategoryAccess: everything}))
	do(tx.InsertPriceList("a", cohort.PriceList{ID: 1, Name: "List", Active: true}))
	do(tx.InsertAssignment("a", cohort.PriceListAssignment{ID: 1, PriceListID: 1, GroupID: 2}))
	options := make([]cohort.OptionValue, 20)
	tiers := make([]cohort.BulkTier, cohort.MaxBulkTiers)
	for i := range tiers {
		tiers[i] = cohort.BulkTier{QuantityMin: int64(i + 2), QuantityMax: int64(i + 2), Method: cohort.MethodPercent, Amount: cents(100)}
	}
	var records []cohort.PriceRecord
	for i := range int64(500) {
		for n := range options {
			options[n] = cohort.OptionValue{OptionID: int64(n + 1), ValueID: i + 1}
		}
		do(tx.InsertVariant("a", cohort.Variant{ID: 100 + i, ProductID: 1, OptionValues: options}))
		records = append(records, cohort.PriceRecord{PriceListID: 1, VariantID: 100 + i, Currency: "USD", Price: decimal.NewNullDecimal(cents(500)), BulkTiers: tiers})
	}
	do(tx.PutPriceRecords("a", nil, records))
	return errors.Join(errs...)
}

func priceRequest(group int64, times int, items ...service.PriceItem) service.PriceRequest {
	r := service.PriceRequest{ChannelID: 1, Currency: "USD", ShopperQuery: service.ShopperQuery{GroupID: &group}}
	for range times {
		r.Items = append(r.Items, items...)
	}
	return r
}

// valuesRequest has items of a product without options, each with 250 other values.
func valuesRequest(items int64) service.PriceRequest {
	r := priceRequest(0, 0)
	for i := range items {
		item := service.PriceItem{ProductID: 2}
		for n := range int64(cohort.MaxOptionValues) {
			item.Options = append(item.Options, cohort.OptionValue{OptionID: 1, ValueID: i*cohort.MaxOptionValues + n + 1})
		}
		r.Items = append(r.Items, item)
	}
	return r
}

// A request at a bound succeeds. One over the bound is rejected as a whole, with advice.
func TestPricesAreBounded(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		if err := s.db.Update(t.Context(), insertLargeCatalog); err != nil {
			t.Fatal(err)
		}
		product := service.PriceItem{ProductID: 1}
		small := service.PriceItem{ProductID: 2}
		byOptions := service.PriceItem{ProductID: 1, Options: make([]cohort.OptionValue, 250)}
		for i := range byOptions.Options {
			byOptions.Options[i] = cohort.OptionValue{OptionID: int64(i%20 + 1), ValueID: 1}
		}
		for _, tt := range []struct {
			name     string
			allowed  service.PriceRequest
			rejected service.PriceRequest
			says     string
		}{
			{"rules", priceRequest(1, 1, product), priceRequest(1, 2, product, small), "more than 1000000 comparisons of category rules together. Ask for fewer"},
			{"variants", priceRequest(0, 60, product), priceRequest(0, 61, product), "more than 30500 prices of variants together. Ask for fewer"},
			{"values", valuesRequest(80), valuesRequest(81), "more than 20000 different option values together. Ask for fewer"},
			{"options", priceRequest(0, 4, byOptions), priceRequest(0, 5, byOptions), "more than 10000000 comparisons of options together. Ask for fewer"},
		} {
			_, err := s.Prices(t.Context(), "a", tt.allowed)
			if tooMuch(err) {
				t.Errorf("%s: the request at the bound returned %v", tt.name, err)
			}
			prices, err := s.Prices(t.Context(), "a", tt.rejected)
			if !tooMuch(err) || !strings.Contains(err.Error(), tt.says) || prices != nil {
				t.Errorf("%s: the request over the bound returned %v", tt.name, err)
			}
		}
	})
}

// Each bound of the rows that are read rejects a request that needs one row more.
func TestPriceReadsAreBounded(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		if err := s.db.Update(t.Context(), insertLargeCatalog); err != nil {
			t.Fatal(err)
		}
		const most = 1 << 30
		product := service.PriceItem{ProductID: 1}
		options := service.PriceItem{ProductID: 1, Options: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}}
		for _, tt := range []struct {
			name    string
			request service.PriceRequest
			needs   int
			lower   func(to int)
			says    string
		}{
			{"variants", priceRequest(0, 1, product), 501, func(to int) { s.LowerPriceBounds(to, most, most, most, most) }, "more than 500 variants together. Ask for fewer"},
			{"options", priceRequest(0, 1, options), 10_000, func(to int) { s.LowerPriceBounds(most, to, most, most, most) }, "more than 9999 option values together. Ask for fewer"},
			{"tiers", priceRequest(2, 1, product), 50_000, func(to int) { s.LowerPriceBounds(most, most, to, most, most) }, "more than 49999 bulk pricing tiers together. Ask for fewer"},
			{"categories", priceRequest(1, 1, service.PriceItem{ProductID: 2}), 1000, func(to int) { s.LowerPriceBounds(most, most, most, to, most) }, "more than 999 categories together. Ask for fewer"},
			{"steps", priceRequest(1, 1, service.PriceItem{ProductID: 2}), 21, func(to int) { s.LowerPriceBounds(most, most, most, most, to) }, "more than 20 categories in explanations together. Ask for fewer"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				tt.lower(tt.needs)
				if _, err := s.ExplainPrices(t.Context(), "a", tt.request); err != nil {
					t.Errorf("at the bound: %v", err)
				}
				tt.lower(tt.needs - 1)
				e, err := s.ExplainPrices(t.Context(), "a", tt.request)
				if !tooMuch(err) || !strings.Contains(err.Error(), tt.says) || e.Items != nil {
					t.Errorf("over the bound: %v", err)
				}
			})
		}
	})
}

// tooMuch reports whether an error rejects a request as a whole for its amount of work.
func tooMuch(err error) bool {
	e, ok := errors.AsType[*cohort.Error](err)
	return ok && e.Field == "items" && e.Kind == cohort.KindInvalid
}

// An explanation lists 20 losing candidates of a source and counts the others. With Full
// it lists all, for at most five items.
func TestExplanationsAreBounded(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		if err := s.db.Update(t.Context(), insertLargeCatalog); err != nil {
			t.Fatal(err)
		}
		r := priceRequest(1, 1, service.PriceItem{ProductID: 2})
		e, err := s.ExplainPrices(t.Context(), "a", r)
		if err != nil {
			t.Fatal(err)
		}
		price := e.Items[0]
		// The winner, 20 losers, and the catalog.
		if len(price.Candidates) != 1+service.ListedLosers+1 || !price.Candidates[0].Won || price.NotListed[cohort.SourceCategoryRule] != 1000-1-service.ListedLosers {
			t.Errorf("%d candidates are listed, and %v are not", len(price.Candidates), price.NotListed)
		}
		r.Full = true
		if e, err = s.ExplainPrices(t.Context(), "a", r); err != nil || len(e.Items[0].Candidates) != 1001 || e.Items[0].NotListed != nil {
			t.Errorf("with Full: %v, error %v", e.Items, err)
		}
		r = priceRequest(1, service.MaxFullItems+1, service.PriceItem{ProductID: 2})
		r.Full = true
		if _, err := s.ExplainPrices(t.Context(), "a", r); !tooMuch(err) {
			t.Errorf("six items with Full: %v", err)
		}
	})
}

// countedContext ends after a number of calls of Err.
type countedContext struct {
	context.Context
	left int
}

func (c *countedContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever the context ends, Prices returns its error and no prices.
func TestPricesStopWithContext(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		if err := s.db.Update(t.Context(), insertLargeCatalog); err != nil {
			t.Fatal(err)
		}
		r := priceRequest(0, 5, service.PriceItem{ProductID: 2}, service.PriceItem{ProductID: 3})
		if _, err := s.Prices(t.Context(), "a", r); err != nil { // one-time initialization is done now
			t.Fatal(err)
		}
		whole := &countedContext{t.Context(), 1 << 30}
		if _, err := s.Prices(whole, "a", r); err != nil {
			t.Fatal(err)
		}
		checks := 1<<30 - whole.left
		if checks < len(r.Items) {
			t.Fatalf("%d checks of the context for %d items", checks, len(r.Items))
		}
		for left := range checks {
			if prices, err := s.Prices(&countedContext{t.Context(), left}, "a", r); !errors.Is(err, context.Canceled) || prices != nil {
				t.Fatalf("after %d of %d checks: %d prices, error %v", left, checks, len(prices), err)
			}
		}
	})
}
