package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// firstTree selects the columns of tree 1 of a store that has not changed a tree.
const firstTree = "SELECT hash, 1, 'Default catalog tree', 1 FROM stores"

// categoryTreeTable has the trees of all stores. Tree 1 has no row until a tree of the
// store is written, so that stores have it that an older version of Cohort creates.
const categoryTreeTable = "(SELECT store_hash, id, name, channel_id FROM category_trees UNION ALL " + firstTree +
	" WHERE NOT EXISTS (SELECT 1 FROM category_trees WHERE category_trees.store_hash = stores.hash AND category_trees.id = 1)) AS category_trees"

// LockCategoryTrees is LockCategories for a transaction that changes trees. It inserts the
// row of tree 1.
func (t *Tx) LockCategoryTrees(storeKey string) error {
	if err := t.LockCategories(storeKey); err != nil {
		return err
	}
	return t.Later("INSERT INTO category_trees (store_hash, id, name, channel_id) "+firstTree+
		" WHERE hash = $1 ON CONFLICT (store_hash, id) DO NOTHING", storeKey)
}

// CreateCategoryTree adds a tree with the next id of the store, and returns it with the id.
// The commit returns KindConflict if the channel has another tree. LockCategoryTrees must
// be called before.
func (t *Tx) CreateCategoryTree(storeKey string, tree cohort.CategoryTree) (cohort.CategoryTree, error) {
	var err error
	if tree.ID, err = t.ReserveIDs(storeKey, "category_tree", cohort.FirstTreeID, 1); err != nil {
		return tree, err
	}
	return tree, t.Later("INSERT INTO category_trees (store_hash, id, name, channel_id) VALUES ($1, $2, $3, $4)",
		storeKey, tree.ID, tree.Name, tree.ChannelID)
}

// RenameCategoryTree changes the name of a tree. It leaves the channel alone, which may be
// deleted at the same time. LockCategoryTrees must be called before.
func (t *Tx) RenameCategoryTree(storeKey string, id int64, name string) error {
	return t.Later("UPDATE category_trees SET name = $3 WHERE store_hash = $1 AND id = $2", storeKey, id, name)
}

// JoinCategoryTree gives a tree its channel. The commit returns KindConflict as for
// CreateCategoryTree. LockCategoryTrees must be called before.
func (t *Tx) JoinCategoryTree(storeKey string, id, channelID int64) error {
	return t.Later("UPDATE category_trees SET channel_id = $3 WHERE store_hash = $1 AND id = $2", storeKey, id, channelID)
}

// DeleteCategoryTrees deletes those of the trees that exist. The caller has deleted their
// categories.
func (t *Tx) DeleteCategoryTrees(storeKey string, ids []int64) error {
	w := whereStore(storeKey)
	in(w, "id", ids)
	return t.Later("DELETE FROM category_trees"+w.text.String(), w.args...)
}

// LeaveCategoryTree takes a channel from its tree, if it has one. The tree stays. Channel 1
// cannot be deleted, so tree 1 always has its channel.
func (t *Tx) LeaveCategoryTree(storeKey string, channelID int64) error {
	return t.Later("UPDATE category_trees SET channel_id = 0 WHERE store_hash = $1 AND channel_id = $2", storeKey, channelID)
}

// ReadCategoryTrees calls fn with the trees of a page that pass the filter, by id, until
// fn returns false.
func (t *Tx) ReadCategoryTrees(storeKey string, f cohort.CategoryTreeFilter, p cohort.Page, fn func(cohort.CategoryTree) (more bool)) error {
	return listing[cohort.CategoryTree]{
		columns: "id, name, channel_id", table: categoryTreeTable, where: func() *where { return whereCategoryTrees(storeKey, f) },
		keys: byID, scan: scanCategoryTree,
	}.each(t, p, p.Size, fn)
}

// ListCategoryTrees returns the rows that ReadCategoryTrees reads.
func (t *Tx) ListCategoryTrees(storeKey string, f cohort.CategoryTreeFilter, p cohort.Page) ([]cohort.CategoryTree, error) {
	return all(func(fn func(cohort.CategoryTree) bool) error { return t.ReadCategoryTrees(storeKey, f, p, fn) })
}

// CountCategoryTrees returns how many trees pass the filter.
func (t *Tx) CountCategoryTrees(storeKey string, f cohort.CategoryTreeFilter) (n int64, err error) {
	w := whereCategoryTrees(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM "+categoryTreeTable+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereCategoryTrees(storeKey string, f cohort.CategoryTreeFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	in(w, "channel_id", f.ChannelIDs)
	return w
}

// HasCategoryTree reports whether a tree exists.
func (t *Tx) HasCategoryTree(storeKey string, id int64) (bool, error) {
	if id == cohort.FirstTreeID {
		return true, nil
	}
	found, err := t.findID("SELECT id FROM category_trees WHERE store_hash = $1 AND id = $2", storeKey, id)
	return found != 0, err
}

// TreesOfCategories returns the trees of those of the categories that are outside tree 1,
// by category; nil means all categories.
func (t *Tx) TreesOfCategories(storeKey string, ids []int64) (map[int64]int64, error) {
	w := whereStore(storeKey)
	in(w, "category_id", ids)
	rows, err := t.Query("SELECT category_id, tree_id FROM tree_categories"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	trees := map[int64]int64{}
	return trees, txn.Each(rows, func(row txn.Scanner) (of [2]int64, err error) { return of, row.Scan(&of[0], &of[1]) },
		func(of [2]int64) bool { trees[of[0]] = of[1]; return true })
}

// SetTreeOfCategory writes the tree of a category.
func (t *Tx) SetTreeOfCategory(storeKey string, id, treeID int64) error {
	if treeID <= cohort.FirstTreeID {
		return t.Later("DELETE FROM tree_categories WHERE store_hash = $1 AND category_id = $2", storeKey, id)
	}
	return t.Later(`INSERT INTO tree_categories (store_hash, category_id, tree_id) VALUES ($1, $2, $3)
		ON CONFLICT (store_hash, category_id) DO UPDATE SET tree_id = excluded.tree_id`, storeKey, id, treeID)
}

// TakeToTree writes the tree of a category that came there with the one above it.
func (t *Tx) TakeToTree(storeKey string, id, before, treeID int64) error {
	if err := t.SetTreeOfCategory(storeKey, id, treeID); err != nil {
		return err
	}
	return t.recordTree(storeKey, id, max(before, cohort.FirstTreeID), max(treeID, cohort.FirstTreeID))
}

func scanCategoryTree(row txn.Scanner) (t cohort.CategoryTree, err error) {
	return t, row.Scan(&t.ID, &t.Name, &t.ChannelID)
}
