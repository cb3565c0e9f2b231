package cohort

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// ruleIndex is a group's discount rules by what they are about, because a group
// may have a thousand and a request ask for hundreds of items.
type ruleIndex struct {
	products, categories map[int64]*DiscountRule
	sitewide             *DiscountRule // nil: none
}

func indexRules(rules []DiscountRule) ruleIndex {
	x := ruleIndex{products: map[int64]*DiscountRule{}, categories: map[int64]*DiscountRule{}}
	for i := range rules {
		switch r := &rules[i]; r.Type {
		case RuleAll:
			x.sitewide = r
		case RuleProduct:
			x.products[r.TargetID] = r
		case RuleCategory:
			x.categories[r.TargetID] = r
		}
	}
	return x
}

func (c *comparison) productRule() {
	c.single(SourceProductRule, c.rules.products[c.item.Product.ID], reasonProductRule)
}

func (c *comparison) sitewideRule() {
	c.single(SourceSitewideRule, c.rules.sitewide, reasonSitewideRule)
}

// single considers a rule that is the only one of its kind for the item, nil if
// there is none.
func (c *comparison) single(source PriceSource, r *DiscountRule, whyItWins string) {
	if r == nil {
		return
	}
	exact, gives := c.discount(r.Method, r.Amount, c.catalog.base())
	c.rule(PriceCandidate{Source: source, Rule: *r, Gives: gives}, exact, whyItWins)
}

// rule considers a discount rule that covers the item and leads to an exact price.
// It wins for a reason, if nothing has decided yet.
func (c *comparison) rule(candidate PriceCandidate, exact decimal.NullDecimal, whyItWins string) {
	candidate.Base = baseOf(candidate.Rule.Method, c.catalog.base())
	switch {
	case candidate.Reason != "": // another rule of its kind has won
	case c.decided != "":
		candidate.Reason = comesBefore[c.decided]
	case c.foreign != "":
		candidate.Reason = c.foreign
	default:
		c.win(&candidate, exact, whyItWins)
	}
	c.add(candidate)
}

// baseOf returns what a discount is taken from. A fixed price is taken from
// nothing.
func baseOf(m Method, base decimal.NullDecimal) decimal.NullDecimal {
	if m == MethodFixed {
		return decimal.NullDecimal{}
	}
	return base
}

// discount returns what a discount leads to, exact and rounded. Without a base
// not even fixed amounts mean anything: they are in the catalog's currency.
func (c *comparison) discount(m Method, amount decimal.Decimal, base decimal.NullDecimal) (exact, gives decimal.NullDecimal) {
	if !base.Valid {
		return exact, gives
	}
	exact = decimal.NewNullDecimal(m.apply(amount, base.Decimal))
	return exact, c.rounded(exact)
}

// apply returns what is paid for something that costs base, not rounded.
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

// reach is how a category rule comes to cover a product.
type reach struct {
	rule     *DiscountRule
	start    int64 // the product's category
	distance int   // how far the rule's category is above that
	// exact and gives are the price that the rule leads to, and that rounded.
	exact, gives decimal.NullDecimal
}

// categoryRules considers the category rules that cover the item, the one that
// decides among them first.
func (c *comparison) categoryRules() {
	if len(c.rules.categories) == 0 {
		return
	}
	reaches := c.reaches()
	for _, r := range reaches {
		candidate := PriceCandidate{Source: SourceCategoryRule, Rule: *r.rule, Gives: r.gives}
		candidate.Path = c.terms.Parents.Path(r.start)[:r.distance+1]
		if c.decided == SourceCategoryRule {
			candidate.Reason = categoryLoses(r, reaches[0])
			c.rule(candidate, r.exact, "")
			continue
		}
		c.rule(candidate, r.exact, categoryWins(reaches))
	}
}

// reaches returns each category rule that covers the item once, in the order in
// which they decide: the nearest, then the one that gives the lowest price, then
// the one with the lowest category id.
func (c *comparison) reaches() []reach {
	found := c.nearest()
	for i := range found {
		r := &found[i]
		r.exact, r.gives = c.discount(r.rule.Method, r.rule.Amount, c.catalog.base())
	}
	slices.SortFunc(found, func(a, b reach) int {
		return cmp.Or(
			cmp.Compare(a.distance, b.distance),
			a.gives.Decimal.Cmp(b.gives.Decimal),
			cmp.Compare(a.rule.TargetID, b.rule.TargetID),
		)
	})
	return found
}

// nearest returns each category rule that covers the item by the shortest way
// that leads to it, and from the lowest category where several are as short.
func (c *comparison) nearest() []reach {
	var found []reach
	// A climb ends where another has passed that had come no farther, because it
	// finds nothing new above. So a product may be in a thousand categories.
	passed := map[int64]int{}
	for _, start := range ascending(c.item.Product.Categories) {
		distance := 0
		for id := range c.terms.Parents.up(start) {
			if before, ok := passed[id]; ok && before <= distance {
				break
			}
			passed[id] = distance
			if r, ok := c.rules.categories[id]; ok {
				found = append(found, reach{rule: r, start: start, distance: distance})
			}
			distance++
		}
	}
	slices.SortFunc(found, func(a, b reach) int {
		return cmp.Or(cmp.Compare(a.rule.TargetID, b.rule.TargetID), cmp.Compare(a.distance, b.distance))
	})
	return slices.CompactFunc(found, func(a, b reach) bool { return a.rule.TargetID == b.rule.TargetID })
}

// ascending returns ids from the lowest on. It leaves those it is given as they are.
func ascending(ids []int64) []int64 {
	if slices.IsSorted(ids) {
		return ids
	}
	return slices.Sorted(slices.Values(ids))
}
