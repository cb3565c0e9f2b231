package cohort_test

import (
	"errors"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// wantInvalid fails unless err is a KindInvalid error on the field.
func wantInvalid(t rapid.TB, err error, field string) {
	t.Helper()
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || e.Kind != cohort.KindInvalid || e.Field != field {
		t.Fatalf("got error %#v, want KindInvalid on the field %q", err, field)
	}
	if e.Reason == "" {
		t.Fatal("the error has no reason")
	}
}

var ids = rapid.Int64Min(1)

// validAmount draws an amount that the method allows.
func validAmount(m cohort.Method) *rapid.Generator[decimal.Decimal] {
	most := int64(1e18) // 14 digits before the decimal point
	if m == cohort.MethodPercent {
		most = 100_0000
	}
	return rapid.Map(rapid.Int64Range(0, most), func(n int64) decimal.Decimal {
		return decimal.New(n, -cohort.AmountScale)
	})
}

func ruleOf(kind cohort.RuleType, id int64) *rapid.Generator[cohort.DiscountRule] {
	return rapid.Custom(func(t *rapid.T) cohort.DiscountRule {
		m := rapid.SampledFrom([]cohort.Method{cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice}).Draw(t, "method")
		return cohort.DiscountRule{Type: kind, TargetID: id, Method: m, Amount: validAmount(m).Draw(t, "amount")}
	})
}

// combinable draws rules of every type that allows other rules, at least one of each type,
// with distinct targets and in any order.
func combinable(t *rapid.T) []cohort.DiscountRule {
	rules := []cohort.DiscountRule{ruleOf(cohort.RuleAll, 0).Draw(t, "all")}
	for _, kind := range []cohort.RuleType{cohort.RuleCategory, cohort.RuleProduct} {
		for _, id := range rapid.SliceOfNDistinct(ids, 1, 6, rapid.ID[int64]).Draw(t, "targets") {
			rules = append(rules, ruleOf(kind, id).Draw(t, "rule"))
		}
	}
	return rapid.Permutation(rules).Draw(t, "order")
}

func priceList(id int64) cohort.DiscountRule {
	return cohort.DiscountRule{Type: cohort.RulePriceList, TargetID: id}
}

// insert inserts a rule at a random index.
func insert(t *rapid.T, rules []cohort.DiscountRule, r cohort.DiscountRule) []cohort.DiscountRule {
	return rapid.Permutation(append(rules, r)).Draw(t, "order with breach")
}

func TestValidateRulesAccepts(t *testing.T) {
	tests := map[string]func(*rapid.T) []cohort.DiscountRule{
		"none":       func(*rapid.T) []cohort.DiscountRule { return nil },
		"combinable": combinable,
		"one price list": func(t *rapid.T) []cohort.DiscountRule {
			return []cohort.DiscountRule{priceList(ids.Draw(t, "list"))}
		},
		"the same id as category and as product": func(t *rapid.T) []cohort.DiscountRule {
			id := ids.Draw(t, "id")
			return []cohort.DiscountRule{ruleOf(cohort.RuleCategory, id).Draw(t, "c"), ruleOf(cohort.RuleProduct, id).Draw(t, "p")}
		},
		"as many as there may be": func(t *rapid.T) []cohort.DiscountRule { return manyRules(t, cohort.MaxRules) },
		"16 digits before the point, zeros behind four decimals": func(t *rapid.T) []cohort.DiscountRule {
			r := ruleOf(cohort.RuleProduct, 1).Draw(t, "rule")
			r.Method, r.Amount = cohort.MethodFixed, decimal.RequireFromString("9999999999999999.99990000")
			return []cohort.DiscountRule{r}
		},
	}
	for name, rules := range tests {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			if err := cohort.ValidateRules(rules(t)); err != nil {
				t.Fatal(err)
			}
		}))
	}
}

func manyRules(t *rapid.T, n int) []cohort.DiscountRule {
	r := ruleOf(cohort.RuleCategory, 0).Draw(t, "rule")
	rules := make([]cohort.DiscountRule, n)
	for i := range rules {
		rules[i] = r
		rules[i].TargetID = int64(i + 1)
	}
	return rules
}

