package db

import (
	"errors"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const categoryColumns = "id, parent_id, name"

// readCategoryColumns are the columns that scanCategory scans, of catalogTables.detailed.
const readCategoryColumns = categoryColumns + ", tree_id, details"

// detailed returns the source of categories in which they have their tree and their
// details.
func (c catalogTables) detailed() string {
	return "(SELECT c.store_hash, c.id, c.parent_id, c.name, c.name_folded, COALESCE(t.tree_id, 1) AS tree_id, COALESCE(d.is_visible, TRUE) AS is_visible, " +
		"COALESCE(d.sort_order, 0) AS sort_order, COALESCE(d.page_title, '') AS page_title, " +
		"COALESCE(d.page_title_folded, '') AS page_title_folded, COALESCE(d.url, '') AS url, COALESCE(d.details, '') AS details FROM " + txn.As(c.categories, "c") +
		" LEFT JOIN " + txn.As(c.categoryDetails, "d") + " ON d.store_hash = c.store_hash AND d.category_id = c.id" +
		" LEFT JOIN tree_categories AS t ON t.store_hash = c.store_hash AND t.category_id = c.id) AS categories"
}

// LockCategories takes the exclusive lock on the store's category tree until the
// transaction ends. Every transaction that changes the tree calls it first: the
// checks on a category's place read rows that a lock on its own row does not
// protect.
func (t *Tx) LockCategories(storeKey string) error {
	return t.LockStore(categoryTree, storeKey)
}

// CreateCategory is InsertCategory with the next id of the store. It returns the category with
// the id.
func (t *Tx) CreateCategory(storeKey string, c cohort.Category) (cohort.Category, error) {
	var err error
	if c.ID, err = t.NextID(storeKey, "category"); err != nil {
		return c, err
	}
	return c, t.InsertCategory(storeKey, c)
}

// InsertCategory adds a category under its id.
func (t *Tx) InsertCategory(storeKey string, c cohort.Category) error {
	err := t.Later("INSERT INTO categories (store_hash, name_folded, "+categoryColumns+") VALUES ($1, $2, $3, $4, $5)",
		storeKey, Fold(c.Name), c.ID, c.ParentID, c.Name)
	if err != nil {
		return err
	}
	if c.TreeID > cohort.FirstTreeID {
		if err := t.SetTreeOfCategory(storeKey, c.ID, c.TreeID); err != nil {
			return err
		}
	}
	if err := t.putCategoryDetails(storeKey, c); err != nil {
		return err
	}
	return t.recordCategory(storeKey, nil, c)
}

// putCategoryDetails writes the details of a category, if it has any.
func (t *Tx) putCategoryDetails(storeKey string, c cohort.Category) error {
	if len(c.Details) == 0 {
		return nil
	}
	row, _ := categoryDetailRow(c)
	return t.Later(categoryDetails.insert(1)+categoryDetails.upsert(), append([]any{storeKey}, row...)...)
}

// categoryDetailRow returns the values of the columns of category_details after store_hash,
// and the size of the details in bytes.
func categoryDetailRow(c cohort.Category) (row []any, size int) {
	d, title, text := c.Details, c.Details.Text("page_title", ""), encodeDetails(c.Details)
	return []any{c.ID, d.Bool("is_visible", true), d.Integer("sort_order", 0), title, Fold(title), c.URL(), text}, len(text)
}

// Category returns a category of the store, or KindNotFound.
func (t *Tx) Category(storeKey string, id int64) (cohort.Category, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return cohort.Category{}, err
	}
	c, err := scanCategory(t.Lookup("SELECT "+readCategoryColumns+" FROM "+tables.detailed()+
		" WHERE store_hash = $1 AND id = $2", storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return c, cohort.NotFound(categoryName(id))
	}
	return c, err
}

// CategoryForUpdate is Category with a lock on its row and on its details: no other
// transaction writes them until this one ends.
func (t *Tx) CategoryForUpdate(storeKey string, id int64) (cohort.Category, error) {
	var locked int64
	err := t.Lookup("SELECT id FROM categories WHERE store_hash = $1 AND id = $2"+t.SQL().ForUpdate, storeKey, id).Scan(&locked)
	if err != nil && !errors.Is(err, txn.ErrNoRows) {
		return cohort.Category{}, err
	}
	return t.Category(storeKey, id)
}

// CategoryIDByName returns the id of the category with the name under a parent, or at the
// top of a tree, or 0.
func (t *Tx) CategoryIDByName(storeKey string, treeID, parentID int64, name string) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	return t.findID("SELECT id FROM "+tables.detailed()+" WHERE store_hash = $1 AND parent_id = $2 AND name = $3 AND tree_id = $4 LIMIT 1",
		storeKey, parentID, name, max(treeID, cohort.FirstTreeID))
}

