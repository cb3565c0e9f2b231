package cohort

import (
	"github.com/shopspring/decimal"
)

// ruleIndex holds a group's discount rules by target. A group can have a thousand rules,
// and a request hundreds of items.
type ruleIndex struct {
	products   map[int64]*DiscountRule
	categories *categoryGraph // nil: there are none
	sitewide   *DiscountRule  // nil: none
}

func indexRules(rules []DiscountRule, parents CategoryParents) ruleIndex {
	x := ruleIndex{products: map[int64]*DiscountRule{}}
	ofCategories := 0
	for i := range rules {
		switch r := &rules[i]; r.Type {
		case RuleAll:
			x.sitewide = r
		case RuleProduct:
			x.products[r.TargetID] = r
		case RuleCategory:
			ofCategories++
		}
	}
	if ofCategories > 0 {
		x.categories = newCategoryGraph(rules, ofCategories, parents)
	}
	return x
}

func (c *comparison) productRule() {
	c.single(SourceProductRule, c.rules.products[c.of.product.ID], reasonProductRule)
}

func (c *comparison) sitewideRule() {
	c.single(SourceSitewideRule, c.rules.sitewide, reasonSitewideRule)
}

// single considers the only rule of a kind for the item, nil for none.
func (c *comparison) single(source PriceSource, r *DiscountRule, whyItWins string) {
	if r == nil || c.over() {
		return
	}
	exact := discount(r.Method, r.Amount, c.catalog.base())
	won, reason := c.ruleDecides(source, exact)
	if won {
		reason = whyItWins
	}
	if c.explanation != nil {
		c.explanation.add(c.ruleCandidate(source, r, exact, won, reason))
	}
}

// ruleDecides makes a rule win with an unrounded price, unless another source has decided
// or the price is requested in another currency. Then it returns the reason why the rule
// loses.
func (c *comparison) ruleDecides(source PriceSource, exact decimal.NullDecimal) (won bool, lost string) {
	switch {
	case c.decided != "":
		return false, comesBefore[c.decided]
	case c.foreign != "":
		return false, c.foreign
	}
	c.win(source, exact)
	return true, ""
}

func (c *comparison) ruleCandidate(source PriceSource, r *DiscountRule, exact decimal.NullDecimal, won bool, reason string) PriceCandidate {
	return PriceCandidate{
		Source: source, Rule: *r, Base: baseOf(r.Method, c.catalog.base()),
		Gives: c.rounded(exact), Won: won, Reason: reason,
	}
}

// baseOf returns the amount that a discount is taken from; none for a fixed price.
func baseOf(m Method, base decimal.NullDecimal) decimal.NullDecimal {
	if m == MethodFixed {
		return decimal.NullDecimal{}
	}
	return base
}

// discount returns the unrounded price after a discount. Without a base there is none,
// not even for a fixed amount, which is in the catalog's currency.
func discount(m Method, amount decimal.Decimal, base decimal.NullDecimal) decimal.NullDecimal {
	if !base.Valid {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(m.apply(amount, base.Decimal))
}

// apply returns the unrounded price after a discount from base.
func (m Method) apply(amount, base decimal.Decimal) decimal.Decimal {
	switch m {
	case MethodPercent:
		return notNegative(base.Mul(maxPercent.Sub(amount).Shift(-2)))
	case MethodPrice:
		return notNegative(base.Sub(amount))
	case MethodFixed:
		return amount
	}
	return base
}

func notNegative(d decimal.Decimal) decimal.Decimal {
	if d.IsNegative() {
		return decimal.Zero
	}
	return d
}
