package cohort

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Pricer computes what one shopper pays, under the terms it was made for.
// Several goroutines may use one.
type Pricer struct {
	terms PriceTerms
	rules ruleIndex
	// foreign says why the catalog gives no price. It is empty where it gives one.
	foreign string
	// most is how many candidates an item usually has at most, apart from tiers.
	most int
}

// NewPricer returns a pricer for terms, which must not be changed afterwards. The
// group's rules are those that [ValidateRules] lets pass. Its price_list rule is
// not looked at: the list that it names is the terms' GroupList.
func NewPricer(t PriceTerms) *Pricer {
	p := &Pricer{terms: t, most: 1} // the catalog
	if t.Group != nil {
		p.rules = indexRules(t.Group.DiscountRules)
		p.most += min(len(t.Group.DiscountRules), 4)
	}
	for _, l := range []AssignedList{t.GroupChannelList, t.GroupList, t.ChannelList} {
		if l.ID != 0 {
			p.most++
		}
	}
	if t.Currency.Code != t.CatalogCurrency.Code {
		p.foreign = foreignReason(t.CatalogCurrency, t.Currency)
	}
	return p
}

// Price returns the price of an item. It goes through everything that could give
// one, in order; what it notes on the way is both the decision and the
// explanation.
func (p *Pricer) Price(item PricedItem) Price {
	c := comparison{
		Pricer:     p,
		item:       item,
		candidates: make([]PriceCandidate, 0, p.most+len(item.Product.BulkTiers)),
	}
	if p.foreign == "" {
		c.catalog = catalogFigures(item.Product, item.Variant)
	}
	c.list(SourceGroupChannelList, p.terms.GroupChannelList)
	c.list(SourceGroupList, p.terms.GroupList)
	c.productRule()
	c.categoryRules()
	c.sitewideRule()
	c.list(SourceChannelList, p.terms.ChannelList)
	// Tiers are listed before the catalog, but take their discount from the price
	// that won, which may be the catalog's.
	catalog := c.catalogCandidate()
	tiers := c.bulkTiers()
	c.add(catalog)
	return c.price(tiers)
}

// comparison is the computation of one price.
type comparison struct {
	*Pricer
	item       PricedItem
	catalog    figures // none in another currency than the catalog's
	candidates []PriceCandidate
	// decided is the source that has the say, once there is one. It is not always
	// the one that wins: a list without a price leaves the price to the catalog.
	decided PriceSource
	// exact is the price that won, before it is rounded.
	exact decimal.NullDecimal
	// record is that of the list that won, if byList.
	record PriceRecord
	byList bool
}

// figures are prices as the merchant entered them.
type figures struct{ price, sale, retail, minimum decimal.NullDecimal }

// catalogFigures are the variant's prices, and the product's where it has none.
func catalogFigures(p Product, v *Variant) figures {
	f := figures{decimal.NewNullDecimal(p.Price), ifAny(p.SalePrice), ifAny(p.RetailPrice), ifAny(p.MAPPrice)}
	if v == nil {
		return f
	}
	return figures{first(v.Price, f.price), first(v.SalePrice, f.sale), first(v.RetailPrice, f.retail), first(v.MAPPrice, f.minimum)}
}

// ifAny returns a product's price that is 0 when there is none.
func ifAny(d decimal.Decimal) decimal.NullDecimal {
	return decimal.NullDecimal{Decimal: d, Valid: d.IsPositive()}
}

func first(a, b decimal.NullDecimal) decimal.NullDecimal {
	if a.Valid {
		return a
	}
	return b
}

// onSale reports whether the sale price stands in place of the price.
func (f figures) onSale() bool { return f.sale.Valid && f.sale.Decimal.LessThan(f.price.Decimal) }

// base is what the catalog gives, and what discounts are taken from.
func (f figures) base() decimal.NullDecimal {
	if f.onSale() {
		return f.sale
	}
	return f.price
}

func (c *comparison) add(candidate PriceCandidate) {
	c.candidates = append(c.candidates, candidate)
}

// win notes that a candidate wins, which gives a price that is not yet rounded.
func (c *comparison) win(candidate *PriceCandidate, exact decimal.NullDecimal, reason string) {
	candidate.Won, candidate.Reason = true, reason
	c.decided, c.exact = candidate.Source, exact
}

