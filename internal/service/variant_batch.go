package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// VariantItem is a variant of a batch that is changed or created.
type VariantItem struct {
	ID        int64 // 0: a new variant
	ProductID int64 // of a new variant; else 0 or the product of the variant
	cohort.VariantUpdate
}

// PutVariants changes and creates the variants of a batch, all or none, in the order of the
// batch. It returns their new states.
//
// It returns ItemErrors, of KindInvalid for a variant or a product that does not exist and
// for a variant that is in the batch twice, and otherwise the errors of CreateVariant.
func (s *Service) PutVariants(ctx context.Context, storeKey string, items []VariantItem) (after []CatalogVariant, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		b := variantBatch{s: s, tx: tx, storeKey: storeKey}
		if err := b.lock(items); err != nil {
			return err
		}
		after = make([]CatalogVariant, len(items))
		wrong := cohort.ItemErrors{}
		done := map[int64]bool{}
		for i, item := range items {
			var err error
			if item.ID != 0 && done[item.ID] {
				err = cohort.Invalid("id", "The variant is in the request twice.")
			} else {
				after[i], err = b.put(item)
			}
			done[item.ID] = true
			if isUniqueConflict(err) { // perhaps of an earlier item
				return err
			}
			if err := wrong.Add(i, err); err != nil {
				return err
			}
		}
		return wrong.Err()
	})
	if err != nil {
		return nil, skuError(err)
	}
	return after, nil
}

// variantBatch is a batch in a transaction that has locked the products.
type variantBatch struct {
	s        *Service
	tx       *db.Tx
	storeKey string
	of       map[int64]int64 // the products of the variants that exist
	products map[int64]cohort.Product
}

// lock reads and locks the products of the items, in the order of their ids. A variant
// never changes its product.
func (b *variantBatch) lock(items []VariantItem) error {
	ids, wanted := []int64{}, map[int64]bool{}
	for _, item := range items {
		if item.ID != 0 {
			ids = append(ids, item.ID)
		} else {
			wanted[item.ProductID] = true
		}
	}
	variants, err := b.tx.ListVariants(b.storeKey, cohort.VariantFilter{IDs: ids}, everything)
	if err != nil {
		return err
	}
	b.of, b.products = map[int64]int64{}, map[int64]cohort.Product{}
	for _, v := range variants {
		b.of[v.ID] = v.ProductID
		wanted[v.ProductID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		p, err := b.tx.ProductForUpdate(b.storeKey, id)
		if cohort.KindOf(err) == cohort.KindNotFound && err != nil {
			continue
		}
		if err != nil {
			return err
		}
		b.products[id] = p
	}
	return nil
}

func (b *variantBatch) put(item VariantItem) (after CatalogVariant, err error) {
	if item.ID == 0 {
		return b.create(item)
	}
	p, ok := b.products[b.of[item.ID]]
	if !ok {
		return after, errNoVariant(item.ID)
	}
	if item.ProductID != 0 && item.ProductID != p.ID {
		return after, cohort.Invalid("product_id", fmt.Sprintf("Variant id %d is not a variant of product %d.", item.ID, item.ProductID))
	}
	before, err := b.tx.Variant(b.storeKey, p.ID, item.ID)
	if cohort.KindOf(err) == cohort.KindNotFound && err != nil { // deleted before the product was locked
		return after, errNoVariant(item.ID)
	}
	if err != nil {
		return after, err
	}
	return b.s.updateVariant(b.tx, b.storeKey, p, before, item.VariantUpdate)
}

func (b *variantBatch) create(item VariantItem) (after CatalogVariant, err error) {
	p, ok := b.products[item.ProductID]
	if !ok {
		return after, cohort.Invalid("product_id", fmt.Sprintf("Product id %d does not exist.", item.ProductID))
	}
	return createVariant(b.tx, b.storeKey, p, item.Apply(cohort.Variant{ProductID: p.ID}), item.OptionLabels)
}

func errNoVariant(id int64) error {
	return cohort.Invalid("id", fmt.Sprintf("Variant id %d does not exist.", id))
}
