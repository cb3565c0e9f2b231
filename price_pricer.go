package cohort

import (
	"slices"
	"sync"

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
	// found holds the covers that were looked for, by categoryList.
	found sync.Map
	// walks keeps what a walk through the category tree needs for the next one.
	walks sync.Pool
}

// NewPricer returns a pricer for terms, which must not be changed afterwards. The
// group's rules are those that [ValidateRules] lets pass. Its price_list rule is
// not looked at: the list that it names is the terms' GroupList.
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

// Price returns the price of an item, not explained.
func (p *Pricer) Price(item PricedItem) Price {
	return p.Product(item.Product).Price(item.Variant, item.Records)
}

// Explain returns the same price with its candidates. Of each source it lists
// the one that won and at most so many of those that lost.
func (p *Pricer) Explain(item PricedItem, losers int) Price {
	return p.Product(item.Product).Explain(item.Variant, item.Records, losers)
}

// Product prepares a product, so that its place in the category tree is looked
// up once for all of its variants.
func (p *Pricer) Product(product Product) *ProductPricer {
	return &ProductPricer{pricer: p, product: product}
}

// ProductPricer computes the prices of one product. One goroutine may use it at
// a time.
type ProductPricer struct {
	pricer  *Pricer
	product Product
	// The category rules that cover the product, once they are known.
	nearest, all           []cover
	knowsNearest, knowsAll bool
}

// CategoryRules is how many category rules are compared for each price: those
// that are nearest to the product.
func (p *ProductPricer) CategoryRules() int { return len(p.nearestRules()) }

// Price returns the price of a variant, or of the product as a whole for nil,
// not explained. The records are as in [PricedItem].
func (p *ProductPricer) Price(v *Variant, records map[int64]PriceRecord) Price {
	return p.compare(v, records, nil)
}

// Explain returns the same price with its candidates. Of each source it lists
// the one that won and at most so many of those that lost.
func (p *ProductPricer) Explain(v *Variant, records map[int64]PriceRecord, losers int) Price {
	told := &explanation{most: losers}
	told.candidates = make([]PriceCandidate, 0, p.pricer.most+min(len(p.product.BulkTiers), losers))
	return p.compare(v, records, told)
}

// compare goes through everything that could give a price, in order, until one
// has the say; an explanation makes it go on. So both come from one computation.
func (p *ProductPricer) compare(v *Variant, records map[int64]PriceRecord, told *explanation) Price {
	c := comparison{
		Pricer: p.pricer, of: p, told: told,
		item: PricedItem{Product: p.product, Variant: v, Records: records},
	}
	if c.foreign == "" {
		c.catalog = catalogFigures(p.product, v)
	}
	c.list(SourceGroupChannelList, c.terms.GroupChannelList)
	c.list(SourceGroupList, c.terms.GroupList)
	c.productRule()
	c.categoryRules()
	c.sitewideRule()
	c.list(SourceChannelList, c.terms.ChannelList)
	// Tiers are listed before the catalog, but take their discount from the price
	// that won, which may be the catalog's.
	won, reason := c.catalogDecides()
	tiers := c.bulkTiers()
	if told != nil {
		told.add(PriceCandidate{Source: SourceCatalog, Gives: c.rounded(c.catalog.base()), Won: won, Reason: reason})
	}
	return c.price(tiers)
}

// comparison is the computation of one price.
type comparison struct {
	*Pricer
	of      *ProductPricer
	item    PricedItem
	catalog figures // none in another currency than the catalog's
	// told takes the candidates. Where it is nil, no price is computed but the one
	// that wins.
	told *explanation
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

// over reports whether nothing that comes now makes a difference.
func (c *comparison) over() bool { return c.decided != "" && c.told == nil }

// win notes that a source wins, with a price that is not yet rounded.
func (c *comparison) win(source PriceSource, exact decimal.NullDecimal) {
	c.decided, c.exact = source, exact
}

// list considers a price list. One that cannot be used is passed over, as if it
// were not assigned.
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
	if c.told != nil {
		c.told.add(PriceCandidate{Source: source, List: l, Gives: c.rounded(price), Won: won, Reason: reason})
	}
}

// listed returns the item's record in a list, and the price that it gives.
func (c *comparison) listed(l AssignedList) (PriceRecord, decimal.NullDecimal) {
	if !l.Known {
		return PriceRecord{}, decimal.NullDecimal{}
	}
	record := c.item.Records[l.ID]
	return record, record.CalculatedPrice()
}

// catalogDecides lets the catalog win if nothing else has, and says why or why not.
func (c *comparison) catalogDecides() (won bool, reason string) {
	switch {
	case c.exact.Valid:
		return false, comesBefore[c.decided]
	case c.foreign != "":
		return false, c.foreign
	case c.decided != "": // by a list that has no price for this
		reason = reasonUnlisted
	case c.catalog.onSale():
		reason = reasonOnSale
	default:
		reason = reasonNothingElse
	}
	c.win(SourceCatalog, c.catalog.base())
	return true, reason
}

// bulkTiers returns the bulk tiers that apply, and has them told.
func (c *comparison) bulkTiers() []BulkTier {
	tiers := c.item.Product.BulkTiers
	applies := c.foreign == ""
	if c.byList && len(c.record.BulkTiers) > 0 {
		tiers, applies = c.record.BulkTiers, true
	}
	tiers = sortedTiers(tiers)
	if c.told != nil {
		c.tellTiers(tiers, applies)
	}
	if !applies {
		return nil
	}
	return tiers
}

func (c *comparison) tellTiers(tiers []BulkTier, apply bool) {
	for i, t := range tiers {
		if i >= c.told.most {
			c.told.leaveOut(SourceBulkTier, len(tiers)-i)
			return
		}
		candidate := PriceCandidate{Source: SourceBulkTier, Tier: t, Reason: c.foreign}
		if apply {
			candidate.Base, candidate.Reason = baseOf(t.Method, c.exact), tierReason(t)
			candidate.Gives = c.rounded(discount(t.Method, t.Amount, c.exact))
		}
		c.told.add(candidate)
	}
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
	price := Price{BulkTiers: tiers, Calculated: c.rounded(c.exact)}
	f := c.catalog
	if c.byList {
		// The sale price of the catalog is not in force beside a list's price.
		r := &c.record
		f = figures{first(r.Price, f.price), r.SalePrice, first(r.RetailPrice, f.retail), first(r.MAPPrice, f.minimum)}
	}
	price.Price, price.SalePrice, price.RetailPrice, price.MAPPrice = f.price, f.sale, f.retail, f.minimum
	if c.told != nil {
		price.Candidates, price.NotListed = c.told.candidates, c.told.notListed
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
