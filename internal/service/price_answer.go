package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// answers computes the prices. It looks at ctx between them.
func (b *priceBasis) answers(ctx context.Context) ([]PricedAnswer, error) {
	c := calculator{
		priceBasis: b, ctx: ctx, pricer: cohort.NewPricer(b.terms), records: map[int64]cohort.PriceRecord{}, losers: ListedLosers,
	}
	if b.request.Full {
		c.losers = cohort.AllLosers
	}
	answers := make([]PricedAnswer, len(b.request.Items))
	wrong := cohort.ItemErrors{}
	for i, item := range b.request.Items {
		var err error
		answers[i], err = c.answer(item)
		if c.stopped != nil {
			return nil, c.stopped
		}
		if err != nil {
			wrong[i] = err
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return answers, nil
}

// calculator prices the items of a request, one after another.
type calculator struct {
	*priceBasis
	ctx     context.Context
	pricer  *cohort.Pricer
	records map[int64]cohort.PriceRecord // of the item at hand; one map for all
	losers  int                          // to list of each source
	// What maxPrices, maxRuleComparisons, maxOptionComparisons and maxListedSteps
	// bound.
	prices, compared, matched, steps int
	// stopped is why no more prices are computed: an error of the whole request.
	stopped error
}

func (c *calculator) answer(item PriceItem) (a PricedAnswer, err error) {
	product, ok := c.products[item.ProductID]
	if !ok {
		return a, cohort.Invalid("product_id", fmt.Sprintf("There is no product %d.", item.ProductID))
	}
	a.Item = item
	c.countMatches(product, item)
	if c.stopped != nil {
		return a, c.stopped
	}
	one, several, err := c.choose(product, item)
	if err != nil {
		return a, err
	}
	pricer := c.pricer.Product(product)
	if one != nil {
		a.VariantID = one.ID
	}
	c.useRecords(cmp.Or(a.VariantID, product.BaseVariantID))
	if c.explained {
		a.Price = pricer.Explain(one, c.records, c.losers)
		c.countSteps(a.Candidates)
	} else {
		a.Price = pricer.Price(one, c.records)
	}
	c.count(pricer)
	if one == nil {
		c.addRanges(&a, pricer, several)
	}
	if !a.Calculated.Valid {
		return a, cohort.Invalid("", fmt.Sprintf(
			"There is no price in %s. Catalog prices are in %s, and nothing is converted.", c.terms.Currency.Code, c.terms.CatalogCurrency.Code))
	}
	return a, nil
}

// count counts a price of a product, and notes if there must be no more.
func (c *calculator) count(p *cohort.ProductPricer) {
	c.prices++
	c.compared += p.CategoryRules()
	switch {
	case c.stopped != nil:
	case c.ctx.Err() != nil:
		c.stopped = c.ctx.Err()
	case c.prices > maxPrices:
		c.stopped = tooMuch("items", "prices of variants", maxPrices)
	case c.compared > maxRuleComparisons:
		c.stopped = tooMuch("items", "comparisons of category rules", maxRuleComparisons)
	}
}

// countMatches counts what it takes to find the variants that an item is.
func (c *calculator) countMatches(product cohort.Product, item PriceItem) {
	if len(item.Options) == 0 {
		return
	}
	for _, v := range c.ofProduct[product.ID] {
		c.matched += len(item.Options) * len(v.OptionValues)
	}
	if c.matched > maxOptionComparisons {
		c.stopped = tooMuch("items", "comparisons of options", maxOptionComparisons)
	}
}

func (c *calculator) countSteps(candidates []cohort.PriceCandidate) {
	for i := range candidates {
		c.steps += len(candidates[i].Path)
	}
	if c.steps > c.bounds.steps && c.stopped == nil {
		c.stopped = tooMuch("items", "categories in explanations", c.bounds.steps)
	}
}

// choose returns the variant that an item is, or those that the product as a
// whole stands for.
func (c *calculator) choose(product cohort.Product, item PriceItem) (one *cohort.Variant, several []cohort.Variant, err error) {
	if item.VariantID != 0 {
		v, ok := c.byID[item.VariantID]
		switch {
		case !ok:
			return nil, nil, cohort.Invalid("variant_id", fmt.Sprintf("There is no variant %d.", item.VariantID))
		case v.ProductID != product.ID:
			return nil, nil, cohort.Invalid("variant_id", fmt.Sprintf("Variant %d is not of product %d.", v.ID, product.ID))
		case !hasOptions(v, item.Options):
			return nil, nil, cohort.Invalid("options", fmt.Sprintf("Variant %d does not have these options.", v.ID))
		}
		return &v, nil, nil
	}
	for _, v := range c.ofProduct[product.ID] {
		// The base variant stands for all others, and is none to choose.
		if v.ID != product.BaseVariantID && hasOptions(v, item.Options) {
			several = append(several, v)
		}
	}
	if len(item.Options) == 0 {
		return nil, several, nil
	}
	switch len(several) {
	case 0:
		return nil, nil, cohort.Invalid("options", fmt.Sprintf("No variant of product %d has these options.", product.ID))
	case 1:
		return &several[0], nil, nil
	}
	return nil, several, nil
}

func hasOptions(v cohort.Variant, options []cohort.OptionValue) bool {
	for _, o := range options {
		if !slices.Contains(v.OptionValues, o) {
			return false
		}
	}
	return true
}

// useRecords takes the records of a variant. Those of a product as a whole are
// its base variant's.
func (c *calculator) useRecords(variantID int64) {
	clear(c.records)
	if len(c.priceBasis.records) == 0 {
		return
	}
	for _, list := range [...]int64{c.terms.GroupChannelList.ID, c.terms.GroupList.ID, c.terms.ChannelList.ID} {
		if r, ok := c.priceBasis.records[db.RecordKey{VariantID: variantID, PriceListID: list}]; ok {
			c.records[list] = r
		}
	}
}

func (c *calculator) addRanges(a *PricedAnswer, pricer *cohort.ProductPricer, variants []cohort.Variant) {
	for i := range variants {
		if c.stopped != nil {
			return
		}
		c.useRecords(variants[i].ID)
		p := pricer.Price(&variants[i], c.records)
		c.count(pricer)
		if p.Calculated.Valid {
			a.PriceRange = a.PriceRange.with(p.Calculated.Decimal)
		}
		if p.RetailPrice.Valid {
			a.RetailRange = a.RetailRange.with(p.RetailPrice.Decimal)
		}
	}
}
