package service

import (
	"context"
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateProduct adds a product with its base variant to a store and returns it as
// stored. It also adds variants, whose option values have labels and no ids, and the
// options that they name.
//
// It returns KindInvalid if a rule of products is broken or a category or the brand does
// not exist, KindConflict if the SKU is taken, and PartErrors of both kinds for variants.
func (s *Service) CreateProduct(ctx context.Context, storeKey string, p cohort.Product, variants ...cohort.VariantUpdate) (cohort.Product, error) {
	p = p.Normalized()
	if err := p.Validate(); err != nil {
		return cohort.Product{}, err
	}
	plan, err := planVariants(p.SKU, variants)
	if err != nil {
		return cohort.Product{}, err
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) (err error) {
		if err := checkCategoriesExist(tx, storeKey, p.Categories); err != nil {
			return err
		}
		if err := setBrand(tx, storeKey, &p); err != nil {
			return err
		}
		if err := checkSKUFree(tx, storeKey, p.SKU, 0); err != nil {
			return err
		}
		if err := plan.checkSKUs(tx, storeKey); err != nil {
			return err
		}
		p.DateCreated = s.timestamp(storeKey)
		p.DateModified = p.DateCreated
		if p.Details, err = adoptParts(tx, storeKey, nil, p.Details, p.DateCreated); err != nil {
			return err
		}
		if p, err = tx.CreateProduct(storeKey, p); err != nil {
			return err
		}
		return plan.insert(tx, storeKey, p.ID)
	})
	if err != nil {
		return cohort.Product{}, skuError(err)
	}
	return p, nil
}

// Product returns a product, or KindNotFound.
func (s *Service) Product(ctx context.Context, storeKey string, id int64) (p cohort.Product, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		p, err = tx.Product(storeKey, id)
		return err
	})
	return p, err
}

// ReadProducts sends one page of the products that pass the filter to a sink. It returns
// the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadProducts(ctx context.Context, storeKey string, f cohort.ProductFilter, o cohort.ProductOrder, p cohort.Page, to Sink[cohort.Product]) (total int64, err error) {
	done, err := s.awaitProductScan(ctx, f, o)
	if err != nil {
		return 0, err
	}
	defer done()
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadProducts(storeKey, f, o, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountProducts(storeKey, f)
		return err
	})
	return total, err
}

// awaitProductScan is awaitScan for a list of products, if it compares all of them.
func (s *Service) awaitProductScan(ctx context.Context, f cohort.ProductFilter, o cohort.ProductOrder) (done func(), err error) {
	if !f.Scans(o) {
		return func() {}, nil
	}
	return s.awaitScan(ctx)
}

// DeleteProduct deletes a product with its variants and their price records, or
// returns KindNotFound.
func (s *Service) DeleteProduct(ctx context.Context, storeKey string, id int64) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteProduct(storeKey, id) })
}

// DeleteProducts is DeleteProduct for all products that pass the filter. It is no
// error if there are none.
func (s *Service) DeleteProducts(ctx context.Context, storeKey string, f cohort.ProductFilter) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteProducts(storeKey, f) })
}

// checkCategoriesExist returns KindInvalid unless the store has the categories. It
// keeps them from being deleted until the transaction ends.
func checkCategoriesExist(tx *db.Tx, storeKey string, ids []int64) error {
	has, err := tx.HasCategories(storeKey, ids)
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
func checkSKUFree(tx *db.Tx, storeKey, sku string, except int64) error {
	if sku == "" {
		return nil
	}
	owner, err := tx.VariantIDBySKU(storeKey, sku)
	if err == nil && owner != 0 && owner != except {
		return errSKUTaken
	}
	return err
}

var errSKUTaken = &cohort.Error{Kind: cohort.KindConflict, Field: "sku", Reason: "The SKU is that of another variant or product."}

// skuError turns a conflict with the unique index on SKUs into errSKUTaken. Two
// concurrent transactions with the same SKU may both pass checkSKUFree.
func skuError(err error) error {
	if isUniqueConflict(err) {
		return errSKUTaken
	}
	return err
}

// isUniqueConflict reports whether the database refused a row for a unique index.
func isUniqueConflict(err error) bool {
	e, ok := errors.AsType[*cohort.Error](err)
	return ok && e.Kind == cohort.KindConflict && e.Field == "" && e.Message == ""
}
