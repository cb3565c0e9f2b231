package db

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// ProductsToPrice is [Tx.ProductsToPrice] for the past.
func (p *PastPrices) ProductsToPrice(storeKey string, ids []int64, tiersLeft *Budget) (map[int64]cohort.Product, error) {
	products, err := p.tx.ProductsToPrice(storeKey, ids, tiersLeft)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		r := p.resources[pastKey{pastType: pastProduct, id: id}]
		switch {
		case r == nil:
			continue
		case !r.exists:
			delete(products, id)
			continue
		}
		product := products[id]
		product.ID = id
		if err := r.intoProduct(&product); err != nil {
			return nil, err
		}
		if err := tiersLeft.take(len(product.BulkTiers)); err != nil {
			return nil, err
		}
		products[id] = product
	}
	return products, nil
}

func (r *pastResource) intoProduct(p *cohort.Product) error {
	for field, into := range map[string]*decimal.Decimal{
		"price": &p.Price, "sale_price": &p.SalePrice, "retail_price": &p.RetailPrice, "map_price": &p.MAPPrice,
	} {
		amount := decimal.NewNullDecimal(*into)
		if err := r.amount(field, &amount); err != nil {
			return err
		}
		*into = amount.Decimal
	}
	if err := r.tiers("bulk_pricing_rules", &p.BulkTiers); err != nil {
		return err
	}
	return r.into("base_variant_id", &p.BaseVariantID)
}

// amount decodes an amount into the form in which the database has it.
func (r *pastResource) amount(field string, into *decimal.NullDecimal) error {
	err := r.into(field, into)
	if into.Valid {
		into.Decimal = toAmount(fromAmount(into.Decimal))
	}
	return err
}

func (r *pastResource) tiers(field string, into *[]cohort.BulkTier) error {
	return r.text(field, func(text string) (err error) {
		*into, err = decodeTiers(text)
		return err
	})
}

// prices decodes the prices that variants and records have.
func (r *pastResource) prices(price, sale, retail, advertised *decimal.NullDecimal) error {
	for field, into := range map[string]*decimal.NullDecimal{
		"price": price, "sale_price": sale, "retail_price": retail, "map_price": advertised,
	} {
		if err := r.amount(field, into); err != nil {
			return err
		}
	}
	return nil
}

// VariantsToPrice is [Tx.VariantsToPrice] for the past.
func (p *PastPrices) VariantsToPrice(storeKey string, ids []int64, optionsLeft *Budget) ([]cohort.Variant, error) {
	list, err := p.tx.VariantsToPrice(storeKey, ids, optionsLeft)
	if err != nil {
		return nil, err
	}
	return p.variants(list, func(v cohort.Variant) bool { return slices.Contains(ids, v.ID) }, optionsLeft)
}

// VariantsOfProducts is [Tx.VariantsOfProducts] for the past.
func (p *PastPrices) VariantsOfProducts(storeKey string, productIDs []int64, limit int, optionsLeft *Budget) ([]cohort.Variant, error) {
	list, err := p.tx.VariantsOfProducts(storeKey, productIDs, limit, optionsLeft)
	if err != nil {
		return nil, err
	}
	return p.variants(list, func(v cohort.Variant) bool { return slices.Contains(productIDs, v.ProductID) }, optionsLeft)
}

// variants returns the variants of now and of the past as they were, if they are wanted.
func (p *PastPrices) variants(now []cohort.Variant, wanted func(cohort.Variant) bool, optionsLeft *Budget) ([]cohort.Variant, error) {
	byID := make(map[int64]cohort.Variant, len(now))
	for _, v := range now {
		byID[v.ID] = v
	}
	for key, r := range p.resources {
		v := cohort.Variant{ID: key.id, ProductID: r.ids.ProductID}
		if key.pastType != pastVariant || !wanted(v) {
			continue
		}
		if current, ok := byID[v.ID]; ok {
			v = current
		}
		delete(byID, v.ID)
		if !r.exists {
			continue
		}
		if err := r.intoVariant(&v, optionsLeft); err != nil {
			return nil, err
		}
		byID[v.ID] = v
	}
	return slices.SortedFunc(maps.Values(byID), func(a, b cohort.Variant) int {
		return cmp.Or(cmp.Compare(a.ProductID, b.ProductID), cmp.Compare(a.ID, b.ID))
	}), nil
}

