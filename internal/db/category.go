package db

import (
	"errors"
	"fmt"
	"math"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const categoryColumns = "id, parent_id, name"

// LockCategories lets no other transaction change the store's category tree
// until this one ends. Who changes it calls it first: whether a category may
// have its place depends on rows that no lock of its own row guards.
func (t *Tx) LockCategories(storeKey string) error {
	return t.LockStore(categoryTree, storeKey)
}

// InsertCategory adds a category under its id.
func (t *Tx) InsertCategory(storeKey string, c cohort.Category) error {
	return t.Later("INSERT INTO categories (store_hash, name_folded, "+categoryColumns+") VALUES ($1, $2, $3, $4, $5)",
		storeKey, Fold(c.Name), c.ID, c.ParentID, c.Name)
}

// Category returns a category of the store, or KindNotFound.
func (t *Tx) Category(storeKey string, id int64) (cohort.Category, error) {
	return t.category(storeKey, id, "")
}

// CategoryForUpdate is Category for one that this transaction is about to write:
// until its end nobody else does.
func (t *Tx) CategoryForUpdate(storeKey string, id int64) (cohort.Category, error) {
	return t.category(storeKey, id, t.SQL().ForUpdate)
}

func (t *Tx) category(storeKey string, id int64, lock string) (cohort.Category, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return cohort.Category{}, err
	}
	c, err := scanCategory(t.Lookup("SELECT "+categoryColumns+
		" FROM "+tables.categories+" WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return c, cohort.NotFound(categoryName(id))
	}
	return c, err
}

// CategoryIDByName returns the id of the category under a parent that has the
// name, or 0.
func (t *Tx) CategoryIDByName(storeKey string, parentID int64, name string) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	return t.findID("SELECT id FROM "+tables.categories+" WHERE store_hash = $1 AND parent_id = $2 AND name = $3 LIMIT 1", storeKey, parentID, name)
}

// ReadCategories calls fn with the categories of a page that pass the filter, by id,
// until it returns false.
func (t *Tx) ReadCategories(storeKey string, f cohort.CategoryFilter, p cohort.Page, fn func(cohort.Category) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	return listing[cohort.Category]{
		columns: categoryColumns, table: tables.categories, where: func() *where { return whereCategories(storeKey, f) },
		keys: byID, scan: scanCategory,
	}.each(t, p, p.Size, fn)
}

// ListCategories returns what ReadCategories reads.
func (t *Tx) ListCategories(storeKey string, f cohort.CategoryFilter, p cohort.Page) ([]cohort.Category, error) {
	return all(func(fn func(cohort.Category) bool) error { return t.ReadCategories(storeKey, f, p, fn) })
}

// CountCategories returns how many categories pass the filter.
func (t *Tx) CountCategories(storeKey string, f cohort.CategoryFilter) (int64, error) {
	w := whereCategories(storeKey, f)
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	var n int64
	err = t.QueryRow("SELECT count(*) FROM "+tables.categories+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereCategories(storeKey string, f cohort.CategoryFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	in(w, "parent_id", f.ParentIDs)
	w.name(f.Name, f.NameLike)
	return w
}

// name adds conditions on a name, and on a part of it without regard to case.
func (w *where) name(name *string, like string) {
	if name != nil {
		w.and("name = ?", *name)
	}
	if like != "" {
		w.and("replace(name_folded, ?, '') <> name_folded", Fold(like)) // as for groups
	}
}

// HasCategories reports which of the ids are categories of the store, and will be
// until the transaction ends.
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
	// In order, so that it does not wait in a circle with who deletes several.
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

// SubcategoryOutside returns the parent of a category that does not pass the
// filter although its parent does, or 0 if there is none.
func (t *Tx) SubcategoryOutside(storeKey string, f cohort.CategoryFilter) (parentID int64, err error) {
	w := whereCategories(storeKey, f)
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	passing := "(SELECT id FROM " + tables.categories + w.text.String() + ")"
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

// maxTreeIDs is from how many ids on it is quicker to read the whole tree than to
// look for what is above them. Engines have a limit of arguments as well.
const maxTreeIDs = 4096

// CategoryParentsOf returns the part of a store's category tree that has some
// categories and what is above them, and perhaps more.
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
	// UNION keeps each category once, so a circle would come to an end too.
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

// UpdateCategory writes a category over the one with its id, or returns
// KindNotFound.
func (t *Tx) UpdateCategory(storeKey string, c cohort.Category) error {
	n, err := t.Exec("UPDATE categories SET parent_id = $3, name = $4, name_folded = $5 WHERE store_hash = $1 AND id = $2",
		storeKey, c.ID, c.ParentID, c.Name, Fold(c.Name))
	return mustChange(n, err, categoryName(c.ID))
}

// DeleteCategory deletes a category and takes it from the products that are in
// it, or returns KindNotFound. That nothing is below it is for the caller to see.
func (t *Tx) DeleteCategory(storeKey string, id int64) error {
	// Its row comes first: that waits for who puts a product into it meanwhile.
	n, err := t.Exec("DELETE FROM categories WHERE store_hash = $1 AND id = $2", storeKey, id)
	if err := mustChange(n, err, categoryName(id)); err != nil {
		return err
	}
	return t.emptyCategory(storeKey, id)
}

// DeleteCategories is DeleteCategory for all that pass the filter, if any do.
func (t *Tx) DeleteCategories(storeKey string, f cohort.CategoryFilter) error {
	categories, err := t.ListCategories(storeKey, f, cohort.Page{Number: 1, Size: math.MaxInt32})
	for _, c := range categories {
		if err := t.Later("DELETE FROM categories WHERE store_hash = $1 AND id = $2", storeKey, c.ID); err != nil {
			return err
		}
		if err := t.emptyCategory(storeKey, c.ID); err != nil {
			return err
		}
	}
	return err
}

func (t *Tx) emptyCategory(storeKey string, id int64) error {
	return t.Later("DELETE FROM product_categories WHERE store_hash = $1 AND category_id = $2", storeKey, id)
}

func categoryName(id int64) string { return fmt.Sprintf("category %d", id) }

func scanCategory(row txn.Scanner) (cohort.Category, error) {
	var c cohort.Category
	return c, row.Scan(&c.ID, &c.ParentID, &c.Name)
}

func scanID(row txn.Scanner) (id int64, err error) { return id, row.Scan(&id) }