// ReadCategories calls fn with the categories of a page that pass the filter, in an order,
// until fn returns false.
func (t *Tx) ReadCategories(storeKey string, f cohort.CategoryFilter, o cohort.CategoryOrder, p cohort.Page, fn func(cohort.Category) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	return listing[cohort.Category]{
		columns: readCategoryColumns, table: tables.detailed(), where: func() *where { return whereCategories(storeKey, f) },
		keys: t.categoryKeys(o), descending: o.Descending, scan: scanCategory,
	}.each(t, p, p.Size, fn)
}

func (t *Tx) categoryKeys(o cohort.CategoryOrder) []sortKey {
	switch o.By {
	case cohort.SortCategoriesByParent:
		return []sortKey{{column: "parent_id"}, {column: "id"}}
	case cohort.SortCategoriesByName:
		return []sortKey{{column: "lower(name" + t.SQL().ByteOrder + ")", isText: true}, {column: "id"}}
	case cohort.SortCategoriesByOrder:
		return []sortKey{{column: "sort_order"}, {column: "id"}}
	}
	return byID
}

// ListCategories returns the rows that ReadCategories reads, by id.
func (t *Tx) ListCategories(storeKey string, f cohort.CategoryFilter, p cohort.Page) ([]cohort.Category, error) {
	return all(func(fn func(cohort.Category) bool) error {
		return t.ReadCategories(storeKey, f, cohort.CategoryOrder{}, p, fn)
	})
}

// CategoryNodes returns up to limit categories that pass the filter, by id, without their
// details, which can be large.
func (t *Tx) CategoryNodes(storeKey string, f cohort.CategoryFilter, limit int) ([]cohort.CategoryNode, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	w := whereCategories(storeKey, f)
	query := "SELECT id, parent_id, name, is_visible, url FROM " + tables.detailed() + w.text.String() + " ORDER BY id LIMIT " + w.arg(limit)
	rows, err := t.Query(query, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (n cohort.CategoryNode, err error) {
		return n, row.Scan(&n.ID, &n.ParentID, &n.Name, &n.IsVisible, &n.URL)
	})
}

