package cohort_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The pricer is compared with a second, slow implementation. It was written from
// docs/prices.md alone and computes with fractions.
func TestPriceModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		item.Chosen = drawModifiers(t)
		got := describe(explainItem(cohort.NewPricer(terms), item, cohort.AllLosers))
		if diff := gocmp.Diff(modelPrice(terms, item), got); diff != "" {
			t.Fatalf("(-model +pricer):\n%s", diff)
		}
	})
}

// described is a price as text, without the reasons.
type described struct {
	Calculated, Price, Sale, Retail, MAP string
	Tiers, Candidates, Modifiers         []string
}

func describe(p cohort.Price) described {
	d := described{
		Calculated: showNull(p.Calculated), Price: showNull(p.Price), Sale: showNull(p.SalePrice),
		Retail: showNull(p.RetailPrice), MAP: showNull(p.MAPPrice),
	}
	for _, t := range p.BulkTiers {
		d.Tiers = append(d.Tiers, showTier(t))
	}
	for _, m := range p.Modifiers {
		d.Modifiers = append(d.Modifiers, fmt.Sprint(m.OptionID, m.ValueID, " adds ", showNull(m.Adds)))
	}
	for _, c := range p.Candidates {
		what := ""
		switch c.Source {
		case cohort.SourceBulkTier:
			what = showTier(c.Tier)
		case cohort.SourceCategoryRule:
			what = fmt.Sprint(c.Rule.TargetID, c.Path)
		case cohort.SourceProductRule:
			what = fmt.Sprint(c.Rule.TargetID)
		case cohort.SourceGroupChannelList, cohort.SourceGroupList, cohort.SourceChannelList:
			what = fmt.Sprint(c.List.ID)
		}
		d.Candidates = append(d.Candidates, showCandidate(c.Source, what, showNull(c.Base), showNull(c.Gives), c.Won))
	}
	return d
}

func showCandidate(source cohort.PriceSource, what, base, gives string, won bool) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s base %s gives %s won %t", source, what, base, gives, won)), " ")
}

func showTier(t cohort.BulkTier) string {
	return fmt.Sprintf("%d-%d %s %s", t.QuantityMin, t.QuantityMax, t.Method, t.Amount.String())
}

func showNull(d decimal.NullDecimal) string {
	if !d.Valid {
		return "none"
	}
	return d.Decimal.Rat().RatString()
}

func show(r *big.Rat) string {
	if r == nil {
		return "none"
	}
	return r.RatString()
}

// model implements docs/prices.md for one item.
type model struct {
	cohort.PriceTerms
	item pricedItem
}

func modelPrice(terms cohort.PriceTerms, item pricedItem) described {
	m := model{terms, item}
	decides, list, winner := m.decides()
	record, listed := item.Records[list.ID], decides != cohort.SourceCatalog && winner != cohort.SourceCatalog && list.ID != 0
	price, sale, retail, mapPrice := m.entered()
	if listed {
		price, sale = either(record.Price, price), rat(record.SalePrice)
		retail, mapPrice = either(record.RetailPrice, retail), either(record.MAPPrice, mapPrice)
	}
	exact, modifiers := m.modified(m.exactOf(winner, list))
	d := described{Modifiers: modifiers, Calculated: show(m.halfUp(exact)), Price: show(price), Sale: show(sale), Retail: show(retail), MAP: show(mapPrice)}
	won := func(s cohort.PriceSource) bool { return winner == s && exact != nil }
	rule := func(s cohort.PriceSource, what string, r cohort.DiscountRule, first bool) {
		base := m.base()
		gives := m.halfUp(off(r.Method, r.Amount, base))
		if r.Method == cohort.MethodFixed {
			base = nil
		}
		d.Candidates = append(d.Candidates, showCandidate(s, what, show(base), show(gives), won(s) && first))
	}
	assigned := func(s cohort.PriceSource, l cohort.AssignedList) {
		if l.ID != 0 {
			d.Candidates = append(d.Candidates,
				showCandidate(s, fmt.Sprint(l.ID), "none", show(m.halfUp(m.inList(l))), won(s)))
		}
	}
	assigned(cohort.SourceGroupChannelList, m.GroupChannelList)
	assigned(cohort.SourceGroupList, m.GroupList)
	if r, ok := m.ruleFor(cohort.RuleProduct, item.Product.ID); ok {
		rule(cohort.SourceProductRule, fmt.Sprint(r.TargetID), r, true)
	}
	for i, w := range m.coveringRules() {
		rule(cohort.SourceCategoryRule, fmt.Sprint(w.rule.TargetID, w.path), w.rule, i == 0)
	}
	if r, ok := m.ruleFor(cohort.RuleAll, 0); ok {
		rule(cohort.SourceSitewideRule, "", r, true)
	}
	assigned(cohort.SourceChannelList, m.ChannelList)

	tiers, apply := item.Product.BulkTiers, m.same()
	if listed && len(record.BulkTiers) > 0 {
		tiers, apply = record.BulkTiers, true
	}
	for _, t := range slices.SortedFunc(slices.Values(tiers), func(a, b cohort.BulkTier) int { return cmp.Compare(a.QuantityMin, b.QuantityMin) }) {
		var base, gives *big.Rat
		if apply {
			d.Tiers = append(d.Tiers, showTier(t))
			base, gives = exact, m.halfUp(off(t.Method, t.Amount, exact))
		}
		if t.Method == cohort.MethodFixed {
			base = nil
		}
		d.Candidates = append(d.Candidates, showCandidate(cohort.SourceBulkTier, showTier(t), show(base), show(gives), false))
	}
	d.Candidates = append(d.Candidates,
		showCandidate(cohort.SourceCatalog, "", "none", show(m.halfUp(m.base())), won(cohort.SourceCatalog)))
	return d
}

