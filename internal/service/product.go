package service

import (
	"context"
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateProduct adds a product with its base variant to a store and returns it
// as it is kept.
//
// It returns KindInvalid if a rule of products is broken or a category does not
// exist, and KindConflict if the SKU is taken.
func (s *Service) CreateProduct(ctx context.Context, storeHash string, p cohort.Product) (cohort.Product, error) {
	p = p.Normalized()
	if err := p.Validate(); err != nil {
		return cohort.Product{}, err
	}
	err := s.updateCatalog(ctx, storeHash, func(tx *db.Tx) (err error) {
		if err := checkCategoriesExist(tx, storeHash, p.Categories); err != nil {
			return err
		}
		if err := checkSKUFree(tx, storeHash, p.SKU, 0); err != nil {
			return err
		}
		if p.ID, err = tx.NextID(storeHash, "product"); err != nil {
			return err
		}
		if p.BaseVariantID, err = tx.NextID(storeHash, "variant"); err != nil {
			return err
		}
		p.DateCreated = s.timestamp()
		p.DateModified = p.DateCreated
		if err := tx.InsertProduct(storeHash, p); err != nil {
			return err
		}
		return tx.InsertVariant(storeHash, p.BaseVariant())
	})
	if err != nil {
		return cohort.Product{}, skuConflict(err)
	}
	return p, nil
}

// Product returns a product, or KindNotFound.
func (s *Service) Product(ctx context.Context, storeHash string, id int64) (p cohort.Product, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		p, err = tx.Product(storeHash, id)
		return err
	})
	return p, err
}

// ReadProducts hands on one page of the products that pass the filter, by id, and
// returns how many pass it, unless the page is named by its place.
func (s *Service) ReadProducts(ctx context.Context, storeHash string, f cohort.ProductFilter, p cohort.Page, to Sink[cohort.Product]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadProducts(storeHash, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountProducts(storeHash, f)
		return err
	})
	return total, err
}

// UpdateProduct changes a product, and with its SKU that of its base variant, and
// returns it as it is now. An update that holds nothing changes nothing. Errors
// are those of CreateProduct, and KindNotFound.
func (s *Service) UpdateProduct(ctx context.Context, storeHash string, id int64, u cohort.ProductUpdate) (after cohort.Product, err error) {
	if u.IsEmpty() {
		return s.Product(ctx, storeHash, id)
	}
	err = s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		before, err := tx.ProductForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if u.Categories != nil {
			if err := checkCategoriesExist(tx, storeHash, after.Categories); err != nil {
				return err
			}
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		if after.SKU != before.SKU {
			if err := checkSKUFree(tx, storeHash, after.SKU, after.BaseVariantID); err != nil {
				return err
			}
			if err := tx.UpdateVariant(storeHash, after.BaseVariant()); err != nil {
				return err
			}
		}
		return tx.UpdateProduct(storeHash, before, after)
	})
	return after, skuConflict(err)
}

// DeleteProduct deletes a product with its variants and their price records, or
// returns KindNotFound.
func (s *Service) DeleteProduct(ctx context.Context, storeHash string, id int64) error {
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error { return tx.DeleteProduct(storeHash, id) })
}

// DeleteProducts is DeleteProduct for all that pass the filter, if there are any.
func (s *Service) DeleteProducts(ctx context.Context, storeHash string, f cohort.ProductFilter) error {
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error { return tx.DeleteProducts(storeHash, f) })
}

// checkCategoriesExist returns KindInvalid unless the store has the categories,
// and keeps them there until the transaction ends.
func checkCategoriesExist(tx *db.Tx, storeHash string, ids []int64) error {
	has, err := tx.HasCategories(storeHash, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !has[id] {
			return cohort.Invalid("categories", fmt.Sprintf("Category id %d does not exist.", id))
		}
	}
	return nil
}

// checkSKUFree returns KindConflict if a variant other than one has the SKU.
func checkSKUFree(tx *db.Tx, storeHash, sku string, except int64) error {
	if sku == "" {
		return nil
	}
	owner, err := tx.VariantIDBySKU(storeHash, sku)
	if err == nil && owner != 0 && owner != except {
		return errSKUTaken
	}
	return err
}

var errSKUTaken = &cohort.Error{Kind: cohort.KindConflict, Field: "sku", Reason: "The SKU is that of another variant or product."}

// skuConflict is for two who take one SKU at the same moment: the check may find
// it free for both, and the index refuses one of them.
func skuConflict(err error) error {
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Kind == cohort.KindConflict && e.Field == "" && e.Message == "" {
		return errSKUTaken
	}
	return err
}
