package cohort_test

import (
	"cohort.example/cohort"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The generators draw from small sets, so that rules, records and categories often
// refer to the same ids: nine categories in trees that may have cycles and missing
// parents, three products, four lists, and prices of which many are equal or need
// rounding at exactly one half.

const drawnCategories = 9

var methods = []cohort.Method{cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice}

func currency(code string) cohort.Currency {
	c, err := cohort.ParseCurrency(code)
	if err != nil {
		panic(err)
	}
	return c
}

var currencyGen = rapid.Map(rapid.SampledFrom([]string{"USD", "USD", "JPY", "KWD"}), currency)

func drawTerms(t *rapid.T) cohort.PriceTerms {
	terms := cohort.PriceTerms{
		Currency:         currencyGen.Draw(t, "currency"),
		GroupChannelList: drawList(t),
		GroupList:        drawList(t),
		ChannelList:      drawList(t),
		Parents:          drawParents(t),
	}
	terms.CatalogCurrency = terms.Currency
	if rapid.IntRange(0, 9).Draw(t, "foreign") == 9 {
		terms.CatalogCurrency = currency("EUR")
	}
	if rapid.IntRange(0, 9).Draw(t, "group") < 9 {
		terms.Group = &cohort.Group{ID: 1, DiscountRules: drawRules(t)}
	}
	return terms
}

// withoutLists draws terms without price lists: only the catalog and the rules of the
// group determine the price.
func withoutLists(t *rapid.T) cohort.PriceTerms {
	c := currencyGen.Draw(t, "currency")
	return cohort.PriceTerms{
		Currency: c, CatalogCurrency: c, Parents: drawParents(t),
		Group: &cohort.Group{ID: 1, DiscountRules: drawRules(t)},
	}
}

func drawList(t *rapid.T) cohort.AssignedList {
	if rapid.IntRange(0, 2).Draw(t, "assigned") < 2 {
		return cohort.AssignedList{}
	}
	return cohort.AssignedList{
		ID:     rapid.Int64Range(1, 4).Draw(t, "list"),
		Known:  rapid.IntRange(0, 4).Draw(t, "known") < 4,
		Active: rapid.IntRange(0, 4).Draw(t, "active") < 4,
	}
}

// drawParents draws a deep tree three times out of four, and otherwise any map.
func drawParents(t *rapid.T) cohort.CategoryParents {
	if rapid.IntRange(0, 3).Draw(t, "any map") == 3 {
		return rapid.MapOfN(
			rapid.Int64Range(1, drawnCategories), rapid.Int64Range(0, drawnCategories+1), 0, drawnCategories,
		).Draw(t, "parents")
	}
	ids := rapid.Permutation([]int64{1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t, "from the top down")
	parents := cohort.CategoryParents{ids[0]: 0}
	for i := 1; i < len(ids); i++ {
		parents[ids[i]] = ids[rapid.IntRange(max(0, i-3), i-1).Draw(t, "parent")]
	}
	return parents
}

// drawRules draws rules that one group may have, in any order.
func drawRules(t *rapid.T) []cohort.DiscountRule {
	var rules []cohort.DiscountRule
	if rapid.Bool().Draw(t, "sitewide") {
		rules = append(rules, drawRule(t, cohort.RuleAll, 0))
	}
	few := rapid.SampledFrom([]int{0, 2, 4}).Draw(t, "at least")
	for _, id := range rapid.SliceOfNDistinct(rapid.Int64Range(1, drawnCategories), few, 6, rapid.ID[int64]).Draw(t, "rules for categories") {
		rules = append(rules, drawRule(t, cohort.RuleCategory, id))
	}
	if id := rapid.Int64Range(1, 6).Draw(t, "a rule for a product"); id <= 3 {
		rules = append(rules, drawRule(t, cohort.RuleProduct, id))
	}
	return rapid.Permutation(rules).Draw(t, "rules")
}

func drawRule(t *rapid.T, kind cohort.RuleType, id int64) cohort.DiscountRule {
	method := rapid.SampledFrom(methods).Draw(t, "method")
	return cohort.DiscountRule{Type: kind, TargetID: id, Method: method, Amount: drawAmount(t, method)}
}

func drawAmount(t *rapid.T, m cohort.Method) decimal.Decimal {
	if m != cohort.MethodPercent {
		return drawPrice(t)
	}
	if rapid.Bool().Draw(t, "usual") {
		return decimal.NewFromInt(rapid.SampledFrom([]int64{0, 5, 10, 50, 100}).Draw(t, "percent"))
	}
	return decimal.New(rapid.Int64Range(0, 100_0000).Draw(t, "percent"), -4)
}

// drawPrice draws a price in ten-thousandths, the unit in which prices are stored.
func drawPrice(t *rapid.T) decimal.Decimal {
	n := rapid.OneOf(
		rapid.SampledFrom([]int64{0, 50, 5, 1_0000, 9_9900, 10_0000, 10_0050, 10_5000, 20_0000}),
		rapid.Int64Range(0, 200_0000),
		rapid.Int64Range(0, 1e18-1), // all valid prices
	).Draw(t, "price")
	return decimal.New(n, -cohort.AmountScale)
}

func drawOptional(t *rapid.T) decimal.NullDecimal {
	if rapid.Bool().Draw(t, "none") {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(drawPrice(t))
}

func drawItem(t *rapid.T) pricedItem {
	item := pricedItem{
		Product: cohort.Product{
			ID:          rapid.Int64Range(1, 3).Draw(t, "product"),
			Price:       drawPrice(t),
			SalePrice:   drawOptional(t).Decimal,
			RetailPrice: drawOptional(t).Decimal,
			MAPPrice:    drawOptional(t).Decimal,
			Categories:  drawCategories(t),
			BulkTiers:   drawTiers(t),
		},
		Records: map[int64]cohort.PriceRecord{},
	}
	if rapid.Bool().Draw(t, "variant") {
		item.Variant = &cohort.Variant{
			Price: drawOptional(t), SalePrice: drawOptional(t), RetailPrice: drawOptional(t), MAPPrice: drawOptional(t),
		}
	}
	for _, id := range rapid.SliceOfNDistinct(rapid.Int64Range(1, 4), 0, 4, rapid.ID[int64]).Draw(t, "records") {
		item.Records[id] = cohort.PriceRecord{
			Price: drawOptional(t), SalePrice: drawOptional(t), RetailPrice: drawOptional(t), MAPPrice: drawOptional(t),
			BulkTiers: drawTiers(t),
		}
	}
	return item
}

// drawModifiers draws the modifiers of an item.
func drawModifiers(t *rapid.T) (list []cohort.ChosenModifier) {
	for i := range rapid.Int64Range(0, 3).Draw(t, "modifiers") {
		list = append(list, cohort.ChosenModifier{
			OptionValue: cohort.OptionValue{OptionID: i + 1, ValueID: i + 1},
			Adjuster: cohort.Adjuster{
				Kind:   rapid.SampledFrom([]cohort.AdjusterKind{cohort.AdjustRelative, cohort.AdjustPercentage}).Draw(t, "adjuster"),
				Amount: decimal.New(rapid.Int64Range(-2_000_000, 2_000_000).Draw(t, "adjuster value"), -4),
			},
		})
	}
	return list
}

// drawCategories draws the categories of a product. Two times out of three it draws at
// least one.
func drawCategories(t *rapid.T) []int64 {
	least := rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "at least")
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, drawnCategories), least, 4, rapid.ID[int64]).Draw(t, "categories")
}

// drawTiers draws tiers with distinct minimum quantities, in any order.
func drawTiers(t *rapid.T) []cohort.BulkTier {
	var tiers []cohort.BulkTier
	for _, from := range rapid.SliceOfNDistinct(rapid.Int64Range(1, 100), 0, 3, rapid.ID[int64]).Draw(t, "tiers") {
		method := rapid.SampledFrom(methods).Draw(t, "method")
		tiers = append(tiers, cohort.BulkTier{
			QuantityMin: from, QuantityMax: rapid.SampledFrom([]int64{0, from, from + 9}).Draw(t, "to"),
			Method: method, Amount: drawAmount(t, method),
		})
	}
	return tiers
}
