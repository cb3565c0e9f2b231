package console

import (
	"testing"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

func TestRulesInWords(t *testing.T) {
	n := names{
		categories: map[int64]string{18: "Shirts"}, products: map[int64]string{42: "Linen shirt"}, lists: map[int64]string{3: "Trade"}, currency: "EUR",
	}
	rule := func(kind cohort.RuleType, target int64, m cohort.Method, amount string) cohort.DiscountRule {
		return cohort.DiscountRule{Type: kind, TargetID: target, Method: m, Amount: decimal.RequireFromString(amount)}
	}
	for want, rules := range map[string][]cohort.DiscountRule{
		"catalog prices":                                     nil,
		"5% off everything":                                  {rule(cohort.RuleAll, 0, cohort.MethodPercent, "5")},
		"2.5 EUR off category Shirts (18)":                   {rule(cohort.RuleCategory, 18, cohort.MethodPrice, "2.5")},
		"each product of category 19 for 10 EUR":             {rule(cohort.RuleCategory, 19, cohort.MethodFixed, "10")},
		"everything for 9.99 EUR":                            {rule(cohort.RuleAll, 0, cohort.MethodFixed, "9.99")},
		"12% off product Linen shirt (42); 1% off product 7": {rule(cohort.RuleProduct, 42, cohort.MethodPercent, "12"), rule(cohort.RuleProduct, 7, cohort.MethodPercent, "1")},
		"product Linen shirt (42) for 1 EUR":                 {rule(cohort.RuleProduct, 42, cohort.MethodFixed, "1")},
		"the prices of price list Trade (3)":                 {{Type: cohort.RulePriceList, TargetID: 3}},
		"1% off product 1; 1% off product 2; 1% off product 3; 2 more rules": {
			rule(cohort.RuleProduct, 1, cohort.MethodPercent, "1"), rule(cohort.RuleProduct, 2, cohort.MethodPercent, "1"), rule(cohort.RuleProduct, 3, cohort.MethodPercent, "1"),
			rule(cohort.RuleProduct, 4, cohort.MethodPercent, "1"), rule(cohort.RuleProduct, 5, cohort.MethodPercent, "1"),
		},
	} {
		if got := n.summary(rules); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
