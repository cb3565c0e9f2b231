package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// prices computes the prices. It checks ctx after each.
func (b *priceBasis) prices(ctx context.Context) ([]ItemPrice, error) {
	c := calculator{
		priceBasis: b, ctx: ctx, pricer: cohort.NewPricer(b.terms), records: map[int64]cohort.PriceRecord{}, losers: ListedLosers,
	}
	if b.request.Full {
		c.losers = cohort.AllLosers
	}
	prices := make([]ItemPrice, len(b.request.Items))
	wrong := cohort.ItemErrors{}
	for i, item := range b.request.Items {
		var err error
		prices[i], err = c.price(item)
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
	return prices, nil
}

// calculator computes the prices of the items of a request.
type calculator struct {
	*priceBasis
	ctx     context.Context
	pricer  *cohort.Pricer
	records map[int64]cohort.PriceRecord // of the current item, by list; reused
	losers  int                          // the number to list of each source
	// The counts that maxPrices, maxRuleComparisons, maxOptionComparisons and
	// maxListedSteps bound.
	priced, compared, matched, steps int
	// stopped is an error of the whole request, which ends the computation.
	stopped error
}

func (c *calculator) price(item PriceItem) (p ItemPrice, err error) {
	product, ok := c.products[item.ProductID]
	if !ok {
		return p, cohort.Invalid("product_id", fmt.Sprintf("There is no product %d.", item.ProductID))
	}
	p.Item = item
	c.countMatches(product, item)
	if c.stopped != nil {
		return p, c.stopped
	}
	one, several, err := c.choose(product, item)
	if err != nil {
		return p, err
	}
	pricer := c.pricer.Product(product)
	pricer.Modify(c.modifiers(product, item))
	if one != nil {
		p.VariantID = one.ID
	}
	c.useRecords(cmp.Or(p.VariantID, product.BaseVariantID))
	if c.explained {
		p.Price = pricer.Explain(one, c.records, c.losers)
		c.countSteps(p.Candidates)
	} else {
		p.Price = pricer.Price(one, c.records)
	}
	c.count(pricer)
	if one == nil {
		c.addRanges(&p, pricer, several)
	}
	if !p.Calculated.Valid {
		return p, cohort.Invalid("", fmt.Sprintf(
			"There is no price in %s. Catalog prices are in %s, and nothing is converted.", c.terms.Currency.Code, c.terms.CatalogCurrency.Code))
	}
	return p, nil
}

// modifiers returns the modifiers that an item chooses and that change its price, each once.
func (c *calculator) modifiers(product cohort.Product, item PriceItem) (chosen []cohort.ChosenModifier) {
	if len(c.adjusters) == 0 {
		return nil
	}
	for i, o := range item.Options {
		a, ok := c.adjusters[db.ModifierValue{ProductID: product.ID, OptionValue: o}]
		if ok && !slices.Contains(item.Options[:i], o) {
			chosen = append(chosen, cohort.ChosenModifier{OptionValue: o, Adjuster: a})
		}
	}
	return chosen
}

// count counts a price of a product, and stops the computation at a bound.
func (c *calculator) count(p *cohort.ProductPricer) {
	c.priced++
	c.compared += p.CategoryRules()
	switch {
	case c.stopped != nil:
	case c.ctx.Err() != nil:
		c.stopped = c.ctx.Err()
	case c.priced > maxPrices:
		c.stopped = tooMuch("items", "prices of variants", maxPrices)
	case c.compared > maxRuleComparisons:
		c.stopped = tooMuch("items", "comparisons of category rules", maxRuleComparisons)
	}
}

// countMatches counts the pairs of options that choose compares for an item, each of them
// at most twice.
func (c *calculator) countMatches(product cohort.Product, item PriceItem) {
	if len(item.Options) == 0 {
		return
	}
	c.matched += len(item.Options) * len(c.byID[item.VariantID].OptionValues)
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

// choose returns the variant that an item selects, or the variants of the product if
// the item selects the product as a whole.
func (c *calculator) choose(product cohort.Product, item PriceItem) (one *cohort.Variant, several []cohort.Variant, err error) {
	if item.VariantID != 0 {
		v, ok := c.byID[item.VariantID]
		switch {
		case !ok:
			return nil, nil, cohort.Invalid("variant_id", fmt.Sprintf("There is no variant %d.", item.VariantID))
		case v.ProductID != product.ID:
			return nil, nil, cohort.Invalid("variant_id", fmt.Sprintf("Variant %d is not of product %d.", v.ID, product.ID))
		case contradicts(v, item.Options):
			return nil, nil, cohort.Invalid("options", fmt.Sprintf("Variant %d does not have these options.", v.ID))
		}
		return &v, nil, nil
	}
	options := ofVariants(item.Options, c.ofProduct[product.ID])
	for _, v := range c.ofProduct[product.ID] {
		// The base variant stands for the product as a whole.
		if v.ID != product.BaseVariantID && hasOptions(v, options) {
			several = append(several, v)
		}
	}
	if len(options) == 0 {
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

// ofVariants returns those of the chosen options that a variant has a value of. The others
// are modifiers: clients send the whole configuration of a product.
func ofVariants(chosen []cohort.OptionValue, variants []cohort.Variant) (options []cohort.OptionValue) {
	for _, o := range chosen {
		if slices.ContainsFunc(variants, func(v cohort.Variant) bool { return hasOption(v, o.OptionID) }) {
			options = append(options, o)
		}
	}
	return options
}

func hasOption(v cohort.Variant, id int64) bool {
	return slices.ContainsFunc(v.OptionValues, func(o cohort.OptionValue) bool { return o.OptionID == id })
}

// contradicts reports whether one of the chosen options has another value in the variant.
func contradicts(v cohort.Variant, chosen []cohort.OptionValue) bool {
	return slices.ContainsFunc(chosen, func(o cohort.OptionValue) bool {
		return hasOption(v, o.OptionID) && !slices.Contains(v.OptionValues, o)
	})
}

func hasOptions(v cohort.Variant, options []cohort.OptionValue) bool {
	for _, o := range options {
		if !slices.Contains(v.OptionValues, o) {
			return false
		}
	}
	return true
}

// useRecords sets c.records to the price records of a variant. For a product as a
// whole that is the base variant.
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

// addRanges sets the price ranges of a product from its variants.
func (c *calculator) addRanges(p *ItemPrice, pricer *cohort.ProductPricer, variants []cohort.Variant) {
	for i := range variants {
		if c.stopped != nil {
			return
		}
		c.useRecords(variants[i].ID)
		variant := pricer.Price(&variants[i], c.records)
		c.count(pricer)
		if variant.Calculated.Valid {
			p.PriceRange = p.PriceRange.with(variant.Calculated.Decimal)
		}
		if variant.RetailPrice.Valid {
			p.RetailRange = p.RetailRange.with(variant.RetailPrice.Decimal)
		}
	}
}