// list considers a price list. One that cannot be used is passed over, as if it
// were not assigned.
func (c *comparison) list(source PriceSource, l AssignedList) {
	if l.ID == 0 {
		return
	}
	candidate := PriceCandidate{Source: source, List: l}
	record, price := c.listed(l)
	candidate.Gives = c.rounded(price)
	switch {
	case !l.Known:
		candidate.Reason = reasonUnknownList
	case !l.Active:
		candidate.Reason = reasonInactiveList
	case c.decided != "":
		candidate.Reason = comesBefore[c.decided]
	case !price.Valid:
		c.decided = source
		candidate.Reason = c.unlistedReason()
	default:
		c.win(&candidate, price, listWins[source])
		c.record, c.byList = record, true
	}
	c.add(candidate)
}

// listed returns the item's record in a list, and the price that it gives.
func (c *comparison) listed(l AssignedList) (PriceRecord, decimal.NullDecimal) {
	if !l.Known {
		return PriceRecord{}, decimal.NullDecimal{}
	}
	record := c.item.Records[l.ID]
	return record, record.CalculatedPrice()
}

func (c *comparison) catalogCandidate() PriceCandidate {
	candidate := PriceCandidate{Source: SourceCatalog, Gives: c.rounded(c.catalog.base())}
	switch {
	case c.exact.Valid:
		candidate.Reason = comesBefore[c.decided]
	case c.foreign != "":
		candidate.Reason = c.foreign
	case c.decided != "": // by a list that has no price for this
		c.win(&candidate, c.catalog.base(), reasonUnlisted)
	case c.catalog.onSale():
		c.win(&candidate, c.catalog.base(), reasonOnSale)
	default:
		c.win(&candidate, c.catalog.base(), reasonNothingElse)
	}
	return candidate
}

// bulkTiers considers the bulk tiers, and returns those that apply.
func (c *comparison) bulkTiers() []BulkTier {
	if c.byList && len(c.record.BulkTiers) > 0 {
		return c.tierCandidates(c.record.BulkTiers)
	}
	if c.foreign == "" {
		return c.tierCandidates(c.item.Product.BulkTiers)
	}
	for _, t := range sortedTiers(c.item.Product.BulkTiers) {
		c.add(PriceCandidate{Source: SourceBulkTier, Tier: t, Reason: c.foreign})
	}
	return nil
}

func (c *comparison) tierCandidates(tiers []BulkTier) []BulkTier {
	tiers = sortedTiers(tiers)
	for _, t := range tiers {
		candidate := PriceCandidate{Source: SourceBulkTier, Tier: t, Base: baseOf(t.Method, c.exact), Reason: tierReason(t)}
		_, candidate.Gives = c.discount(t.Method, t.Amount, c.exact)
		c.add(candidate)
	}
	return tiers
}

// sortedTiers returns tiers by quantity. It leaves those it is given as they are.
func sortedTiers(tiers []BulkTier) []BulkTier {
	if slices.IsSortedFunc(tiers, compareTiers) {
		return tiers
	}
	return slices.SortedFunc(slices.Values(tiers), compareTiers)
}

// price puts together what was found.
func (c *comparison) price(tiers []BulkTier) Price {
	price := Price{BulkTiers: tiers, Candidates: c.candidates}
	f := c.catalog
	if c.byList {
		// The sale price of the catalog is not in force beside a list's price.
		r := &c.record
		f = figures{first(r.Price, f.price), r.SalePrice, first(r.RetailPrice, f.retail), first(r.MAPPrice, f.minimum)}
	}
	price.Price, price.SalePrice, price.RetailPrice, price.MAPPrice = f.price, f.sale, f.retail, f.minimum
	for i := range c.candidates {
		if c.candidates[i].Won {
			price.Calculated = c.candidates[i].Gives
		}
	}
	return price
}

// rounded returns a price as somebody pays it.
func (p *Pricer) rounded(exact decimal.NullDecimal) decimal.NullDecimal {
	if !exact.Valid {
		return exact
	}
	return decimal.NewNullDecimal(p.terms.Currency.Round(exact.Decimal))
}
