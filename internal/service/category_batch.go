package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateCategories adds all categories to a store's trees or none, and returns them as
// stored. A category is in the tree of its parent; without a parent its tree is TreeID, or
// else the first one.
//
// It returns ItemErrors, of KindInvalid if a rule of categories is broken or the parent or
// the tree is not allowed, and of KindConflict if the parent has a category of this name.
func (s *Service) CreateCategories(ctx context.Context, storeKey string, us []cohort.CategoryUpdate) (created []cohort.Category, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeKey); err != nil {
			return err
		}
		if created, err = checkNewCategories(tx, storeKey, us); err != nil {
			return err
		}
		first, err := tx.ReserveIDs(storeKey, "category", 0, int64(len(created)))
		if err != nil {
			return err
		}
		for i := range created {
			created[i].ID = first + int64(i)
			if err := tx.InsertCategory(storeKey, created[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// checkNewCategories returns the categories to create, without their ids.
func checkNewCategories(tx *db.Tx, storeKey string, us []cohort.CategoryUpdate) ([]cohort.Category, error) {
	var parents []int64
	for _, u := range us {
		if u.ParentID != nil {
			parents = append(parents, *u.ParentID)
		}
	}
	f := forest{}
	var err error
	if f.parents, err = tx.CategoryParentsOf(storeKey, parents); err != nil {
		return nil, err
	}
	if f.trees, err = tx.TreesOfCategories(storeKey, append([]int64{}, parents...)); err != nil {
		return nil, err
	}
	list := make([]cohort.Category, len(us))
	wrong := cohort.ItemErrors{}
	type place struct {
		tree, parent int64
		name         string
	}
	taken := map[place]bool{}
	for i, u := range us {
		c := u.Apply(cohort.Category{})
		if c.TreeID == 0 {
			c.TreeID = f.treeOf(c.ParentID)
		}
		err := c.Validate()
		if err == nil {
			err = f.checkPlace(tx, storeKey, c)
		}
		if err == nil {
			err = checkCategoryName(tx, storeKey, c)
		}
		at := place{c.TreeID, c.ParentID, c.Name}
		if err == nil && taken[at] {
			err = errCategoryName()
		}
		if err := wrong.Add(i, err); err != nil {
			return nil, err
		}
		taken[at] = true
		list[i] = c
	}
	return list, wrong.Err()
}

// forest has the parents and the trees of categories.
type forest struct {
	parents cohort.CategoryParents
	trees   map[int64]int64 // without those in the first tree
}

func (f forest) treeOf(id int64) int64 { return max(f.trees[id], cohort.FirstTreeID) }

// checkPlace checks the parent and the tree of a category. See
// [cohort.CategoryParents.CheckPlace] for what the forest must contain.
func (f forest) checkPlace(tx *db.Tx, storeKey string, c cohort.Category) error {
	if err := f.parents.CheckPlace(c); err != nil {
		return err
	}
	if c.ParentID != 0 {
		return checkParentTree(c, f.treeOf(c.ParentID))
	}
	has, err := tx.HasCategoryTree(storeKey, c.TreeID)
	if err == nil && !has {
		return cohort.Invalid("tree_id", fmt.Sprintf("Category tree id %d does not exist.", c.TreeID))
	}
	return err
}

// checkParentTree returns KindInvalid if the tree of a category's parent is not its own.
func checkParentTree(c cohort.Category, tree int64) error {
	if c.TreeID == tree {
		return nil
	}
	return cohort.Invalid("parent_id", fmt.Sprintf("Category id %d is in another category tree.", c.ParentID))
}

// UpdateCategories changes all categories or none, in the order of the batch. A category
// that is moved to another tree takes the categories below it along. Errors are those of
// CreateCategories, and KindInvalid for a category that does not exist or is in the batch
// twice.
func (s *Service) UpdateCategories(ctx context.Context, storeKey string, us []cohort.CategoryUpdate) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategories(storeKey); err != nil {
			return err
		}
		b := categoryBatch{tx: tx, storeKey: storeKey}
		if err := b.load(us); err != nil {
			return err
		}
		wrong := cohort.ItemErrors{}
		for i, u := range us {
			var err error
			if slices.ContainsFunc(us[:i], func(other cohort.CategoryUpdate) bool { return other.ID == u.ID }) {
				err = cohort.Invalid("category_id", "The category is in the request twice.")
			} else {
				err = b.update(u)
			}
			if err := wrong.Add(i, err); err != nil {
				return err
			}
		}
		return wrong.Err()
	})
}

// categoryBatch is a batch of updates in a transaction that has locked the trees.
type categoryBatch struct {
	tx       *db.Tx
	storeKey string
	stored   map[int64]cohort.Category
	forest   // of the whole store, if the batch moves a category
}

func (b *categoryBatch) load(us []cohort.CategoryUpdate) (err error) {
	ids := make([]int64, len(us))
	moves := false
	for i, u := range us {
		ids[i] = u.ID
		moves = moves || u.ParentID != nil || u.TreeID != nil
	}
	b.stored = map[int64]cohort.Category{}
	slices.Sort(ids) // rows are locked in the order of their ids
	for _, id := range slices.Compact(ids) {
		c, err := b.tx.CategoryForUpdate(b.storeKey, id)
		if err != nil && cohort.KindOf(err) != cohort.KindNotFound {
			return err
		}
		b.stored[id] = c
	}
	if !moves {
		return nil
	}
	if b.parents, err = b.tx.CategoryParents(b.storeKey); err != nil {
		return err
	}
	b.trees, err = b.tx.TreesOfCategories(b.storeKey, nil)
	return err
}

func (b *categoryBatch) update(u cohort.CategoryUpdate) error {
	before := b.stored[u.ID]
	if before.ID == 0 {
		return cohort.Invalid("category_id", fmt.Sprintf("Category id %d does not exist.", u.ID))
	}
	if b.parents != nil { // an earlier item may have moved it with its parent
		before.TreeID = b.treeOf(u.ID)
	}
	after := u.Apply(before)
	if err := after.Validate(); err != nil {
		return err
	}
	if after.ParentID != before.ParentID || after.TreeID != before.TreeID {
		if err := b.checkPlace(b.tx, b.storeKey, after); err != nil {
			return err
		}
	}
	if err := checkCategoryName(b.tx, b.storeKey, after); err != nil || u.IsEmpty() {
		return err
	}
	if err := b.move(before, after); err != nil {
		return err
	}
	return b.tx.UpdateCategory(b.storeKey, before, after)
}

// move updates the forest, and takes the categories below a category along to another
// tree.
func (b *categoryBatch) move(before, after cohort.Category) error {
	if b.parents == nil {
		return nil
	}
	b.parents[after.ID] = after.ParentID
	if after.TreeID == before.TreeID {
		return nil
	}
	b.trees[after.ID] = after.TreeID
	for _, id := range b.parents.Below(after.ID) {
		b.trees[id] = after.TreeID
		if err := b.tx.TakeToTree(b.storeKey, id, before.TreeID, after.TreeID); err != nil {
			return err
		}
	}
	return nil
}

// DeleteCategoriesOfTrees is DeleteCategories, and returns the number of categories that
// it deletes.
func (s *Service) DeleteCategoriesOfTrees(ctx context.Context, storeKey string, f cohort.CategoryFilter) (deleted int64, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) (err error) {
		if err := checkLeaves(tx, storeKey, f); err != nil {
			return err
		}
		if deleted, err = tx.CountCategories(storeKey, f); err != nil {
			return err
		}
		return tx.DeleteCategories(storeKey, f)
	})
	return deleted, err
}