// modified returns a price with the item's modifiers, and what each adds.
func (m model) modified(exact *big.Rat) (total *big.Rat, modifiers []string) {
	if exact == nil {
		return nil, nil
	}
	total = new(big.Rat).Set(exact)
	for _, c := range m.item.Chosen {
		var adds *big.Rat
		switch {
		case c.Kind == cohort.AdjustPercentage:
			adds = new(big.Rat).Mul(exact, new(big.Rat).Quo(c.Amount.Rat(), big.NewRat(100, 1)))
		case m.same():
			adds = c.Amount.Rat()
		}
		if adds != nil {
			total.Add(total, adds)
		}
		modifiers = append(modifiers, fmt.Sprint(c.OptionID, c.ValueID, " adds ", show(adds)))
	}
	if total.Sign() < 0 {
		total.SetInt64(0)
	}
	return total, modifiers
}

// decides returns the source that decides, its list if it is one, and the source of the
// final price.
func (m model) decides() (decides cohort.PriceSource, list cohort.AssignedList, winner cohort.PriceSource) {
	inForce := func(l cohort.AssignedList) bool { return l.ID != 0 && l.Known && l.Active }
	_, product := m.ruleFor(cohort.RuleProduct, m.item.Product.ID)
	_, sitewide := m.ruleFor(cohort.RuleAll, 0)
	switch {
	case inForce(m.GroupChannelList):
		decides, list = cohort.SourceGroupChannelList, m.GroupChannelList
	case inForce(m.GroupList):
		decides, list = cohort.SourceGroupList, m.GroupList
	case m.same() && product:
		decides = cohort.SourceProductRule
	case m.same() && len(m.coveringRules()) > 0:
		decides = cohort.SourceCategoryRule
	case m.same() && sitewide:
		decides = cohort.SourceSitewideRule
	case inForce(m.ChannelList):
		decides, list = cohort.SourceChannelList, m.ChannelList
	default:
		decides = cohort.SourceCatalog
	}
	if list.ID != 0 && m.inList(list) == nil {
		return decides, list, cohort.SourceCatalog
	}
	return decides, list, decides
}

func (m model) exactOf(winner cohort.PriceSource, list cohort.AssignedList) *big.Rat {
	switch winner {
	case cohort.SourceProductRule:
		r, _ := m.ruleFor(cohort.RuleProduct, m.item.Product.ID)
		return off(r.Method, r.Amount, m.base())
	case cohort.SourceCategoryRule:
		r := m.coveringRules()[0].rule
		return off(r.Method, r.Amount, m.base())
	case cohort.SourceSitewideRule:
		r, _ := m.ruleFor(cohort.RuleAll, 0)
		return off(r.Method, r.Amount, m.base())
	case cohort.SourceCatalog:
		return m.base()
	}
	return m.inList(list)
}

func (m model) same() bool { return m.Currency.Code == m.CatalogCurrency.Code }

func (m model) inList(l cohort.AssignedList) *big.Rat {
	r, ok := m.item.Records[l.ID]
	if !ok || !l.Known {
		return nil
	}
	return either(r.SalePrice, rat(r.Price))
}

