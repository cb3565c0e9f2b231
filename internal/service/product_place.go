package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ReadProductPlaces sends one page of the products of a category, by their places in it and
// by id, to a sink. It returns the number of all of them, and KindNotFound if the category
// does not exist.
func (s *Service) ReadProductPlaces(ctx context.Context, storeKey string, categoryID int64, p cohort.Page, to Sink[cohort.ProductPlace]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if _, err := tx.Category(storeKey, categoryID); err != nil {
			return err
		}
		if err := tx.ReadProductPlaces(storeKey, categoryID, p, to.Add); err != nil {
			return err
		}
		total, err = tx.CountCategoryAssignments(storeKey, cohort.ProductAssignmentFilter{TargetIDs: []int64{categoryID}})
		return err
	})
	return total, err
}

// PutProductPlaces sets the places of products in a category, of all or of none. It
// returns KindNotFound if the category does not exist, and ItemErrors of KindInvalid for a
// product that is not in it or is in the list twice.
func (s *Service) PutProductPlaces(ctx context.Context, storeKey string, categoryID int64, list []cohort.ProductPlace) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		ids := make([]int64, len(list))
		for i, p := range list {
			ids[i] = p.ProductID
		}
		slices.Sort(ids)
		if _, err := tx.LockProducts(storeKey, slices.Compact(ids)); err != nil {
			return err
		}
		has, err := tx.HasCategories(storeKey, []int64{categoryID})
		if err != nil {
			return err
		}
		if !has[categoryID] {
			return cohort.NotFound(fmt.Sprintf("category %d", categoryID))
		}
		inside, err := tx.ProductsInCategory(storeKey, categoryID, slices.Compact(ids))
		if err != nil {
			return err
		}
		if err := checkProductPlaces(list, inside); err != nil {
			return err
		}
		return tx.PutProductPlaces(storeKey, categoryID, list)
	})
}

// checkProductPlaces checks that the products are in the category, which has those inside,
// and in the list once.
func checkProductPlaces(list []cohort.ProductPlace, inside []int64) error {
	wrong := cohort.ItemErrors{}
	seen := map[int64]bool{}
	for i, p := range list {
		if _, found := slices.BinarySearch(inside, p.ProductID); !found {
			wrong[i] = cohort.Invalid("product_id", fmt.Sprintf("Product id %d is not in the category.", p.ProductID))
		} else if seen[p.ProductID] {
			wrong[i] = cohort.Invalid("product_id", "The product is in the request twice.")
		}
		seen[p.ProductID] = true
	}
	return wrong.Err()
}
