package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ReadCategoryTrees sends one page of the trees that pass the filter, by id, to a sink. It
// returns the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadCategoryTrees(ctx context.Context, storeKey string, f cohort.CategoryTreeFilter, p cohort.Page, to Sink[cohort.CategoryTree]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadCategoryTrees(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountCategoryTrees(storeKey, f)
		return err
	})
	return total, err
}

// PutCategoryTrees creates or changes all trees or none, and returns them as stored. A new
// tree has a name and one channel. The channel of a tree cannot change, but a tree whose
// channel was deleted can get another one.
//
// It returns ItemErrors of KindInvalid if a rule is broken, a tree or a channel does not
// exist, or a channel has another tree, and KindInvalid if the store would have more than
// [cohort.MaxCategoryTrees].
func (s *Service) PutCategoryTrees(ctx context.Context, storeKey string, us []cohort.CategoryTreeUpdate) (put []cohort.CategoryTree, err error) {
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategoryTrees(storeKey); err != nil {
			return err
		}
		stored, err := tx.ListCategoryTrees(storeKey, cohort.CategoryTreeFilter{}, everything)
		if err != nil {
			return err
		}
		channels, err := holdChannels(tx, storeKey, channelsOfTrees(us))
		if err != nil {
			return err
		}
		if put, err = applyTrees(stored, us, channels); err != nil {
			return err
		}
		return writeTrees(tx, storeKey, stored, put)
	})
	if err != nil {
		return nil, err
	}
	return put, nil
}

// writeTrees writes trees, and sets the ids of new ones. It writes the channel only of a
// tree that had none: the channel of another may be deleted at the same time.
func writeTrees(tx *db.Tx, storeKey string, stored, put []cohort.CategoryTree) (err error) {
	before := map[int64]cohort.CategoryTree{}
	for _, tree := range stored {
		before[tree.ID] = tree
	}
	count := len(stored)
	for i, tree := range put {
		switch {
		case tree.ID != 0:
			if err = tx.RenameCategoryTree(storeKey, tree.ID, tree.Name); err == nil && tree.ChannelID != before[tree.ID].ChannelID {
				err = tx.JoinCategoryTree(storeKey, tree.ID, tree.ChannelID)
			}
		case count >= cohort.MaxCategoryTrees:
			return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("A store may have at most %d category trees.", cohort.MaxCategoryTrees)}
		default:
			count++
			put[i], err = tx.CreateCategoryTree(storeKey, tree)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// channelsOfTrees returns the distinct channels of a batch, ascending.
func channelsOfTrees(us []cohort.CategoryTreeUpdate) []int64 {
	ids := map[int64]bool{}
	for _, u := range us {
		if u.Channels != nil {
			for _, id := range *u.Channels {
				ids[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// applyTrees returns the trees with their updates applied.
func applyTrees(stored []cohort.CategoryTree, us []cohort.CategoryTreeUpdate, exists func(channel int64) bool) ([]cohort.CategoryTree, error) {
	byID, taken := map[int64]cohort.CategoryTree{}, map[int64]bool{}
	for _, t := range stored {
		byID[t.ID] = t
		taken[t.ChannelID] = true
	}
	put := make([]cohort.CategoryTree, len(us))
	wrong := cohort.ItemErrors{}
	seen := map[int64]bool{}
	for i, u := range us {
		before, known := byID[u.ID]
		switch {
		case u.ID != 0 && !known:
			wrong[i] = cohort.Invalid("id", fmt.Sprintf("Category tree id %d does not exist.", u.ID))
			continue
		case seen[u.ID]:
			wrong[i] = cohort.Invalid("id", "The category tree is in the request twice.")
			continue
		}
		seen[u.ID] = u.ID != 0
		if err := checkTree(before, u, exists, taken); err != nil {
			wrong[i] = err
			continue
		}
		put[i] = u.Apply(before)
		if err := put[i].Validate(); err != nil {
			wrong[i] = err
		}
		taken[put[i].ChannelID] = true
	}
	return put, wrong.Err()
}

// checkTree checks the fields of an update that a tree needs, and its channel.
func checkTree(before cohort.CategoryTree, u cohort.CategoryTreeUpdate, exists func(channel int64) bool, taken map[int64]bool) error {
	switch {
	case before.ID == 0 && u.Name == nil:
		return cohort.Invalid("name", "The field is required.")
	case before.ID == 0 && u.Channels == nil:
		return cohort.Invalid("channels", "The field is required.")
	case u.Channels == nil || slices.Equal(*u.Channels, before.Channels()) && before.ID != 0:
		return nil
	case before.ChannelID != 0:
		return cohort.Invalid("channels", "The channel of a category tree cannot change.")
	case len(*u.Channels) != 1:
		return cohort.Invalid("channels", "A category tree must have exactly one channel.")
	}
	id := (*u.Channels)[0]
	if !exists(id) {
		return cohort.Invalid("channels", fmt.Sprintf("Channel id %d does not exist.", id))
	}
	if taken[id] {
		return cohort.Invalid("channels", fmt.Sprintf("Channel id %d has another category tree.", id))
	}
	return nil
}

// DeleteCategoryTrees deletes those of the trees that exist with their categories, and
// removes the products from these. It returns KindInvalid for the first tree of the store.
func (s *Service) DeleteCategoryTrees(ctx context.Context, storeKey string, ids []int64) error {
	if slices.Contains(ids, cohort.FirstTreeID) {
		return cohort.Invalid("id:in", fmt.Sprintf("Category tree %d cannot be deleted.", cohort.FirstTreeID))
	}
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCategoryTrees(storeKey); err != nil {
			return err
		}
		if err := tx.DeleteCategories(storeKey, cohort.CategoryFilter{TreeIDs: ids}); err != nil {
			return err
		}
		return tx.DeleteCategoryTrees(storeKey, ids)
	})
}

// CategoriesOfTree returns all categories of a tree, by id. It returns KindNotFound, and
// KindTooLarge if there are more than MaxTreeCategories.
func (s *Service) CategoriesOfTree(ctx context.Context, storeKey string, treeID int64) (list []cohort.CategoryNode, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if has, err := tx.HasCategoryTree(storeKey, treeID); err != nil {
			return err
		} else if !has {
			return cohort.NotFound(fmt.Sprintf("category tree %d", treeID))
		}
		list, err = tx.CategoryNodes(storeKey, cohort.CategoryFilter{TreeIDs: []int64{treeID}}, MaxTreeCategories+1)
		return err
	})
	if err == nil && len(list) > MaxTreeCategories {
		return nil, errTreeTooLarge
	}
	return list, err
}
