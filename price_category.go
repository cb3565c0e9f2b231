package cohort

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// nearestRules returns the category rules at the shortest distance from the product. They
// are the same for all of its variants.
func (p *ProductPricer) nearestRules() []cover {
	switch {
	case p.knowsNearest || p.pricer.rules.categories == nil:
	case p.knowsAll:
		p.nearest = p.all
		for i := range p.all {
			if p.all[i].distance > p.all[0].distance {
				p.nearest = p.all[:i]
				break
			}
		}
	default:
		p.nearest = p.pricer.covers(p.product.Categories, true)
	}
	p.knowsNearest = true
	return p.nearest
}

// allRules returns all category rules that cover the product, by distance.
func (p *ProductPricer) allRules() []cover {
	if !p.knowsAll {
		p.all, p.knowsAll = p.pricer.covers(p.product.Categories, false), true
	}
	return p.all
}

// categoryRules considers the category rules that cover the item. Explained candidates
// are in order of precedence.
func (c *comparison) categoryRules() {
	if c.rules.categories == nil || c.over() {
		return
	}
	covers, most := []cover(nil), 1
	if c.explanation == nil {
		covers = c.of.nearestRules()
	} else {
		// The winner's reason names the next rule, even if no loser is listed.
		covers, most = c.of.allRules(), max(c.explanation.most, 1)+1
	}
	if len(covers) == 0 {
		return
	}
	reaches := c.byPrecedence(covers, most)
	won, lost := c.ruleDecides(SourceCategoryRule, c.exactOf(reaches[0]))
	if c.explanation != nil {
		c.explainCategoryRules(reaches, won, lost)
		c.explanation.leaveOut(SourceCategoryRule, len(covers)-len(reaches))
	}
}

// explainCategoryRules adds category rules to the explanation. If won, the first one has
// won; otherwise all have lost for the same reason.
func (c *comparison) explainCategoryRules(reaches []reach, won bool, lost string) {
	for i, r := range reaches {
		reason := lost
		switch {
		case won && i == 0:
			reason = categoryWins(reaches)
		case won:
			reason = categoryLoses(r, reaches[0])
		}
		candidate := c.ruleCandidate(SourceCategoryRule, r.rule.DiscountRule, c.exactOf(r), won && i == 0, reason)
		candidate.Path = c.terms.Parents.Path(r.start)[:r.distance+1]
		c.explanation.add(candidate)
	}
}

func (c *comparison) exactOf(r reach) decimal.NullDecimal {
	return discount(r.rule.Method, r.rule.Amount, c.catalog.base())
}

// reach is a category rule that covers the item, with the rounded price that it gives, in
// the smallest unit of the currency.
type reach struct {
	cover
	gives int64
}

// byPrecedence returns the first rules that cover the item in order of precedence: by
// distance, then by the price that they give, then by category id. covers must be sorted
// by distance.
func (c *comparison) byPrecedence(covers []cover, most int) []reach {
	first := make([]reach, 0, min(most, len(covers)))
	base := newUnitBase(c.catalog.base(), c.terms.Currency)
	for _, one := range covers {
		full := len(first) == most
		if full && one.distance > first[most-1].distance {
			break
		}
		r := reach{one, c.unitsOf(one.rule, base)}
		if full {
			if compareReaches(r, first[most-1]) > 0 {
				continue
			}
			first = first[:most-1]
		}
		at, _ := slices.BinarySearchFunc(first, r, compareReaches)
		first = slices.Insert(first, at, r)
	}
	return first
}

func compareReaches(a, b reach) int {
	return cmp.Or(
		cmp.Compare(a.distance, b.distance),
		cmp.Compare(a.gives, b.gives),
		cmp.Compare(a.rule.TargetID, b.rule.TargetID),
	)
}