func (r *pastResource) intoVariant(v *cohort.Variant, optionsLeft *Budget) error {
	if err := r.prices(&v.Price, &v.SalePrice, &v.RetailPrice, &v.MAPPrice); err != nil || optionsLeft == nil {
		return err
	}
	err := r.text("option_values", func(text string) (err error) {
		v.OptionValues, err = decodeOptionValues(text)
		return err
	})
	if err != nil {
		return err
	}
	return optionsLeft.take(len(v.OptionValues))
}

// PriceAdjusters is [Tx.PriceAdjusters] for the past.
func (p *PastPrices) PriceAdjusters(storeKey string, valueIDs []int64) (map[ModifierValue]cohort.Adjuster, error) {
	for id := range p.lost {
		return nil, cohort.Invalid("as_of", fmt.Sprintf("The events do not say what the modifiers of product %d were at that time.", id))
	}
	list, err := p.tx.PriceAdjusters(storeKey, valueIDs)
	if err != nil {
		return nil, err
	}
	for v, a := range p.adjusters {
		if delete(list, v); a != nil {
			list[v] = *a
		}
	}
	return list, nil
}

// RecordsToPrice is [Tx.RecordsToPrice] for the past.
func (p *PastPrices) RecordsToPrice(storeKey string, listIDs []int64, currency string, variantIDs []int64, tiersLeft *Budget) (map[RecordKey]cohort.PriceRecord, error) {
	if err := p.checkRecords(listIDs, variantIDs); err != nil {
		return nil, err
	}
	records, err := p.tx.RecordsToPrice(storeKey, listIDs, currency, variantIDs, tiersLeft)
	if err != nil {
		return nil, err
	}
	for _, list := range listIDs {
		for _, variant := range variantIDs {
			r := p.resources[pastKey{pastType: pastRecord, id: variant, list: list, currency: currency}]
			if r == nil {
				continue
			}
			if err := r.intoRecord(records, RecordKey{variant, list}, tiersLeft); err != nil {
				return nil, err
			}
		}
	}
	return records, nil
}

// checkRecords returns an error if a list or a variant has been deleted since with records
// that no event has.
func (p *PastPrices) checkRecords(listIDs, variantIDs []int64) error {
	for _, id := range listIDs {
		var n int64
		if r := p.resources[pastKey{pastType: pastList, id: id}]; r != nil {
			if err := r.into(recordsField, &n); err != nil {
				return err
			}
		}
		if n > 0 {
			return cohort.Invalid("as_of", fmt.Sprintf("%s was deleted after that time, and no event has its price records.", priceListName(id)))
		}
	}
	for _, id := range variantIDs {
		if r := p.resources[pastKey{pastType: pastVariant, id: id}]; r != nil {
			if raw, deleted := r.fields[variantRecordsField]; deleted && raw == nil {
				return r.unknown(variantRecordsField)
			}
		}
	}
	return nil
}

func (r *pastResource) intoRecord(records map[RecordKey]cohort.PriceRecord, key RecordKey, tiersLeft *Budget) error {
	record := records[key]
	delete(records, key)
	if !r.exists {
		return nil
	}
	record.PriceListID, record.VariantID = key.PriceListID, key.VariantID
	if err := r.prices(&record.Price, &record.SalePrice, &record.RetailPrice, &record.MAPPrice); err != nil {
		return err
	}
	if err := r.tiers("bulk_pricing_tiers", &record.BulkTiers); err != nil {
		return err
	}
	records[key] = record
	return tiersLeft.take(len(record.BulkTiers))
}
