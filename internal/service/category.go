package service

import (
	"context"
	"fmt"
	"math"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// everything is a page that holds a whole list.
var everything = cohort.Page{Number: 1, Size: math.MaxInt32}

// MaxTreeCategories is the largest number of categories for which AllCategories
// returns a tree. A tree is one response, built in memory at up to 2 KB for a
// category with a long name and URL.
const MaxTreeCategories = 20_000

// byCursor reports whether a page has a cursor. The response to such a request
// contains no total, so none is counted.
func byCursor(p cohort.Page) bool { return p.After != "" || p.Before != "" }

// CreateCategory adds a category to a store and returns it as stored. It is in the tree of
// its parent, or else in the first one.
//
// It returns KindInvalid if a rule of categories is broken or the parent is not
// allowed, and KindConflict if the parent has a category of this name.
func (s *Service) CreateCategory(ctx context.Context, storeKey string, c cohort.Category) (created cohort.Category, err error) {
	c = c.Normalized()
	if err := c.Validate(); err != nil {
		return cohort.Category{}, err
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeKey); err != nil {
			return err
		}
		tree, err := tx.CategoryParentsOf(storeKey, []int64{c.ParentID})
		if err != nil {
			return err
		}
		if err := tree.CheckPlace(c); err != nil {
			return err
		}
		if c.TreeID, err = treeOfCategory(tx, storeKey, c.ParentID); err != nil {
			return err
		}
		if err := checkCategoryName(tx, storeKey, c); err != nil {
			return err
		}
		created, err = tx.CreateCategory(storeKey, c)
		return err
	})
	if err != nil {
		return cohort.Category{}, err
	}
	return created, nil
}

// treeOfCategory returns the tree of a category, and the first tree for 0.
func treeOfCategory(tx *db.Tx, storeKey string, id int64) (int64, error) {
	if id == 0 {
		return cohort.FirstTreeID, nil
	}
	trees, err := tx.TreesOfCategories(storeKey, []int64{id})
	return forest{trees: trees}.treeOf(id), err
}

// Category returns a category, or KindNotFound.
func (s *Service) Category(ctx context.Context, storeKey string, id int64) (c cohort.Category, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.Category(storeKey, id)
		return err
	})
	return c, err
}

// ReadCategories sends one page of the categories that pass the filter to a sink. It returns the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadCategories(ctx context.Context, storeKey string, f cohort.CategoryFilter, o cohort.CategoryOrder, p cohort.Page, to Sink[cohort.Category]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadCategories(storeKey, f, o, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountCategories(storeKey, f)
		return err
	})
	return total, err
}

// AllCategories returns the categories of all trees of a store, by id, or KindTooLarge if there
// are more than MaxTreeCategories.
func (s *Service) AllCategories(ctx context.Context, storeKey string) (list []cohort.CategoryNode, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = tx.CategoryNodes(storeKey, cohort.CategoryFilter{}, MaxTreeCategories+1)
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

// UpdateCategory changes a category and returns the new state. Errors are those of
// CreateCategory, and KindNotFound.
func (s *Service) UpdateCategory(ctx context.Context, storeKey string, id int64, u cohort.CategoryUpdate) (after cohort.Category, err error) {
	if u.IsEmpty() {
		return s.Category(ctx, storeKey, id)
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeKey); err != nil {
			return err
		}
		before, err := tx.CategoryForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if after.ParentID != before.ParentID {
			tree, err := tx.CategoryParents(storeKey)
			if err != nil {
				return err
			}
			if err := tree.CheckPlace(after); err != nil {
				return err
			}
			if err := checkMove(tx, storeKey, after); err != nil {
				return err
			}
		}
		if err := checkCategoryName(tx, storeKey, after); err != nil {
			return err
		}
		return tx.UpdateCategory(storeKey, before, after)
	})
	return after, err
}

// checkMove returns KindInvalid if the new parent of a category is in another tree.
func checkMove(tx *db.Tx, storeKey string, c cohort.Category) error {
	if c.ParentID == 0 {
		return nil // it becomes a root category of its tree
	}
	tree, err := treeOfCategory(tx, storeKey, c.ParentID)
	if err != nil {
		return err
	}
	return checkParentTree(c, tree)
}

// DeleteCategory deletes a category and removes its products from it. It returns
// KindNotFound, or KindConflict if it has subcategories.
func (s *Service) DeleteCategory(ctx context.Context, storeKey string, id int64) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := checkLeaves(tx, storeKey, cohort.CategoryFilter{IDs: []int64{id}}); err != nil {
			return err
		}
		return tx.DeleteCategory(storeKey, id)
	})
}

// DeleteCategories deletes the categories that pass the filter. It returns
// KindConflict if one of them has a subcategory that does not pass.
func (s *Service) DeleteCategories(ctx context.Context, storeKey string, f cohort.CategoryFilter) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := checkLeaves(tx, storeKey, f); err != nil {
			return err
		}
		return tx.DeleteCategories(storeKey, f)
	})
}

// checkLeaves locks the tree, and returns KindConflict if a category passes the
// filter and one of its subcategories does not.
func checkLeaves(tx *db.Tx, storeKey string, f cohort.CategoryFilter) error {
	if err := tx.LockCategories(storeKey); err != nil {
		return err
	}
	parent, err := tx.SubcategoryOutside(storeKey, f)
	if err == nil && parent != 0 {
		return &cohort.Error{
			Kind:    cohort.KindConflict,
			Message: fmt.Sprintf("Category %d has subcategories. Delete or move them first.", parent),
		}
	}
	return err
}

// checkCategoryName returns KindConflict if another category under the same parent, or at
// the top of the same tree, has the name. The caller has locked the trees.
func checkCategoryName(tx *db.Tx, storeKey string, c cohort.Category) error {
	owner, err := tx.CategoryIDByName(storeKey, c.TreeID, c.ParentID, c.Name)
	if err == nil && owner != 0 && owner != c.ID {
		return errCategoryName()
	}
	return err
}

func errCategoryName() error {
	return &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "There is a category of this name under the same parent."}
}
