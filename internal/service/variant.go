package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CatalogVariant is a variant beside its product, which has the prices that the
// variant has not.
type CatalogVariant struct {
	cohort.Variant
	Product cohort.Product
}

// CreateVariant adds a variant to the product that it names and returns it as it
// is kept.
//
// It returns KindInvalid if a rule of variants is broken, KindNotFound if there is
// no such product, and KindConflict if the SKU is taken or the product has a
// variant with the same options.
func (s *Service) CreateVariant(ctx context.Context, storeHash string, v cohort.Variant) (kept CatalogVariant, err error) {
	if err := v.Validate(); err != nil {
		return kept, err
	}
	err = s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeHash, v.ProductID)
		if err != nil {
			return err
		}
		v.ID = 0 // an attempt before this one may have set it
		if err := checkSiblings(tx, storeHash, v); err != nil {
			return err
		}
		if err := checkSKUFree(tx, storeHash, v.SKU, 0); err != nil {
			return err
		}
		if v.ID, err = tx.NextID(storeHash, "variant"); err != nil {
			return err
		}
		kept = CatalogVariant{v, p}
		return tx.InsertVariant(storeHash, v)
	})
	return kept, skuConflict(err)
}

// Variant returns a variant of a product, or KindNotFound.
func (s *Service) Variant(ctx context.Context, storeHash string, productID, id int64) (v CatalogVariant, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if v.Product, err = tx.Product(storeHash, productID); err != nil {
			return err
		}
		v.Variant, err = tx.Variant(storeHash, productID, id)
		return err
	})
	return v, err
}

// ReadVariants hands on one page of the variants that pass the filter, by id, and
// returns how many pass it, unless the page is named by its place. Of their products
// it knows the prices only.
func (s *Service) ReadVariants(ctx context.Context, storeHash string, f cohort.VariantFilter, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		total, err = readVariants(tx, storeHash, f, p, to)
		return err
	})
	return total, err
}

// ReadVariantsOf is ReadVariants for all variants of a product. It returns
// KindNotFound if there is no such product.
func (s *Service) ReadVariantsOf(ctx context.Context, storeHash string, productID int64, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := tx.Product(storeHash, productID); err != nil {
			return err
		}
		total, err = readVariants(tx, storeHash, cohort.VariantFilter{ProductIDs: []int64{productID}}, p, to)
		return err
	})
	return total, err
}

func readVariants(tx *db.Tx, storeHash string, f cohort.VariantFilter, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	err = tx.ReadPricedVariants(storeHash, f, p, func(v cohort.Variant, product cohort.Product) bool {
		return to.Add(CatalogVariant{v, product})
	})
	if err != nil || byCursor(p) {
		return 0, err
	}
	return tx.CountVariants(storeHash, f)
}

// UpdateVariant changes a variant, and with the SKU of a base variant that of its
// product, and returns it as it is now. An update that holds nothing changes
// nothing. Errors are those of CreateVariant.
func (s *Service) UpdateVariant(ctx context.Context, storeHash string, productID, id int64, u cohort.VariantUpdate) (after CatalogVariant, err error) {
	if u.IsEmpty() {
		return s.Variant(ctx, storeHash, productID, id)
	}
	err = s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeHash, productID)
		if err != nil {
			return err
		}
		before, err := tx.Variant(storeHash, productID, id)
		if err != nil {
			return err
		}
		v := u.Apply(before)
		if err := checkVariant(tx, storeHash, p, v); err != nil {
			return err
		}
		if v.SKU != before.SKU {
			if err := checkSKUFree(tx, storeHash, v.SKU, id); err != nil {
				return err
			}
		}
		after = CatalogVariant{v, p}
		if id == p.BaseVariantID && v.SKU != p.SKU {
			after.Product.SKU = v.SKU
			after.Product.DateModified = laterOf(s.timestamp(), p.DateModified)
			if err := tx.UpdateProduct(storeHash, p, after.Product); err != nil {
				return err
			}
		}
		return tx.UpdateVariant(storeHash, v)
	})
	return after, skuConflict(err)
}

func checkVariant(tx *db.Tx, storeHash string, p cohort.Product, v cohort.Variant) error {
	if v.ID == p.BaseVariantID {
		return v.ValidateBase()
	}
	if err := v.Validate(); err != nil {
		return err
	}
	return checkSiblings(tx, storeHash, v)
}

// DeleteVariant deletes a variant of a product with its price records. It returns
// KindNotFound, or KindConflict for the base variant.
func (s *Service) DeleteVariant(ctx context.Context, storeHash string, productID, id int64) error {
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeHash, productID)
		if err != nil {
			return err
		}
		if _, err := tx.Variant(storeHash, productID, id); err != nil {
			return err
		}
		if id == p.BaseVariantID {
			return &cohort.Error{Kind: cohort.KindConflict, Message: "The base variant cannot be deleted. Delete the product."}
		}
		return tx.DeleteVariant(storeHash, id)
	})
}

// checkSiblings returns KindConflict if the product of a variant has another one
// with the same options, or has no room for a new one. The product is locked.
func checkSiblings(tx *db.Tx, storeHash string, v cohort.Variant) error {
	siblings, err := tx.ListVariants(storeHash, cohort.VariantFilter{ProductIDs: []int64{v.ProductID}}, everything)
	if err != nil {
		return err
	}
	for _, other := range siblings {
		if other.ID != v.ID && other.SameOptions(v) {
			return &cohort.Error{
				Kind: cohort.KindConflict, Field: "option_values",
				Reason: fmt.Sprintf("Variant %d of the product has the same option values.", other.ID),
			}
		}
	}
	if v.ID == 0 && len(siblings) > cohort.MaxVariants { // one of them is the base variant
		return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("A product has at most %d variants.", cohort.MaxVariants)}
	}
	return nil
}
