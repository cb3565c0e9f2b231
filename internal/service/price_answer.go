package service

import (
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// answers computes the prices.
func (b *priceBasis) answers() ([]PricedAnswer, error) {
	c := calculator{
		priceBasis: b, pricer: cohort.NewPricer(b.terms), records: map[int64]cohort.PriceRecord{},
	}
	answers := make([]PricedAnswer, len(b.request.Items))
	wrong := cohort.ItemErrors{}
	for i, item := range b.request.Items {
		var err error
		if answers[i], err = c.answer(item); err != nil {
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
	pricer  *cohort.Pricer
	records map[int64]cohort.PriceRecord // of the item at hand; one map for all
}

func (c *calculator) answer(item PriceItem) (a PricedAnswer, err error) {
	product, ok := c.products[item.ProductID]
	if !ok {
		return a, cohort.Invalid("product_id", fmt.Sprintf("There is no product %d.", item.ProductID))
	}
	a.Item = item
	one, several, err := c.choose(product, item)
	if err != nil {
		return a, err
	}
	if one != nil {
		a.VariantID = one.ID
		a.Price = c.price(product, one, one.ID)
	} else {
		a.Price = c.price(product, nil, product.BaseVariantID)
		c.addRanges(&a, product, several)
	}
	if !a.Calculated.Valid {
		return a, cohort.Invalid("", fmt.Sprintf(
			"There is no price in %s. Catalog prices are in %s, and nothing is converted.", c.terms.Currency.Code, c.terms.CatalogCurrency.Code))
	}
	return a, nil
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

// price prices a variant, or the product as a whole, whose records are those of
// its base variant.
func (c *calculator) price(product cohort.Product, v *cohort.Variant, recordsOf int64) cohort.Price {
	clear(c.records)
	if len(c.priceBasis.records) > 0 {
		for _, list := range [...]int64{c.terms.GroupChannelList.ID, c.terms.GroupList.ID, c.terms.ChannelList.ID} {
			if r, ok := c.priceBasis.records[db.RecordKey{VariantID: recordsOf, PriceListID: list}]; ok {
				c.records[list] = r
			}
		}
	}
	return c.pricer.Price(cohort.PricedItem{Product: product, Variant: v, Records: c.records})
}

func (c *calculator) addRanges(a *PricedAnswer, product cohort.Product, variants []cohort.Variant) {
	for i := range variants {
		p := c.price(product, &variants[i], variants[i].ID)
		if p.Calculated.Valid {
			a.PriceRange = a.PriceRange.with(p.Calculated.Decimal)
		}
		if p.RetailPrice.Valid {
			a.RetailRange = a.RetailRange.with(p.RetailPrice.Decimal)
		}
	}
}