// Each case makes a valid list invalid: change breaks one of its rules of a type, add
// returns a rule that conflicts with the list.
func TestValidateRulesRejects(t *testing.T) {
	type rule = cohort.DiscountRule
	amount := func(m cohort.Method, text string) func(*rapid.T, *rule) {
		return func(_ *rapid.T, r *rule) { r.Method, r.Amount = m, decimal.RequireFromString(text) }
	}
	repeat := func(kind cohort.RuleType) func(*rapid.T, []rule) rule {
		return func(t *rapid.T, rules []rule) rule {
			return ruleOf(kind, rules[indexOf(rules, kind)].TargetID).Draw(t, "repeat")
		}
	}
	notPositive := func(t *rapid.T, r *rule) { r.TargetID = rapid.Int64Max(0).Draw(t, "id") }

	tests := map[string]struct {
		field  string
		kind   cohort.RuleType
		change func(*rapid.T, *rule)
		add    func(*rapid.T, []rule) rule
	}{
		"second all":        {field: "discount_rules", add: repeat(cohort.RuleAll)},
		"repeated category": {field: "discount_rules", add: repeat(cohort.RuleCategory)},
		"repeated product":  {field: "discount_rules", add: repeat(cohort.RuleProduct)},
		"price list beside others": {field: "discount_rules", add: func(t *rapid.T, _ []rule) rule {
			return priceList(ids.Draw(t, "list"))
		}},
		"negative amount": {field: "amount", kind: cohort.RuleProduct, change: func(t *rapid.T, r *rule) {
			r.Amount = decimal.New(rapid.Int64Max(-1).Draw(t, "amount"), -cohort.AmountScale)
		}},
		"five decimals": {field: "amount", kind: cohort.RuleCategory, change: func(t *rapid.T, r *rule) {
			r.Amount = r.Amount.Add(decimal.New(rapid.Int64Range(1, 9).Draw(t, "fifth"), -5))
		}},
		"64 decimals":           {field: "amount", kind: cohort.RuleAll, change: amount(cohort.MethodPrice, "1e-64")},
		"percent just over 100": {field: "amount", kind: cohort.RuleAll, change: amount(cohort.MethodPercent, "100.0001")},
		"percent over 100": {field: "amount", kind: cohort.RuleAll, change: func(t *rapid.T, r *rule) {
			r.Method, r.Amount = cohort.MethodPercent, decimal.New(rapid.Int64Min(100_0001).Draw(t, "amount"), -cohort.AmountScale)
		}},
		"17 digits, fixed":   {field: "amount", kind: cohort.RuleAll, change: amount(cohort.MethodFixed, "10000000000000000")},
		"17 digits, price":   {field: "amount", kind: cohort.RuleAll, change: amount(cohort.MethodPrice, "1e16")},
		"65 digits":          {field: "amount", kind: cohort.RuleAll, change: amount(cohort.MethodPrice, "1e64")},
		"category id":        {field: "category_id", kind: cohort.RuleCategory, change: notPositive},
		"product id":         {field: "product_id", kind: cohort.RuleProduct, change: notPositive},
		"unknown method":     {field: "method", kind: cohort.RuleProduct, change: func(_ *rapid.T, r *rule) { r.Method = "Percent" }},
		"no method":          {field: "method", kind: cohort.RuleAll, change: func(_ *rapid.T, r *rule) { r.Method = "" }},
		"unknown type":       {field: "type", kind: cohort.RuleAll, change: func(_ *rapid.T, r *rule) { r.Type = "brand" }},
		"no type":            {field: "type", kind: cohort.RuleAll, change: func(_ *rapid.T, r *rule) { r.Type = "" }},
		"all with an id":     {field: "type", kind: cohort.RuleAll, change: func(t *rapid.T, r *rule) { r.TargetID = ids.Draw(t, "id") }},
		"price list id zero": {field: "price_list_id", kind: cohort.RuleAll, change: func(_ *rapid.T, r *rule) { *r = priceList(0) }},
	}
	for name, tt := range tests {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			rules := combinable(t)
			if tt.change != nil {
				tt.change(t, &rules[indexOf(rules, tt.kind)])
			} else {
				rules = insert(t, rules, tt.add(t, rules))
			}
			wantInvalid(t, cohort.ValidateRules(rules), tt.field)
		}))
	}
}

func TestValidateRulesRejectsSingleRule(t *testing.T) {
	withMethod := priceList(1)
	withMethod.Method = cohort.MethodPercent
	withAmount := priceList(1)
	withAmount.Amount = decimal.NewFromInt(1)
	tests := map[string][]cohort.DiscountRule{
		"two price lists":        {priceList(1), priceList(2)},
		"the same price list":    {priceList(1), priceList(1)},
		"price list with method": {withMethod},
		"price list with amount": {withAmount},
	}
	for name, rules := range tests {
		t.Run(name, func(t *testing.T) {
			wantInvalid(t, cohort.ValidateRules(rules), "discount_rules")
		})
	}
	t.Run("one rule too many", rapid.MakeCheck(func(t *rapid.T) {
		wantInvalid(t, cohort.ValidateRules(manyRules(t, cohort.MaxRules+1)), "discount_rules")
	}))
}

func TestSitewideRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := combinable(t)
		i := indexOf(rules, cohort.RuleAll)
		got, ok := cohort.SitewideRule(rules)
		if diff := cmp.Diff(rules[i], got); diff != "" || !ok {
			t.Fatalf("ok %v, diff (-want +got):\n%s", ok, diff)
		}
		if got, ok := cohort.SitewideRule(append(rules[:i:i], rules[i+1:]...)); ok {
			t.Fatalf("found %v in a list without one", got)
		}
	})
}

// indexOf returns the index of the first rule of the type.
func indexOf(rules []cohort.DiscountRule, kind cohort.RuleType) int {
	for i, r := range rules {
		if r.Type == kind {
			return i
		}
	}
	return -1
}

func TestTargetField(t *testing.T) {
	tests := []struct {
		kind  cohort.RuleType
		field string
		ok    bool
	}{
		{cohort.RuleAll, "", true},
		{cohort.RuleCategory, "category_id", true},
		{cohort.RuleProduct, "product_id", true},
		{cohort.RulePriceList, "price_list_id", true},
		{"", "", false},
		{"brand", "", false},
	}
	for _, tt := range tests {
		if field, ok := tt.kind.TargetField(); field != tt.field || ok != tt.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", tt.kind, field, ok, tt.field, tt.ok)
		}
	}
}
