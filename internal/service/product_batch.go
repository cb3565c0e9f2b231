package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// UpdateProduct changes a product and returns the new state. The SKU of the base
// variant follows that of the product. An empty update changes nothing. Errors are
// those of CreateProduct, and KindNotFound.
func (s *Service) UpdateProduct(ctx context.Context, storeKey string, id int64, u cohort.ProductUpdate) (after cohort.Product, err error) {
	if u.IsEmpty() {
		return s.Product(ctx, storeKey, id)
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		before, err := tx.ProductForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		after, err = s.updateProduct(tx, storeKey, before, u)
		return err
	})
	return after, skuError(err)
}

// UpdateProducts changes all products or none, in the order of the batch, and returns the
// new states. It returns ItemErrors, which are those of UpdateProduct, and KindInvalid for
// a product that is in the batch twice.
func (s *Service) UpdateProducts(ctx context.Context, storeKey string, us []cohort.ProductUpdate) (after []cohort.Product, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		stored, err := lockProducts(tx, storeKey, us)
		if err != nil {
			return err
		}
		after = make([]cohort.Product, len(us))
		wrong := cohort.ItemErrors{}
		for i, u := range us {
			before, ok := stored[u.ID]
			switch {
			case !ok:
				err = &cohort.Error{Kind: cohort.KindNotFound, Field: "id", Reason: fmt.Sprintf("Product id %d does not exist.", u.ID)}
			case slices.ContainsFunc(us[:i], func(other cohort.ProductUpdate) bool { return other.ID == u.ID }):
				err = cohort.Invalid("id", "The product is in the request twice.")
			case u.IsEmpty():
				after[i], err = before, nil
			default:
				after[i], err = s.updateProduct(tx, storeKey, before, u)
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

// lockProducts returns the products of a batch that exist, by id, with row locks. If the
// batch names brands, it locks the names too, before any item is written.
func lockProducts(tx *db.Tx, storeKey string, us []cohort.ProductUpdate) (map[int64]cohort.Product, error) {
	ids := make([]int64, len(us))
	for i, u := range us {
		ids[i] = u.ID
	}
	slices.Sort(ids) // rows are locked in the order of their ids
	stored := make(map[int64]cohort.Product, len(us))
	for _, id := range slices.Compact(ids) {
		p, err := tx.ProductForUpdate(storeKey, id)
		switch {
		case err == nil:
			stored[id] = p
		case cohort.KindOf(err) != cohort.KindNotFound:
			return nil, err
		}
	}
	if slices.ContainsFunc(us, func(u cohort.ProductUpdate) bool { return u.BrandName != nil }) {
		return stored, tx.LockBrandNames(storeKey)
	}
	return stored, nil
}

// updateProduct changes a product that the transaction has locked.
func (s *Service) updateProduct(tx *db.Tx, storeKey string, before cohort.Product, u cohort.ProductUpdate) (after cohort.Product, err error) {
	now := laterOf(s.timestamp(storeKey), before.DateModified)
	if u.Details, err = adoptParts(tx, storeKey, before.Details, u.Details, now); err != nil {
		return after, err
	}
	after = u.Apply(before)
	if err := after.Validate(); err != nil {
		return after, err
	}
	if u.Categories != nil {
		if err := checkCategoriesExist(tx, storeKey, after.Categories); err != nil {
			return after, err
		}
	}
	if u.BrandID != nil || u.BrandName != nil {
		if err := setBrand(tx, storeKey, &after); err != nil {
			return after, err
		}
	}
	after.DateModified = now
	if after.SKU != before.SKU {
		if err := checkSKUFree(tx, storeKey, after.SKU, after.BaseVariantID); err != nil {
			return after, err
		}
		if err := tx.UpdateBaseVariant(storeKey, after); err != nil {
			return after, err
		}
	}
	return after, tx.UpdateProduct(storeKey, before, after)
}
