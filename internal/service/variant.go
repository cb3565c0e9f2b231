package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CatalogVariant is a variant with its product, whose prices and weight stand in for those
// that the variant leaves out, and with the labels of its option values.
type CatalogVariant = db.CatalogVariant

// CreateVariant adds a variant to the product v.ProductID and returns it as stored. labels
// name those of its option values whose ids are 0, by index.
//
// It returns KindInvalid if a rule of variants is broken, KindNotFound if the product
// does not exist, and KindConflict if the SKU is taken or the product has a variant
// with the same options. See [resolveOptions] for the option values.
func (s *Service) CreateVariant(ctx context.Context, storeKey string, v cohort.Variant, labels ...cohort.OptionLabel) (created CatalogVariant, err error) {
	if labels == nil {
		if err := v.Validate(); err != nil {
			return created, err
		}
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeKey, v.ProductID)
		if err != nil {
			return err
		}
		created, err = createVariant(tx, storeKey, p, v, labels)
		return err
	})
	return created, skuError(err)
}

// createVariant adds a variant to a product that the caller has locked.
func createVariant(tx *db.Tx, storeKey string, p cohort.Product, v cohort.Variant, labels []cohort.OptionLabel) (created CatalogVariant, err error) {
	if v.OptionValues, err = resolveOptions(tx, storeKey, p.ID, v.OptionValues, labels); err != nil {
		return created, err
	}
	if err := v.Validate(); err != nil {
		return created, err
	}
	if err := checkSiblings(tx, storeKey, v); err != nil {
		return created, err
	}
	if err := checkSKUFree(tx, storeKey, v.SKU, 0); err != nil {
		return created, err
	}
	if v, err = tx.CreateVariant(storeKey, v); err != nil {
		return created, err
	}
	return tx.CompleteVariant(storeKey, p, v)
}

// Variant returns a variant of a product, or KindNotFound.
func (s *Service) Variant(ctx context.Context, storeKey string, productID, id int64) (v CatalogVariant, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		p, err := tx.Product(storeKey, productID)
		if err != nil {
			return err
		}
		stored, err := tx.Variant(storeKey, productID, id)
		if err != nil {
			return err
		}
		v, err = tx.CompleteVariant(storeKey, p, stored)
		return err
	})
	return v, err
}

// ReadVariants sends one page of the variants that pass the filter, by id, to a sink.
// Of their products only the prices and the weight are set. It returns the number of all that pass,
// or 0 for a page with a cursor.
func (s *Service) ReadVariants(ctx context.Context, storeKey string, f cohort.VariantFilter, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		total, err = readVariants(tx, storeKey, f, p, to)
		return err
	})
	return total, err
}

// ReadVariantsOf is ReadVariants for the variants of a product. It returns KindNotFound
// if the product does not exist.
func (s *Service) ReadVariantsOf(ctx context.Context, storeKey string, productID int64, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := tx.Product(storeKey, productID); err != nil {
			return err
		}
		total, err = readVariants(tx, storeKey, cohort.VariantFilter{ProductIDs: []int64{productID}}, p, to)
		return err
	})
	return total, err
}

func readVariants(tx *db.Tx, storeKey string, f cohort.VariantFilter, p cohort.Page, to Sink[CatalogVariant]) (total int64, err error) {
	if err := tx.ReadCatalogVariants(storeKey, f, p, to.Add); err != nil || byCursor(p) {
		return 0, err
	}
	return tx.CountVariants(storeKey, f)
}

// UpdateVariant changes a variant and returns the new state. The SKU of a product follows
// that of its base variant. An empty update changes nothing. Errors are those of
// CreateVariant.
func (s *Service) UpdateVariant(ctx context.Context, storeKey string, productID, id int64, u cohort.VariantUpdate) (after CatalogVariant, err error) {
	if u.IsEmpty() {
		return s.Variant(ctx, storeKey, productID, id)
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeKey, productID)
		if err != nil {
			return err
		}
		before, err := tx.Variant(storeKey, productID, id)
		if err != nil {
			return err
		}
		after, err = s.updateVariant(tx, storeKey, p, before, u)
		return err
	})
	return after, skuError(err)
}

// updateVariant changes a variant of a product that the caller has locked.
func (s *Service) updateVariant(tx *db.Tx, storeKey string, p cohort.Product, before cohort.Variant, u cohort.VariantUpdate) (after CatalogVariant, err error) {
	v := u.Apply(before)
	if u.OptionLabels != nil || !v.SameOptions(before) {
		if v.OptionValues, err = resolveOptions(tx, storeKey, p.ID, v.OptionValues, u.OptionLabels); err != nil {
			return after, err
		}
	}
	if err := checkVariant(tx, storeKey, p, v); err != nil {
		return after, err
	}
	if v.SKU != before.SKU {
		if err := checkSKUFree(tx, storeKey, v.SKU, v.ID); err != nil {
			return after, err
		}
	}
	if v.ID == p.BaseVariantID && v.SKU != p.SKU {
		changed := p
		changed.SKU = v.SKU
		changed.DateModified = laterOf(s.timestamp(storeKey), p.DateModified)
		if err := tx.UpdateProduct(storeKey, p, changed); err != nil {
			return after, err
		}
	}
	if err := tx.UpdateVariant(storeKey, before, v); err != nil {
		return after, err
	}
	return tx.CompleteVariant(storeKey, p, v)
}

func checkVariant(tx *db.Tx, storeKey string, p cohort.Product, v cohort.Variant) error {
	if v.ID == p.BaseVariantID {
		return v.ValidateBase()
	}
	if err := v.Validate(); err != nil {
		return err
	}
	return checkSiblings(tx, storeKey, v)
}

// DeleteVariant deletes a variant of a product with its price records. It returns
// KindNotFound, or KindConflict for the base variant.
func (s *Service) DeleteVariant(ctx context.Context, storeKey string, productID, id int64) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		p, err := tx.ProductForUpdate(storeKey, productID)
		if err != nil {
			return err
		}
		v, err := tx.Variant(storeKey, productID, id)
		if err != nil {
			return err
		}
		if id == p.BaseVariantID {
			return &cohort.Error{Kind: cohort.KindConflict, Message: "The base variant cannot be deleted. Delete the product."}
		}
		return tx.DeleteVariant(storeKey, v)
	})
}

// checkSiblings returns KindConflict if the product of a variant has another variant
// with the same options, or has cohort.MaxVariants already. The caller has locked the
// product.
func checkSiblings(tx *db.Tx, storeKey string, v cohort.Variant) error {
	siblings, err := tx.ListVariants(storeKey, cohort.VariantFilter{ProductIDs: []int64{v.ProductID}}, everything)
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
