package cohort_test

import (
	"fmt"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// A group has 10 % off a category and a fixed price for one product.
func ExampleProductPricer_Price() {
	usd, _ := cohort.ParseCurrency("USD")
	pricer := cohort.NewPricer(cohort.PriceTerms{
		Currency: usd, CatalogCurrency: usd,
		Group: &cohort.Group{DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleCategory, TargetID: 1, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(10)},
			{Type: cohort.RuleProduct, TargetID: 8, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("19.50")},
		}},
		Parents: cohort.CategoryParents{1: 0, 2: 1}, // category 2 is below category 1
	})
	shirt := cohort.Product{ID: 7, Price: decimal.RequireFromString("29.95"), Categories: []int64{2}}
	fmt.Println(pricer.Product(shirt).Price(nil, nil).Calculated.Decimal)
	shirt.ID = 8
	fmt.Println(pricer.Product(shirt).Price(nil, nil).Calculated.Decimal)
	// Output:
	// 26.96
	// 19.5
}

func ExampleProductPricer_Explain() {
	usd, _ := cohort.ParseCurrency("USD")
	pricer := cohort.NewPricer(cohort.PriceTerms{
		Currency: usd, CatalogCurrency: usd,
		Group: &cohort.Group{DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)},
		}},
	})
	product := cohort.Product{ID: 7, Price: decimal.NewFromInt(30)}
	for _, c := range pricer.Product(product).Explain(nil, nil, cohort.AllLosers).Candidates {
		fmt.Println(c.Source, c.Gives.Decimal, c.Won, c.Reason)
	}
	// Output:
	// sitewide_rule 28.5 true It is for the whole catalog, and no rule is for this product or its categories.
	// catalog 30 false A rule for the whole catalog comes before it.
}
