package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateBrand adds a brand to a store and returns it as stored, with its id. It returns
// KindInvalid if a rule of brands is broken, KindConflict if another brand has the name, and
// KindUnavailable during an import.
func (s *Service) CreateBrand(ctx context.Context, storeKey string, b cohort.Brand) (created cohort.Brand, err error) {
	b = b.Normalized()
	if err := b.Validate(); err != nil {
		return cohort.Brand{}, err
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) (err error) {
		if err := tx.LockBrandNames(storeKey); err != nil {
			return err
		}
		if err := checkBrandName(tx, storeKey, b); err != nil {
			return err
		}
		created, err = tx.CreateBrand(storeKey, b)
		return err
	})
	return created, err
}

// checkBrandName returns KindConflict if another brand has the name of b.
func checkBrandName(tx *db.Tx, storeKey string, b cohort.Brand) error {
	id, err := tx.BrandIDByName(storeKey, b.Name)
	if err != nil || id == 0 || id == b.ID {
		return err
	}
	return &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "Another brand has this name."}
}

// Brand returns a brand, or KindNotFound.
func (s *Service) Brand(ctx context.Context, storeKey string, id int64) (b cohort.Brand, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		b, err = tx.Brand(storeKey, id)
		return err
	})
	return b, err
}

// ReadBrands sends one page of the brands that pass the filter to a sink. It returns the
// number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadBrands(ctx context.Context, storeKey string, f cohort.BrandFilter, o cohort.BrandOrder, p cohort.Page, to Sink[cohort.Brand]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadBrands(storeKey, f, o, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountBrands(storeKey, f)
		return err
	})
	return total, err
}

// UpdateBrand changes a brand and returns the new state. Errors are those of CreateBrand,
// and KindNotFound.
func (s *Service) UpdateBrand(ctx context.Context, storeKey string, id int64, u cohort.BrandUpdate) (after cohort.Brand, err error) {
	if u.IsEmpty() {
		return s.Brand(ctx, storeKey, id)
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockBrandNames(storeKey); err != nil {
			return err
		}
		before, err := tx.BrandForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkBrandName(tx, storeKey, after); err != nil {
			return err
		}
		return tx.UpdateBrand(storeKey, before, after)
	})
	if err != nil {
		return cohort.Brand{}, err
	}
	return after, nil
}

// DeleteBrand deletes a brand. It returns KindNotFound, and KindUnavailable during an import.
func (s *Service) DeleteBrand(ctx context.Context, storeKey string, id int64) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteBrand(storeKey, id) })
}

// DeleteBrands deletes the brands that pass the filter. It returns KindUnavailable during an
// import.
func (s *Service) DeleteBrands(ctx context.Context, storeKey string, f cohort.BrandFilter) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteBrands(storeKey, f) })
}