// CountCategories returns how many categories pass the filter.
func (t *Tx) CountCategories(storeKey string, f cohort.CategoryFilter) (int64, error) {
	w := whereCategories(storeKey, f)
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	var n int64
	err = t.QueryRow("SELECT count(*) FROM "+tables.detailed()+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereCategories(storeKey string, f cohort.CategoryFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	notIn(w, "id", f.NotIDs)
	w.intRange("id", f.IDRange)
	in(w, "parent_id", f.ParentIDs)
	notIn(w, "parent_id", f.NotParentIDs)
	in(w, "tree_id", f.TreeIDs)
	notIn(w, "tree_id", f.NotTreeIDs)
	w.intRange("parent_id", f.ParentIDRange)
	w.name(f.Name, f.NameLike)
	if f.PageTitle != nil {
		w.and("page_title = ?", *f.PageTitle)
	}
	if f.PageTitleLike != "" {
		w.and("replace(page_title_folded, ?, '') <> page_title_folded", Fold(f.PageTitleLike))
	}
	if f.Keyword != "" {
		w.and("(replace(name_folded, ?, '') <> name_folded OR replace(page_title_folded, ?, '') <> page_title_folded)", Fold(f.Keyword))
	}
	w.flag("is_visible", f.IsVisible)
	return w
}

// name adds conditions on the exact name, if name is not nil, and on a
// case-insensitive substring, if like is not empty.
func (w *where) name(name *string, like string) {
	if name != nil {
		w.and("name = ?", *name)
	}
	if like != "" {
		// A substring test in the same SQL for both engines, without wildcard
		// characters.
		w.and("replace(name_folded, ?, '') <> name_folded", Fold(like))
	}
}

// HasCategories reports which of the ids are categories of the store, and locks
// these against deletion until the transaction ends.
func (t *Tx) HasCategories(storeKey string, ids []int64) (map[int64]bool, error) {
	has := make(map[int64]bool, len(ids))
	if len(ids) == 0 {
		return has, nil
	}
	w := whereStore(storeKey)
	in(w, "id", ids)
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	// Rows are locked in the order of their ids to avoid a deadlock with a
	// transaction that deletes several categories.
	rows, err := t.Query("SELECT id FROM "+tables.categories+w.text.String()+" ORDER BY id"+t.SQL().ForKeyShare, w.args...)
	if err != nil {
		return nil, err
	}
	found, err := txn.Collect(rows, scanID)
	for _, id := range found {
		has[id] = true
	}
	return has, err
}

// SubcategoryOutside looks for a category that does not pass the filter although
// its parent does. It returns the parent's id, or 0 if there is none.
func (t *Tx) SubcategoryOutside(storeKey string, f cohort.CategoryFilter) (parentID int64, err error) {
	w := whereCategories(storeKey, f)
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	passing := "(SELECT id FROM " + tables.detailed() + w.text.String() + ")"
	return t.findID("SELECT parent_id FROM "+tables.categories+" WHERE store_hash = $1 AND parent_id IN "+passing+
		" AND id NOT IN "+passing+" ORDER BY parent_id LIMIT 1", w.args...)
}

// CategoryParents returns the whole category tree of a store.
func (t *Tx) CategoryParents(storeKey string) (cohort.CategoryParents, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	return t.categoryParents("SELECT id, parent_id FROM "+tables.categories+" WHERE store_hash = $1", storeKey)
}

// maxTreeIDs is the most ids whose ancestors CategoryParentsOf looks up. For more
// ids it is faster to read the whole tree, and engines limit the number of
// arguments.
const maxTreeIDs = 4096

// CategoryParentsOf returns a part of the store's category tree that contains at
// least the given categories and their ancestors.
func (t *Tx) CategoryParentsOf(storeKey string, ids []int64) (cohort.CategoryParents, error) {
	if len(ids) == 0 {
		return cohort.CategoryParents{}, nil
	}
	if len(ids) > maxTreeIDs {
		return t.CategoryParents(storeKey)
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	w := whereStore(storeKey)
	in(w, "id", ids)
	// UNION removes duplicates, so the recursion ends even on a cycle.
	return t.categoryParents(`WITH RECURSIVE above (id, parent_id) AS (
			SELECT id, parent_id FROM `+tables.categories+w.text.String()+`
			UNION
			SELECT c.id, c.parent_id FROM above AS a JOIN `+txn.As(tables.categories, "c")+` ON c.store_hash = $1 AND c.id = a.parent_id
		) SELECT id, parent_id FROM above`, w.args...)
}

func (t *Tx) categoryParents(query string, args ...any) (cohort.CategoryParents, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	parents := cohort.CategoryParents{}
	for rows.Next() {
		var id, parent int64
		if err := rows.Scan(&id, &parent); err != nil {
			return nil, err
		}
		parents[id] = parent
	}
	return parents, rows.Err()
}

// UpdateCategory overwrites the category with the same id, or returns
// KindNotFound. before is the category as read in this transaction.
func (t *Tx) UpdateCategory(storeKey string, before, c cohort.Category) error {
	n, err := t.Exec("UPDATE categories SET parent_id = $3, name = $4, name_folded = $5 WHERE store_hash = $1 AND id = $2",
		storeKey, c.ID, c.ParentID, c.Name, Fold(c.Name))
	if err := requireRow(n, err, categoryName(c.ID)); err != nil {
		return err
	}
	if err := t.SetTreeOfCategory(storeKey, c.ID, c.TreeID); err != nil {
		return err
	}
	if err := t.putCategoryDetails(storeKey, c); err != nil {
		return err
	}
	return t.recordCategory(storeKey, &before, c)
}

// DeleteCategory deletes a category and removes its products from it, or returns
// KindNotFound. The caller makes sure that it has no subcategories.
func (t *Tx) DeleteCategory(storeKey string, id int64) error {
	events, err := t.categoryDeletions(storeKey, []int64{id})
	if err != nil {
		return err
	}
	// The category's row goes first: the DELETE waits for transactions that have
	// locked it to add a product to the category.
	n, err := t.Exec("DELETE FROM categories WHERE store_hash = $1 AND id = $2", storeKey, id)
	if err := requireRow(n, err, categoryName(id)); err != nil {
		return err
	}
	if err := t.emptyCategory(storeKey, id); err != nil {
		return err
	}
	return t.recordDeletions(storeKey, events, id)
}

// DeleteCategories deletes all categories that pass the filter, and removes their
// products from them. It is no error if none passes.
func (t *Tx) DeleteCategories(storeKey string, f cohort.CategoryFilter) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	w := whereCategories(storeKey, f)
	rows, err := t.Query("SELECT id FROM "+tables.detailed()+w.text.String()+" ORDER BY id", w.args...)
	if err != nil {
		return err
	}
	ids, err := txn.Collect(rows, scanID)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(ids, deletedAtOnce) {
		if err := t.deleteCategories(storeKey, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) deleteCategories(storeKey string, ids []int64) error {
	events, err := t.categoryDeletions(storeKey, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.Later("DELETE FROM categories WHERE store_hash = $1 AND id = $2", storeKey, id); err != nil {
			return err
		}
		if err := t.emptyCategory(storeKey, id); err != nil {
			return err
		}
	}
	return t.recordDeletions(storeKey, events, ids...)
}

func (t *Tx) emptyCategory(storeKey string, id int64) error {
	return t.Later("DELETE FROM product_categories WHERE store_hash = $1 AND category_id = $2", storeKey, id)
}

func categoryName(id int64) string { return fmt.Sprintf("category %d", id) }

func scanCategory(row txn.Scanner) (c cohort.Category, err error) {
	var details string
	if err := row.Scan(&c.ID, &c.ParentID, &c.Name, &c.TreeID, &details); err != nil {
		return c, err
	}
	c.Details, err = decodeDetails(details)
	return c, err
}

func scanID(row txn.Scanner) (id int64, err error) { return id, row.Scan(&id) }
