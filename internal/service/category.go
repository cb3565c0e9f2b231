package service

import (
	"context"
	"fmt"
	"math"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// everything is a page that has the whole of a list.
var everything = cohort.Page{Number: 1, Size: math.MaxInt32}

// MaxTreeCategories is how many categories a store may have for its tree to be
// shown. A tree is one answer that has to be put together in memory, at about 300
// bytes for a category with a long name.
const MaxTreeCategories = 20_000

// byCursor reports whether a page is named by its place, which is when nobody
// asks how long the list is.
func byCursor(p cohort.Page) bool { return p.After != "" || p.Before != "" }

// CreateCategory adds a category to a store's tree and returns it as it is kept.
//
// It returns KindInvalid if a rule of categories is broken or the category cannot
// have this place, and KindConflict if there is one of this name.
func (s *Service) CreateCategory(ctx context.Context, storeHash string, c cohort.Category) (cohort.Category, error) {
	c = c.Normalized()
	if err := c.Validate(); err != nil {
		return cohort.Category{}, err
	}
	err := s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeHash); err != nil {
			return err
		}
		c.ID = 0 // an attempt before this one may have set it
		tree, err := tx.CategoryParentsOf(storeHash, []int64{c.ParentID})
		if err != nil {
			return err
		}
		if err := tree.CheckPlace(c); err != nil {
			return err
		}
		if err := checkCategoryName(tx, storeHash, c); err != nil {
			return err
		}
		if c.ID, err = tx.NextID(storeHash, "category"); err != nil {
			return err
		}
		return tx.InsertCategory(storeHash, c)
	})
	if err != nil {
		return cohort.Category{}, err
	}
	return c, nil
}

// Category returns a category, or KindNotFound.
func (s *Service) Category(ctx context.Context, storeHash string, id int64) (c cohort.Category, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.Category(storeHash, id)
		return err
	})
	return c, err
}

// ReadCategories hands on one page of the categories that pass the filter, by id,
// and returns how many pass it, unless the page is named by its place.
func (s *Service) ReadCategories(ctx context.Context, storeHash string, f cohort.CategoryFilter, p cohort.Page, to Sink[cohort.Category]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadCategories(storeHash, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountCategories(storeHash, f)
		return err
	})
	return total, err
}

// AllCategories returns all categories of a store, by id. It returns KindTooLarge if
// there are more than MaxTreeCategories.
func (s *Service) AllCategories(ctx context.Context, storeHash string) (list []cohort.Category, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = tx.ListCategories(storeHash, cohort.CategoryFilter{}, cohort.Page{Number: 1, Size: MaxTreeCategories + 1})
		return err
	})
	if err == nil && len(list) > MaxTreeCategories {
		return nil, errTreeTooLarge
	}
	return list, err
}

var errTreeTooLarge = &cohort.Error{
	Kind:   cohort.KindTooLarge,
	Reason: fmt.Sprintf("The tree has more than %d categories. List them in pages instead, with their parent_id.", MaxTreeCategories),
}

// UpdateCategory changes a category and returns it as it is now. Errors are those
// of CreateCategory, and KindNotFound.
func (s *Service) UpdateCategory(ctx context.Context, storeHash string, id int64, u cohort.CategoryUpdate) (after cohort.Category, err error) {
	if u.IsEmpty() {
		return s.Category(ctx, storeHash, id)
	}
	err = s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeHash); err != nil {
			return err
		}
		before, err := tx.CategoryForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if after.ParentID != before.ParentID {
			tree, err := tx.CategoryParents(storeHash)
			if err != nil {
				return err
			}
			if err := tree.CheckPlace(after); err != nil {
				return err
			}
		}
		if err := checkCategoryName(tx, storeHash, after); err != nil {
			return err
		}
		return tx.UpdateCategory(storeHash, after)
	})
	return after, err
}

// DeleteCategory deletes a category, in which products are no more. It returns
// KindNotFound, or KindConflict if there is a category below it.
func (s *Service) DeleteCategory(ctx context.Context, storeHash string, id int64) error {
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		if err := checkLeaves(tx, storeHash, cohort.CategoryFilter{IDs: []int64{id}}); err != nil {
			return err
		}
		return tx.DeleteCategory(storeHash, id)
	})
}

// DeleteCategories deletes the categories that pass the filter, if there are any.
// It returns KindConflict if one that would stay is below one of them.
func (s *Service) DeleteCategories(ctx context.Context, storeHash string, f cohort.CategoryFilter) error {
	return s.updateCatalog(ctx, storeHash, func(tx *db.Tx) error {
		if err := checkLeaves(tx, storeHash, f); err != nil {
			return err
		}
		return tx.DeleteCategories(storeHash, f)
	})
}

// checkLeaves locks the tree, and returns KindConflict if a category passes the
// filter and one below it does not.
func checkLeaves(tx *db.Tx, storeHash string, f cohort.CategoryFilter) error {
	if err := tx.LockCategories(storeHash); err != nil {
		return err
	}
	parent, err := tx.SubcategoryOutside(storeHash, f)
	if err == nil && parent != 0 {
		return &cohort.Error{
			Kind:    cohort.KindConflict,
			Message: fmt.Sprintf("Category %d has subcategories. Delete or move them first.", parent),
		}
	}
	return err
}

// checkCategoryName returns KindConflict if another category under the same
// parent has the name. Nobody else changes the tree meanwhile.
func checkCategoryName(tx *db.Tx, storeHash string, c cohort.Category) error {
	owner, err := tx.CategoryIDByName(storeHash, c.ParentID, c.Name)
	if err == nil && owner != 0 && owner != c.ID {
		return &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "There is a category of this name under the same parent."}
	}
	return err
}
