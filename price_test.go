package cohort_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// The table contains every reason. Candidates are in order; * marks the winner.
func TestPriceReasons(t *testing.T) {
	usd, eur := currency("USD"), currency("EUR")
	list := func(id int64) cohort.AssignedList { return cohort.AssignedList{ID: id, Known: true, Active: true} }
	group := func(rules ...cohort.DiscountRule) *cohort.Group { return &cohort.Group{DiscountRules: rules} }
	percent := func(kind cohort.RuleType, id, amount int64) cohort.DiscountRule {
		return cohort.DiscountRule{Type: kind, TargetID: id, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(amount)}
	}
	costs := func(amount int64) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.NewFromInt(amount)) }
	product := cohort.Product{ID: 1, Price: decimal.NewFromInt(100), Categories: []int64{4, 9}}
	parents := cohort.CategoryParents{1: 0, 2: 1, 3: 2, 4: 3, 8: 0, 9: 8}
	records := map[int64]cohort.PriceRecord{11: {Price: costs(70)}, 12: {Price: costs(60)}, 13: {Price: costs(50)}}
	everyRule := group(percent(cohort.RuleAll, 0, 40), percent(cohort.RuleCategory, 4, 30), percent(cohort.RuleProduct, 1, 10))

	tests := []struct {
		name  string
		terms cohort.PriceTerms
		item  pricedItem
		want  string
	}{
		{
			"nothing but the catalog", cohort.PriceTerms{}, pricedItem{Product: product}, `
			* catalog 100.00 No price list and no discount applies.`,
		},
		{
			"on sale", cohort.PriceTerms{}, pricedItem{Product: cohort.Product{Price: decimal.NewFromInt(9), SalePrice: decimal.NewFromInt(8)}}, `
			* catalog 8.00 No price list and no discount applies, and the sale price is lower than the price.`,
		},
		{
			"every source", cohort.PriceTerms{GroupChannelList: list(11), GroupList: list(12), ChannelList: list(13), Group: everyRule},
			pricedItem{Product: product, Records: records}, `
			* price_list_of_group_and_channel 70.00 The list is the group's in this channel, and nothing comes before that.
			- price_list_of_group 60.00 The price list of the group in this channel comes before it.
			- product_rule 90.00 The price list of the group in this channel comes before it.
			- category_rule 70.00 The price list of the group in this channel comes before it.
			- sitewide_rule 60.00 The price list of the group in this channel comes before it.
			- price_list_of_channel 50.00 The price list of the group in this channel comes before it.
			- catalog 100.00 The price list of the group in this channel comes before it.`,
		},
		{
			"lists that are ignored", cohort.PriceTerms{
				GroupChannelList: cohort.AssignedList{ID: 11, Known: true}, GroupList: cohort.AssignedList{ID: 99}, ChannelList: list(13),
			},
			pricedItem{Product: product, Records: records}, `
			- price_list_of_group_and_channel 70.00 The list is not active.
			- price_list_of_group none There is no price list with this id.
			* price_list_of_channel 50.00 The list is the channel's, and the group has neither a list nor a discount that applies.
			- catalog 100.00 The price list of the channel comes before it.`,
		},
		{
			"a list without a price", cohort.PriceTerms{GroupList: list(14), ChannelList: list(13), Group: everyRule},
			pricedItem{Product: product, Records: records}, `
			- price_list_of_group none The list applies, but has no price for this in USD, so that the catalog's price stands.
			- product_rule 90.00 The price list of the group comes before it.
			- category_rule 70.00 The price list of the group comes before it.
			- sitewide_rule 60.00 The price list of the group comes before it.
			- price_list_of_channel 50.00 The price list of the group comes before it.
			* catalog 100.00 The price list that applies has no price for this.`,
		},
		{
			"a group's list", cohort.PriceTerms{GroupList: list(12), ChannelList: list(13)}, pricedItem{Product: product, Records: records}, `
			* price_list_of_group 60.00 The list is the group's.
			- price_list_of_channel 50.00 The price list of the group comes before it.
			- catalog 100.00 The price list of the group comes before it.`,
		},
		{
			"a product rule", cohort.PriceTerms{Group: everyRule}, pricedItem{Product: product}, `
			* product_rule 90.00 It is for this very product.
			- category_rule 70.00 A product rule comes before it.
			- sitewide_rule 60.00 A product rule comes before it.
			- catalog 100.00 A product rule comes before it.`,
		},
		{
			"a rule for the product's category", cohort.PriceTerms{Group: group(percent(cohort.RuleAll, 0, 40), percent(cohort.RuleCategory, 9, 5))},
			pricedItem{Product: product}, `
			* category_rule 95.00 The product is in category 9.
			- sitewide_rule 60.00 A category rule comes before it.
			- catalog 100.00 A category rule comes before it.`,
		},
		{
			"a rule for a category above", cohort.PriceTerms{Parents: parents, Group: group(percent(cohort.RuleCategory, 2, 5))},
			pricedItem{Product: product}, `
			* category_rule 95.00 The product is in category 4, which is below category 2.
			- catalog 100.00 A category rule comes before it.`,
		},
		{
			"category rules at different distances", cohort.PriceTerms{
				Parents: parents,
				Group:   group(percent(cohort.RuleCategory, 1, 50), percent(cohort.RuleCategory, 3, 5), percent(cohort.RuleCategory, 2, 10)),
			},
			pricedItem{Product: product}, `
			* category_rule 95.00 It is nearer to the product than the rule for category 2.
			- category_rule 90.00 The rule for category 3 is nearer to the product.
			- category_rule 50.00 The rule for category 3 is nearer to the product.
			- catalog 100.00 A category rule comes before it.`,
		},
		{
			"category rules at the same distance", cohort.PriceTerms{
				Parents: parents, Group: group(percent(cohort.RuleCategory, 3, 5), percent(cohort.RuleCategory, 8, 10)),
			},
			pricedItem{Product: product}, `
			* category_rule 90.00 It gives a lower price than the rule for category 3, which is as near to the product.
			- category_rule 95.00 The rule for category 8 is as near to the product and gives a lower price.
			- catalog 100.00 A category rule comes before it.`,
		},
		{
			"category rules with the same distance and price", cohort.PriceTerms{
				Parents: parents, Group: group(percent(cohort.RuleCategory, 8, 5), percent(cohort.RuleCategory, 3, 5)),
			},
			pricedItem{Product: product}, `
			* category_rule 95.00 It gives the same price as the rule for category 8, which is as near to the product, and the lower category id decides.
			- category_rule 95.00 The rule for category 3 is as near to the product and gives the same price, and the lower category id decides.
			- catalog 100.00 A category rule comes before it.`,
		},
		{
			"a sitewide rule", cohort.PriceTerms{Group: group(percent(cohort.RuleAll, 0, 40)), ChannelList: list(13)},
			pricedItem{Product: product, Records: records}, `
			* sitewide_rule 60.00 It is for the whole catalog, and no rule is for this product or its categories.
			- price_list_of_channel 50.00 A rule for the whole catalog comes before it.
			- catalog 100.00 A rule for the whole catalog comes before it.`,
		},
		{
			"another currency", cohort.PriceTerms{Currency: eur, Group: group(percent(cohort.RuleAll, 0, 40)), ChannelList: list(14)},
			pricedItem{Product: cohort.Product{BulkTiers: []cohort.BulkTier{{QuantityMin: 2, Method: cohort.MethodFixed}}}}, `
			- sitewide_rule none Catalog prices and discounts are in USD, and nothing is converted to EUR.
			- price_list_of_channel none The list applies, but has no price for this in EUR.
			- bulk_tier none Catalog prices and discounts are in USD, and nothing is converted to EUR.
			- catalog none Catalog prices and discounts are in USD, and nothing is converted to EUR.`,
		},
		{
			"bulk tiers", cohort.PriceTerms{},
			pricedItem{Product: cohort.Product{Price: decimal.NewFromInt(10), BulkTiers: []cohort.BulkTier{
				{QuantityMin: 20, Method: cohort.MethodFixed, Amount: decimal.NewFromInt(5)},
				{QuantityMin: 1, Method: cohort.MethodPrice, Amount: decimal.NewFromInt(1)},
				{QuantityMin: 10, QuantityMax: 19, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(20)},
			}}}, `
			- bulk_tier 9.00 The price is for one piece; this is the price of each from 1 piece on.
			- bulk_tier 8.00 The price is for one piece; this is the price of each from 10 to 19 pieces.
			- bulk_tier 5.00 The price is for one piece; this is the price of each from 20 pieces on.
			* catalog 10.00 No price list and no discount applies.`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.terms.Currency.Code == "" {
				tt.terms.Currency = usd
			}
			tt.terms.CatalogCurrency = usd
			got := reasons(explainItem(cohort.NewPricer(tt.terms), tt.item, cohort.AllLosers))
			want := strings.TrimSpace(strings.ReplaceAll(tt.want, "\t", ""))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func reasons(p cohort.Price) string {
	var lines []string
	for _, c := range p.Candidates {
		mark, gives := "-", "none"
		if c.Won {
			mark = "*"
		}
		if c.Gives.Valid {
			gives = c.Gives.Decimal.StringFixed(2)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", mark, c.Source, gives, c.Reason))
	}
	return strings.Join(lines, "\n")
}

// The price, sale price, retail price and MAP price are returned as the merchant entered
// them, not rounded, from the source that decides the price.
func TestPriceAsEntered(t *testing.T) {
	d := func(s string) decimal.NullDecimal {
		if s == "" {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(decimal.RequireFromString(s))
	}
	product := cohort.Product{Price: d("10.005").Decimal, SalePrice: d("9").Decimal, RetailPrice: d("12").Decimal, MAPPrice: d("8").Decimal}
	inList := cohort.PriceTerms{GroupList: cohort.AssignedList{ID: 1, Known: true, Active: true}}
	tests := []struct {
		name    string
		terms   cohort.PriceTerms
		product cohort.Product
		variant *cohort.Variant
		record  cohort.PriceRecord
		asked   string
		want    [5]string // calculated, price, sale, retail, MAP
	}{
		{"the product's", cohort.PriceTerms{}, product, nil, cohort.PriceRecord{}, "USD", [5]string{"9", "10.005", "9", "12", "8"}},
		{"0 means none", cohort.PriceTerms{}, cohort.Product{}, nil, cohort.PriceRecord{}, "USD", [5]string{"0", "0"}},
		{
			"the variant's", cohort.PriceTerms{}, product, &cohort.Variant{Price: d("20"), SalePrice: d("0"), RetailPrice: d("21"), MAPPrice: d("22")},
			cohort.PriceRecord{}, "USD", [5]string{"0", "20", "0", "21", "22"},
		},
		{
			"the variant's, and the product's where it has none", cohort.PriceTerms{}, product, &cohort.Variant{Price: d("20")},
			cohort.PriceRecord{}, "USD", [5]string{"9", "20", "9", "12", "8"},
		},
		{
			"the list's", inList, product, nil,
			cohort.PriceRecord{Price: d("7.005"), SalePrice: d("6.005"), RetailPrice: d("5"), MAPPrice: d("4")}, "USD",
			[5]string{"6.01", "7.005", "6.005", "5", "4"},
		},
		{
			"the list's, and the catalog's where it has none, but not its sale price", inList, product, nil,
			cohort.PriceRecord{Price: d("11")}, "USD", [5]string{"11", "11", "", "12", "8"},
		},
		{
			"the list's sale price beside the catalog's price", inList, product, nil,
			cohort.PriceRecord{SalePrice: d("7")}, "USD", [5]string{"7", "10.005", "7", "12", "8"},
		},
		{
			"the catalog's, if the list has neither a price nor a sale price", inList, product, nil,
			cohort.PriceRecord{RetailPrice: d("1"), MAPPrice: d("2")}, "USD", [5]string{"9", "10.005", "9", "12", "8"},
		},
		{"nothing in another currency", cohort.PriceTerms{}, product, nil, cohort.PriceRecord{}, "EUR", [5]string{}},
		{"only the list's in another currency", inList, product, nil, cohort.PriceRecord{SalePrice: d("7")}, "EUR", [5]string{"7", "", "7"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.terms.Currency, tt.terms.CatalogCurrency = currency(tt.asked), currency("USD")
			p := priceItem(cohort.NewPricer(tt.terms), pricedItem{
				Product: tt.product, Variant: tt.variant, Records: map[int64]cohort.PriceRecord{1: tt.record},
			})
			var want [5]decimal.NullDecimal
			for i, s := range tt.want {
				want[i] = d(s)
			}
			got := [5]decimal.NullDecimal{p.Calculated, p.Price, p.SalePrice, p.RetailPrice, p.MAPPrice}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("calculated, price, sale, retail and MAP price (-want +got):\n%s", diff)
			}
		})
	}
}

// The path is the shortest one to the rule's category; of several shortest ones the path
// from the lowest category id, whatever the order of the product's categories.
func TestPricePath(t *testing.T) {
	parents := cohort.CategoryParents{1: 0, 2: 4, 3: 5, 4: 1, 5: 1, 6: 5}
	for _, tt := range []struct {
		rule       int64
		categories []int64
		want       []int64
	}{
		{1, []int64{4, 5}, []int64{4, 1}},
		{1, []int64{5, 4}, []int64{4, 1}},
		{1, []int64{2, 3, 6}, []int64{2, 4, 1}},
		{1, []int64{6, 3, 2}, []int64{2, 4, 1}},
		{1, []int64{2, 5}, []int64{5, 1}},
		{1, []int64{5, 2}, []int64{5, 1}},
		{4, []int64{2, 4}, []int64{4}},
		{5, []int64{6, 3, 1}, []int64{3, 5}},
	} {
		rule := cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: tt.rule, Method: cohort.MethodPercent}
		terms := cohort.PriceTerms{Group: &cohort.Group{DiscountRules: []cohort.DiscountRule{rule}}, Parents: parents}
		p := explainItem(cohort.NewPricer(terms), pricedItem{Product: cohort.Product{Categories: tt.categories}}, cohort.AllLosers)
		if diff := cmp.Diff(tt.want, p.Candidates[0].Path); diff != "" {
			t.Errorf("path from %v to %d (-want +got):\n%s", tt.categories, tt.rule, diff)
		}
	}
}

// Price returns sorted tiers and does not change the product's tiers.
func TestPriceDoesNotChangeInput(t *testing.T) {
	tiers := []cohort.BulkTier{{QuantityMin: 9}, {QuantityMin: 2}}
	terms := cohort.PriceTerms{Currency: currency("USD"), CatalogCurrency: currency("USD")}
	p := priceItem(cohort.NewPricer(terms), pricedItem{Product: cohort.Product{BulkTiers: tiers}})
	if p.BulkTiers[0].QuantityMin != 2 || tiers[0].QuantityMin != 9 {
		t.Fatalf("got the tiers %v, and the product has %v", p.BulkTiers, tiers)
	}
}

// benchmarkTerms returns the terms of a group with 500 rules in a store with 1 000
// categories on five levels.
func benchmarkTerms() cohort.PriceTerms {
	terms := cohort.PriceTerms{
		Currency: currency("USD"), CatalogCurrency: currency("USD"), Group: &cohort.Group{}, Parents: cohort.CategoryParents{},
	}
	for id := int64(1); id <= 1000; id++ {
		terms.Parents[id] = id / 4
	}
	rule := func(kind cohort.RuleType, id int64) {
		terms.Group.DiscountRules = append(terms.Group.DiscountRules, cohort.DiscountRule{
			Type: kind, TargetID: id, Method: methods[id%3], Amount: decimal.New(5_0000+id, -4),
		})
	}
	rule(cohort.RuleAll, 0)
	for id := int64(1); id < 250; id++ {
		rule(cohort.RuleCategory, id*4)
		rule(cohort.RuleProduct, id*4)
	}
	return terms
}

func benchmarkItem(id int64) pricedItem {
	return pricedItem{
		Product: cohort.Product{
			ID: id, Price: decimal.New(10_0000+id, -4), Categories: []int64{id%1000 + 1, id*7%1000 + 1},
		},
		Variant: &cohort.Variant{ID: id},
		Records: map[int64]cohort.PriceRecord{1: {Price: decimal.NewNullDecimal(decimal.New(9_0000+id, -4))}},
	}
}

// BenchmarkPrice prices one item, for a group with 500 rules and for one with a list.
func BenchmarkPrice(b *testing.B) {
	items := make([]pricedItem, 1000)
	for i := range items {
		items[i] = benchmarkItem(int64(i + 1))
	}
	byRules := benchmarkTerms()
	byList := byRules
	byList.Group, byList.GroupList = nil, cohort.AssignedList{ID: 1, Name: "Wholesale", Known: true, Active: true}
	for _, bb := range []struct {
		name  string
		terms cohort.PriceTerms
	}{{"rules", byRules}, {"list", byList}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			pricer := cohort.NewPricer(bb.terms)
			for i := 0; b.Loop(); i++ {
				priceItem(pricer, items[i%len(items)])
			}
		})
	}
}

// BenchmarkNewPricer measures the fixed cost of a request.
func BenchmarkNewPricer(b *testing.B) {
	b.ReportAllocs()
	terms := benchmarkTerms()
	for b.Loop() {
		cohort.NewPricer(terms)
	}
}