func (m model) ruleFor(kind cohort.RuleType, id int64) (cohort.DiscountRule, bool) {
	if m.Group == nil {
		return cohort.DiscountRule{}, false
	}
	for _, r := range m.Group.DiscountRules {
		if r.Type == kind && r.TargetID == id {
			return r, true
		}
	}
	return cohort.DiscountRule{}, false
}

// entered returns the catalog's price, sale price, retail price and MAP price.
func (m model) entered() (price, sale, retail, mapPrice *big.Rat) {
	if !m.same() {
		return nil, nil, nil, nil
	}
	p, v := m.item.Product, m.item.Variant
	if v == nil {
		v = &cohort.Variant{}
	}
	positive := func(d decimal.Decimal) *big.Rat {
		if d.Sign() <= 0 {
			return nil
		}
		return d.Rat()
	}
	return either(v.Price, p.Price.Rat()), either(v.SalePrice, positive(p.SalePrice)),
		either(v.RetailPrice, positive(p.RetailPrice)), either(v.MAPPrice, positive(p.MAPPrice))
}

func (m model) base() *big.Rat {
	price, sale, _, _ := m.entered()
	if sale != nil && sale.Cmp(price) < 0 {
		return sale
	}
	return price
}

// coveringRule is a category rule that covers the product.
type coveringRule struct {
	rule cohort.DiscountRule
	path []int64
}

// coveringRules returns the category rules that cover the product, by precedence.
func (m model) coveringRules() []coveringRule {
	if m.Group == nil {
		return nil
	}
	var rules []coveringRule
	for _, r := range m.Group.DiscountRules {
		if r.Type != cohort.RuleCategory {
			continue
		}
		if path := m.shortest(r.TargetID); path != nil {
			rules = append(rules, coveringRule{r, path})
		}
	}
	slices.SortFunc(rules, func(a, b coveringRule) int {
		if n := cmp.Compare(len(a.path), len(b.path)); n != 0 {
			return n
		}
		if x, y := off(a.rule.Method, a.rule.Amount, m.base()), off(b.rule.Method, b.rule.Amount, m.base()); x != nil {
			if n := m.halfUp(x).Cmp(m.halfUp(y)); n != 0 {
				return n
			}
		}
		return cmp.Compare(a.rule.TargetID, b.rule.TargetID)
	})
	return rules
}

// shortest returns the shortest path from a category of the product to the target, from
// the lowest category id if several are shortest.
func (m model) shortest(target int64) []int64 {
	var best []int64
	for _, start := range slices.Sorted(slices.Values(m.item.Product.Categories)) {
		path := []int64{start}
		for path[len(path)-1] != target && len(path) < cohort.MaxCategoryDepth {
			parent := m.Parents[path[len(path)-1]]
			if _, known := m.Parents[parent]; parent == 0 || !known {
				break
			}
			path = append(path, parent)
		}
		if path[len(path)-1] == target && (best == nil || len(path) < len(best)) {
			best = path
		}
	}
	return best
}

// off returns the price after a discount, nil without a base.
func off(method cohort.Method, amount decimal.Decimal, base *big.Rat) *big.Rat {
	if base == nil {
		return nil
	}
	after := new(big.Rat)
	switch method {
	case cohort.MethodFixed:
		return amount.Rat()
	case cohort.MethodPrice:
		after.Sub(base, amount.Rat())
	case cohort.MethodPercent:
		after.Quo(amount.Rat(), big.NewRat(100, 1))
		after.Mul(after, base)
		after.Sub(base, after)
	}
	if after.Sign() < 0 {
		return new(big.Rat)
	}
	return after
}

// halfUp rounds half up.
func (m model) halfUp(exact *big.Rat) *big.Rat { return halfUp(exact, m.Currency.Decimals) }

func halfUp(exact *big.Rat, decimals int32) *big.Rat {
	if exact == nil {
		return nil
	}
	units := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	scaled := new(big.Rat).Mul(exact, new(big.Rat).SetInt(units))
	scaled.Add(scaled, big.NewRat(1, 2))
	whole := new(big.Int).Div(scaled.Num(), scaled.Denom())
	return new(big.Rat).SetFrac(whole, units)
}

func rat(d decimal.NullDecimal) *big.Rat {
	if !d.Valid {
		return nil
	}
	return d.Decimal.Rat()
}

func either(d decimal.NullDecimal, other *big.Rat) *big.Rat {
	if d.Valid {
		return d.Decimal.Rat()
	}
	return other
}
