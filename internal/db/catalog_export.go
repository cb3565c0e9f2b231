package db

import (
	"math"

	"cohort.example/cohort"
)

// ReadCatalog calls fn with all items of a kind in a store, by id, until fn returns false.
// It keeps few of them in memory. fn must not use the transaction.
func (t *Tx) ReadCatalog(storeKey string, kind cohort.CatalogKind, fn func(cohort.CatalogItem) (more bool)) error {
	all := cohort.Page{Number: 1, Size: math.MaxInt32}
	switch kind {
	case cohort.CatalogBrand:
		return t.ReadBrands(storeKey, cohort.BrandFilter{}, cohort.BrandOrder{}, all, func(b cohort.Brand) bool {
			return fn(cohort.CatalogItem{Kind: kind, ID: b.ID, Brand: b})
		})
	case cohort.CatalogCategory:
		return t.ReadCategories(storeKey, cohort.CategoryFilter{}, cohort.CategoryOrder{}, all, func(c cohort.Category) bool {
			return fn(cohort.CatalogItem{Kind: kind, ID: c.ID, Category: c})
		})
	case cohort.CatalogProduct:
		return t.ReadProducts(storeKey, cohort.ProductFilter{}, cohort.ProductOrder{}, all, func(p cohort.Product) bool {
			return fn(cohort.CatalogItem{Kind: kind, ID: p.ID, Product: p})
		})
	}
	return t.readDetailedVariants(storeKey, func(v cohort.Variant) bool {
		return fn(cohort.CatalogItem{Kind: kind, ID: v.ID, Variant: v})
	})
}

// readDetailedVariants calls fn with all variants of a store and their details, by id. The
// details of a variant have no long texts, so it reads those of productBatch variants at
// once.
func (t *Tx) readDetailedVariants(storeKey string, fn func(cohort.Variant) (more bool)) error {
	for page := (cohort.Page{Number: 1, Size: productBatch}); ; {
		batch, err := t.ListVariants(storeKey, cohort.VariantFilter{}, page)
		if err != nil {
			return err
		}
		ids, index := make([]int64, len(batch)), make(map[int64]int, len(batch))
		for i, v := range batch {
			ids[i], index[v.ID] = v.ID, i
		}
		err = t.readVariantDetails(storeKey, ids, func(id int64) *cohort.Variant { return &batch[index[id]] })
		if err != nil {
			return err
		}
		for _, v := range batch {
			if !fn(v) {
				return nil
			}
		}
		if len(batch) < productBatch {
			return nil
		}
		page.After = cursorOf([]any{&batch[len(batch)-1].ID})
	}
}
