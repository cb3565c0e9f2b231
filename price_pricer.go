package cohort

import (
	"slices"
	"sync"

	"github.com/shopspring/decimal"
)

// Pricer computes prices under fixed terms. It is safe for concurrent use.
type Pricer struct {
	terms PriceTerms
	rules ruleIndex
	// foreign is the reason why the catalog gives no price; empty if it gives one.
	foreign string
	// most is the usual maximum of candidates of an item, without tiers.
	most int
	// found caches the results of covers, by categoryList.
	found sync.Map
	// walks holds walks for reuse.
	walks sync.Pool
}

// NewPricer returns a pricer for terms, which the caller must not change afterwards. The
// group's rules must be valid; see [ValidateRules]. Its price_list rule is ignored: the
// list is in the terms' GroupList.
func NewPricer(t PriceTerms) *Pricer {
	p := &Pricer{terms: t, most: 1} // the catalog
	if t.Group != nil {
		p.rules = indexRules(t.Group.DiscountRules, t.Parents)
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

// Product returns the pricer of a product. It looks up the product's category rules once
// for all of its variants.
func (p *Pricer) Product(product Product) *ProductPricer {
	return &ProductPricer{pricer: p, product: product}
}

// ProductPricer computes the prices of one product. It is not safe for concurrent use.
type ProductPricer struct {
	pricer    *Pricer
	product   Product
	modifiers []ChosenModifier
	// The category rules that cover the product, if known.
	nearest, all           []cover
	knowsNearest, knowsAll bool
}

// CategoryRules returns the number of category rules that each price compares: those at
// the shortest distance from the product.
func (p *ProductPricer) CategoryRules() int { return len(p.nearestRules()) }

// Price returns the price of a variant, or of the product as a whole for nil, without an
// explanation. The records are the variant's, or the base variant's for the product as a
// whole, in the terms' currency, by price list.
func (p *ProductPricer) Price(v *Variant, records map[int64]PriceRecord) Price {
	return p.compare(v, records, nil)
}

// Explain is Price with the candidates. Of each source it lists the winner and at most
// this number of losers.
func (p *ProductPricer) Explain(v *Variant, records map[int64]PriceRecord, losers int) Price {
	e := &explanation{most: losers}
	e.candidates = make([]PriceCandidate, 0, p.pricer.most+min(len(p.product.BulkTiers), losers))
	return p.compare(v, records, e)
}

// compare considers the sources of a price in order of precedence, until one decides. With
// an explanation, nil for none, it considers all of them.
func (p *ProductPricer) compare(v *Variant, records map[int64]PriceRecord, e *explanation) Price {
	c := comparison{Pricer: p.pricer, of: p, explanation: e, records: records}
	if c.foreign == "" {
		c.catalog = catalogFigures(p.product, v)
	}
	c.list(SourceGroupChannelList, c.terms.GroupChannelList)
	c.list(SourceGroupList, c.terms.GroupList)
	c.productRule()
	c.categoryRules()
	c.sitewideRule()
	c.list(SourceChannelList, c.terms.ChannelList)
	// Tiers are listed before the catalog, but their discount is taken from the winning
	// price, which may be the catalog's.
	won, reason := c.catalogDecides()
	c.modify()
	tiers := c.bulkTiers()
	if e != nil {
		e.add(PriceCandidate{Source: SourceCatalog, Gives: c.rounded(c.catalog.base()), Won: won, Reason: reason})
	}
	return c.price(tiers)
}

// comparison is the computation of one price.
type comparison struct {
	*Pricer
	of      *ProductPricer
	records map[int64]PriceRecord // by price list
	catalog figures               // zero in another currency than the catalog's
	// explanation collects the candidates. If it is nil, only the winning price is
	// computed.
	explanation *explanation
	// decided is the source that decides the price, if known. It need not win: a list
	// that applies but has no price leaves the price to the catalog.
	decided PriceSource
	// exact is the winning price, not rounded. In the end it includes the modifiers.
	exact    decimal.NullDecimal
	modified []AppliedModifier
	// record is the record of the winning list, if byList.
	record PriceRecord
	byList bool
}

// figures holds prices as the merchant entered them.
type figures struct{ price, sale, retail, minimum decimal.NullDecimal }

// catalogFigures returns the variant's prices, or the product's where it has none.
func catalogFigures(p Product, v *Variant) figures {
	f := figures{decimal.NewNullDecimal(p.Price), ifAny(p.SalePrice), ifAny(p.RetailPrice), ifAny(p.MAPPrice)}
	if v == nil {
		return f
	}
	return figures{first(v.Price, f.price), first(v.SalePrice, f.sale), first(v.RetailPrice, f.retail), first(v.MAPPrice, f.minimum)}
}

// CatalogPrice returns what the product as a whole costs without price lists and discounts:
// the sale price if it is in force, and otherwise the price. It is not rounded.
func (p Product) CatalogPrice() decimal.Decimal { return catalogFigures(p, nil).base().Decimal }

// ifAny returns a price of a product, where 0 means none.
func ifAny(d decimal.Decimal) decimal.NullDecimal {
	return decimal.NullDecimal{Decimal: d, Valid: d.IsPositive()}
}

func first(a, b decimal.NullDecimal) decimal.NullDecimal {
	if a.Valid {
		return a
	}
	return b
}

// onSale reports whether the sale price replaces the price.
func (f figures) onSale() bool { return f.sale.Valid && f.sale.Decimal.LessThan(f.price.Decimal) }

// base returns the catalog's price, from which discounts are taken.
func (f figures) base() decimal.NullDecimal {
	if f.onSale() {
		return f.sale
	}
	return f.price
}

// over reports whether the price is decided and later sources need no explanation.
func (c *comparison) over() bool { return c.decided != "" && c.explanation == nil }

// win records the winning source and its unrounded price.
func (c *comparison) win(source PriceSource, exact decimal.NullDecimal) {
	c.decided, c.exact = source, exact
}

// list considers a price list. An unknown or inactive list is ignored, as if it were not
// assigned.
func (c *comparison) list(source PriceSource, l AssignedList) {
	if l.ID == 0 || c.over() {
		return
	}
	record, price := c.listed(l)
	won, reason := false, ""
	switch {
	case !l.Known:
		reason = reasonUnknownList
	case !l.Active:
		reason = reasonInactiveList
	case c.decided != "":
		reason = comesBefore[c.decided]
	case !price.Valid:
		c.decided = source
		reason = c.unlistedReason()
	default:
		c.win(source, price)
		won, reason = true, listWins[source]
		c.record, c.byList = record, true
	}
	if c.explanation != nil {
		c.explanation.add(PriceCandidate{Source: source, List: l, Gives: c.rounded(price), Won: won, Reason: reason})
	}
}

// listed returns the item's record in a list and its price.
func (c *comparison) listed(l AssignedList) (PriceRecord, decimal.NullDecimal) {
	if !l.Known {
		return PriceRecord{}, decimal.NullDecimal{}
	}
	record := c.records[l.ID]
	return record, record.CalculatedPrice()
}

// catalogDecides makes the catalog win unless another source has won. It returns the
// reason in either case.
func (c *comparison) catalogDecides() (won bool, reason string) {
	switch {
	case c.exact.Valid:
		return false, comesBefore[c.decided]
	case c.foreign != "":
		return false, c.foreign
	case c.decided != "": // by a list without a price for the item
		reason = reasonUnlisted
	case c.catalog.onSale():
		reason = reasonOnSale
	default:
		reason = reasonNothingElse
	}
	c.win(SourceCatalog, c.catalog.base())
	return true, reason
}

// bulkTiers returns the bulk tiers that apply, and adds all to the explanation.
func (c *comparison) bulkTiers() []BulkTier {
	tiers := c.of.product.BulkTiers
	applies := c.foreign == ""
	if c.byList && len(c.record.BulkTiers) > 0 {
		tiers, applies = c.record.BulkTiers, true
	}
	tiers = sortedTiers(tiers)
	if c.explanation != nil {
		c.explainTiers(tiers, applies)
	}
	if !applies {
		return nil
	}
	return tiers
}

func (c *comparison) explainTiers(tiers []BulkTier, apply bool) {
	for i, t := range tiers {
		if i >= c.explanation.most {
			c.explanation.leaveOut(SourceBulkTier, len(tiers)-i)
			return
		}
		candidate := PriceCandidate{Source: SourceBulkTier, Tier: t, Reason: c.foreign}
		if apply {
			candidate.Base, candidate.Reason = baseOf(t.Method, c.exact), tierReason(t)
			candidate.Gives = c.rounded(discount(t.Method, t.Amount, c.exact))
		}
		c.explanation.add(candidate)
	}
}

// sortedTiers returns tiers by quantity. It does not change its argument.
func sortedTiers(tiers []BulkTier) []BulkTier {
	if slices.IsSortedFunc(tiers, compareTiers) {
		return tiers
	}
	return slices.SortedFunc(slices.Values(tiers), compareTiers)
}

// price builds the result.
func (c *comparison) price(tiers []BulkTier) Price {
	price := Price{BulkTiers: tiers, Calculated: c.rounded(c.exact), Modifiers: c.modified}
	f := c.catalog
	if c.byList {
		// The catalog's sale price does not apply with a list's price.
		r := &c.record
		f = figures{first(r.Price, f.price), r.SalePrice, first(r.RetailPrice, f.retail), first(r.MAPPrice, f.minimum)}
	}
	price.Price, price.SalePrice, price.RetailPrice, price.MAPPrice = f.price, f.sale, f.retail, f.minimum
	if c.explanation != nil {
		price.Candidates, price.NotListed = c.explanation.candidates, c.explanation.notListed
	}
	return price
}

// rounded returns a price rounded to the currency's decimals.
func (p *Pricer) rounded(exact decimal.NullDecimal) decimal.NullDecimal {
	if !exact.Valid {
		return exact
	}
	return decimal.NewNullDecimal(p.terms.Currency.Round(exact.Decimal))
}
