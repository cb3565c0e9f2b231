package service

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// setBrand replaces the brand name of a product that is written by the id of the brand,
// which it creates if the store has no brand of this name. Without a name it returns
// KindInvalid unless the store has the brand.
//
// Transactions that lock products do so before they call setBrand.
func setBrand(tx *db.Tx, storeKey string, p *cohort.Product) (err error) {
	if p.BrandName == "" {
		return checkBrandExists(tx, storeKey, p.BrandID)
	}
	p.BrandID, err = brandNamed(tx, storeKey, p.BrandName)
	p.BrandName = ""
	return err
}

// brandNamed returns the id of the brand with a name, which it creates if there is none.
func brandNamed(tx *db.Tx, storeKey, name string) (int64, error) {
	id, err := tx.BrandIDByName(storeKey, name)
	if err != nil || id != 0 {
		return id, err
	}
	if err := tx.LockBrandNames(storeKey); err != nil {
		return 0, err
	}
	if id, err = tx.BrandIDByName(storeKey, name); err != nil || id != 0 {
		return id, err
	}
	b, err := tx.CreateBrand(storeKey, cohort.Brand{Name: name})
	return b.ID, err
}

// checkBrandExists returns KindInvalid unless the store has the brand. 0 means no brand. A
// brand that is deleted at the same time counts as none; see product_details.
func checkBrandExists(tx *db.Tx, storeKey string, id int64) error {
	if id == 0 {
		return nil
	}
	_, err := tx.Brand(storeKey, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return cohort.Invalid("brand_id", fmt.Sprintf("Brand id %d does not exist.", id))
	}
	return err
}
