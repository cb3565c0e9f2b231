package cohort_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func aProduct(change func(*cohort.Product)) cohort.Product {
	p := cohort.Product{Name: "Boot", Type: cohort.ProductPhysical, Price: decimal.NewFromInt(50)}
	change(&p)
	return p
}

func TestProductValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*cohort.Product)
		field  string // "": valid
	}{
		{"plain", func(*cohort.Product) {}, ""},
		{"free", func(p *cohort.Product) { p.Price = decimal.Zero }, ""},
		{"digital", func(p *cohort.Product) { p.Type = cohort.ProductDigital }, ""},
		{"another type", func(p *cohort.Product) { p.Type = "gift" }, "type"},
		{"no type", func(p *cohort.Product) { p.Type = "" }, "type"},
		{"no name", func(p *cohort.Product) { p.Name = " " }, "name"},
		{"250 characters", func(p *cohort.Product) { p.Name = strings.Repeat("ß", 250) }, ""},
		{"251 characters", func(p *cohort.Product) { p.Name = strings.Repeat("ß", 251) }, "name"},
		{"long SKU", func(p *cohort.Product) { p.SKU = strings.Repeat("x", 256) }, "sku"},
		{"negative weight", func(p *cohort.Product) { p.Weight = amountOf("-0.1") }, "weight"},
		{"fine weight", func(p *cohort.Product) { p.Weight = amountOf("0.00001") }, "weight"},
		{"heavy", func(p *cohort.Product) { p.Weight = amountOf("100000000000000") }, "weight"},
		{"highest price", func(p *cohort.Product) { p.Price = amountOf("99999999999999.9999") }, ""},
		{"too high a price", func(p *cohort.Product) { p.Price = amountOf("100000000000000") }, "price"},
		{"negative price", func(p *cohort.Product) { p.Price = amountOf("-0.0001") }, "price"},
		{"fine sale price", func(p *cohort.Product) { p.SalePrice = amountOf("1.00001") }, "sale_price"},
		{"fine retail price", func(p *cohort.Product) { p.RetailPrice = amountOf("1.00001") }, "retail_price"},
		{"fine MAP", func(p *cohort.Product) { p.MAPPrice = amountOf("1.00001") }, "map_price"},
		{"categories", func(p *cohort.Product) { p.Categories = []int64{3, 1} }, ""},
		{"category 0", func(p *cohort.Product) { p.Categories = []int64{3, 0} }, "categories"},
		{"a thousand categories", func(p *cohort.Product) { p.Categories = upTo(1000) }, ""},
		{"more", func(p *cohort.Product) { p.Categories = upTo(1001) }, "categories"},
		{"bad tier", func(p *cohort.Product) { p.BulkTiers = make([]cohort.BulkTier, 1) }, "bulk_pricing_rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFault(t, aProduct(tt.change).Normalized().Validate(), tt.field) })
	}
}

func amountOf(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func upTo(n int64) (ids []int64) {
	for id := range n {
		ids = append(ids, id+1)
	}
	return ids
}

func TestProductIsNormalized(t *testing.T) {
	p := aProduct(func(p *cohort.Product) { p.Name, p.Categories = " Boot\n", []int64{3, 1, 3, 2, 1} }).Normalized()
	if diff := cmp.Diff([]int64{3, 1, 2}, p.Categories); diff != "" || p.Name != "Boot" {
		t.Errorf("name %q, categories (-want +got):\n%s", p.Name, diff)
	}
}

func TestProductUpdateApplies(t *testing.T) {
	before := aProduct(func(p *cohort.Product) { p.ID, p.BaseVariantID, p.SKU, p.Categories = 7, 8, "B", []int64{1} })
	if diff := cmp.Diff(before, cohort.ProductUpdate{}.Apply(before)); diff != "" {
		t.Errorf("an empty update changes it (-before +after):\n%s", diff)
	}
	tiers := []cohort.BulkTier{{QuantityMin: 5, Method: cohort.MethodPercent, Amount: amountOf("5")}}
	all := cohort.ProductUpdate{
		Name: new("Shoe"), Type: new(cohort.ProductDigital), SKU: new("C"), Weight: new(amountOf("1")), Price: new(amountOf("2")),
		SalePrice: new(amountOf("3")), RetailPrice: new(amountOf("4")), MAPPrice: new(amountOf("5")), Categories: &[]int64{2}, BulkTiers: &tiers,
	}
	want := cohort.Product{
		ID: 7, BaseVariantID: 8, Name: "Shoe", Type: cohort.ProductDigital, SKU: "C", Weight: amountOf("1"), Price: amountOf("2"),
		SalePrice: amountOf("3"), RetailPrice: amountOf("4"), MAPPrice: amountOf("5"), Categories: []int64{2}, BulkTiers: tiers,
	}
	if diff := cmp.Diff(want, all.Apply(before)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCatalogPrices(t *testing.T) {
	some := func(s string) decimal.NullDecimal {
		if s == "" {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(amountOf(s))
	}
	tests := []struct{ price, sale, variantPrice, variantSale, product, variant string }{
		{"50", "0", "", "", "50", "50"},
		{"50", "40", "", "", "40", "40"},
		{"50", "50", "", "", "50", "50"},
		{"50", "60", "", "", "50", "50"},
		{"50", "0", "30", "", "50", "30"},
		{"50", "40", "30", "", "40", "30"}, // the product's sale price is not lower
		{"50", "40", "45", "", "40", "40"},
		{"50", "40", "", "35", "40", "35"},
		{"50", "40", "", "45", "40", "45"}, // the variant's replaces the product's
		{"50", "40", "30", "20", "40", "20"},
		{"0.0001", "0", "", "", "0.0001", "0.0001"}, // not rounded
	}
	for _, tt := range tests {
		p := cohort.Product{Price: amountOf(tt.price), SalePrice: amountOf(tt.sale)}
		v := cohort.Variant{Price: some(tt.variantPrice), SalePrice: some(tt.variantSale)}
		if got := p.CalculatedPrice().String(); got != tt.product {
			t.Errorf("%+v: the product's calculated price is %s", tt, got)
		}
		if got := v.CalculatedPrice(p).String(); got != tt.variant {
			t.Errorf("%+v: the variant's calculated price is %s", tt, got)
		}
	}
}

func TestAmountRangeIntersect(t *testing.T) {
	amountRange := func(ends string) (r cohort.AmountRange) { // two digits, "-" for unbounded
		for i, at := range []*decimal.NullDecimal{&r.Min, &r.Max} {
			if ends[i] != '-' {
				*at = decimal.NewNullDecimal(decimal.NewFromInt(int64(ends[i] - '0')))
			}
		}
		return r
	}
	for _, tt := range [][3]string{
		{"--", "--", "--"},
		{"--", "26", "26"},
		{"2-", "-6", "26"},
		{"26", "48", "46"},
		{"28", "35", "35"},
		{"22", "66", "62"}, // empty
	} {
		for _, pair := range [][2]string{{tt[0], tt[1]}, {tt[1], tt[0]}} {
			if diff := cmp.Diff(amountRange(tt[2]), amountRange(pair[0]).Intersect(amountRange(pair[1]))); diff != "" {
				t.Errorf("%v (-want +got):\n%s", pair, diff)
			}
		}
	}
}
