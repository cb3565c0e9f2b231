package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ReadChannelAssignments sends one page of the assignments of products to channels that
// pass the filter, by product and channel, to a sink. It returns the number of all that
// pass. A product in no channel is in none of them.
func (s *Service) ReadChannelAssignments(ctx context.Context, storeKey string, f cohort.ProductAssignmentFilter, p cohort.Page, to Sink[cohort.ProductAssignment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadChannelAssignments(storeKey, f, p, to.Add); err != nil {
			return err
		}
		total, err = tx.CountChannelAssignments(storeKey, f)
		return err
	})
	return total, err
}

// ReadCategoryAssignments is ReadChannelAssignments for categories.
func (s *Service) ReadCategoryAssignments(ctx context.Context, storeKey string, f cohort.ProductAssignmentFilter, p cohort.Page, to Sink[cohort.ProductAssignment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadCategoryAssignments(storeKey, f, p, to.Add); err != nil {
			return err
		}
		total, err = tx.CountCategoryAssignments(storeKey, f)
		return err
	})
	return total, err
}

// AssignProductChannels adds products to channels, all or none. A product that is in a
// channel stays there. It returns ItemErrors of KindInvalid for a product or a channel that
// does not exist.
func (s *Service) AssignProductChannels(ctx context.Context, storeKey string, list []cohort.ProductAssignment) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		exists, err := holdChannels(tx, storeKey, targetsOf(list))
		if err != nil {
			return err
		}
		if err := tx.LockProductChannels(storeKey); err != nil {
			return err
		}
		products, err := tx.HoldProducts(storeKey, assignedProducts(list))
		if err != nil {
			return err
		}
		if err := checkProductAssignments(list, products, func(id int64) error {
			if !exists(id) {
				return unknownChannel(id)
			}
			return nil
		}); err != nil {
			return err
		}
		return tx.AddProductChannels(storeKey, list)
	})
}

// AssignProductCategories adds products to categories, all or none, after the categories
// that they have. A product that is in a category stays there. It returns ItemErrors of
// KindInvalid for a product or a category that does not exist, and for a product that would
// be in too many categories.
func (s *Service) AssignProductCategories(ctx context.Context, storeKey string, list []cohort.ProductAssignment) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		products, err := tx.LockProducts(storeKey, assignedProducts(list))
		if err != nil {
			return err
		}
		has, err := tx.HasCategories(storeKey, targetsOf(list))
		if err != nil {
			return err
		}
		if err := checkProductAssignments(list, products, func(id int64) error {
			if !has[id] {
				return cohort.Invalid("category_id", fmt.Sprintf("Category id %d does not exist.", id))
			}
			return nil
		}); err != nil {
			return err
		}
		if err := tx.AddProductCategories(storeKey, list, s.timestamp(storeKey)); err != nil {
			return err
		}
		return checkCategoryCounts(tx, storeKey, list)
	})
}

// checkProductAssignments checks that the products and the targets of assignments exist.
// products are those that do, by id.
func checkProductAssignments(list []cohort.ProductAssignment, products []int64, checkTarget func(id int64) error) error {
	wrong := cohort.ItemErrors{}
	for i, a := range list {
		err := checkTarget(a.TargetID)
		if _, found := slices.BinarySearch(products, a.ProductID); !found {
			err = cohort.Invalid("product_id", fmt.Sprintf("Product id %d does not exist.", a.ProductID))
		}
		if err := wrong.Add(i, err); err != nil {
			return err
		}
	}
	return wrong.Err()
}

// checkCategoryCounts returns ItemErrors for products that are now in too many categories.
func checkCategoryCounts(tx *db.Tx, storeKey string, list []cohort.ProductAssignment) error {
	full, err := tx.ProductsInMany(storeKey, assignedProducts(list), cohort.MaxCategoriesOfProduct)
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, a := range list {
		if slices.Contains(full, a.ProductID) {
			wrong[i] = cohort.Invalid("category_id", fmt.Sprintf("A product is in at most %d categories.", cohort.MaxCategoriesOfProduct))
		}
	}
	return wrong.Err()
}

// assignedProducts returns the ids of the products, each once and in order.
func assignedProducts(list []cohort.ProductAssignment) []int64 {
	return eachOnce(list, func(a cohort.ProductAssignment) int64 { return a.ProductID })
}

// targetsOf returns the ids of the channels or categories, each once and in order.
func targetsOf(list []cohort.ProductAssignment) []int64 {
	return eachOnce(list, func(a cohort.ProductAssignment) int64 { return a.TargetID })
}

func eachOnce(list []cohort.ProductAssignment, id func(cohort.ProductAssignment) int64) []int64 {
	ids := make([]int64, len(list))
	for i, a := range list {
		ids[i] = id(a)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// DeleteChannelAssignments removes products from channels. A product that loses all of its
// channels is in none, also not in channel 1.
func (s *Service) DeleteChannelAssignments(ctx context.Context, storeKey string, f cohort.ProductAssignmentFilter) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockProductChannels(storeKey); err != nil {
			return err
		}
		return tx.DeleteProductChannels(storeKey, f)
	})
}

// DeleteCategoryAssignments removes products from categories.
func (s *Service) DeleteCategoryAssignments(ctx context.Context, storeKey string, f cohort.ProductAssignmentFilter) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		return tx.DeleteProductCategories(storeKey, f, s.timestamp(storeKey))
	})
}

// leaveChannel removes all products from a channel that is deleted.
func leaveChannel(tx *db.Tx, storeKey string, channelID int64) error {
	if err := tx.LockProductChannels(storeKey); err != nil {
		return err
	}
	return tx.LeaveChannel(storeKey, channelID)
}
