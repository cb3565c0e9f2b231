package db

import (
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// HoldProducts returns those of the ids that are products of the store. They are not
// deleted until the transaction ends.
func (t *Tx) HoldProducts(storeKey string, ids []int64) ([]int64, error) {
	return t.productIDs(storeKey, ids, t.SQL().ForKeyShare)
}

// LockProducts is HoldProducts, and no other transaction writes the products.
func (t *Tx) LockProducts(storeKey string, ids []int64) ([]int64, error) {
	return t.productIDs(storeKey, ids, t.SQL().ForUpdate)
}

// productIDs reads the ids in their order, in which all transactions lock them.
func (t *Tx) productIDs(storeKey string, ids []int64, lock string) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT id FROM products"+w.text.String()+" ORDER BY id"+lock, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// AddProductCategories adds products to categories, each after the categories that the
// product has, and sets the date of products that change to now, unless theirs is later.
// The caller has locked the products and keeps the categories from being deleted.
func (t *Tx) AddProductCategories(storeKey string, list []cohort.ProductAssignment, now time.Time) error {
	products := func() ([]int64, error) { return productsOf(list), nil }
	return t.changeLists(storeKey, t.categoryLists(), products, func(ids []int64) error {
		return t.addProductCategories(storeKey, assignmentsOf(list, ids), now)
	})
}

func (t *Tx) addProductCategories(storeKey string, list []cohort.ProductAssignment, now time.Time) error {
	for _, a := range list {
		err := t.Later(`UPDATE products SET date_modified = $3 WHERE store_hash = $1 AND id = $2 AND date_modified < $3
			AND NOT EXISTS (SELECT 1 FROM product_categories AS c WHERE c.store_hash = $1 AND c.product_id = $2 AND c.category_id = $4)`,
			storeKey, a.ProductID, now.UnixMilli(), a.TargetID)
		if err != nil {
			return err
		}
		err = t.Later(`INSERT INTO product_categories (store_hash, product_id, category_id, position)
			SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), COALESCE(max(position), -1) + 1 FROM product_categories WHERE store_hash = $1 AND product_id = $2
			ON CONFLICT DO NOTHING`, storeKey, a.ProductID, a.TargetID)
		if err != nil {
			return err
		}
	}
	return nil
}

// ProductsInMany returns those of the products that are in more than most categories.
func (t *Tx) ProductsInMany(storeKey string, ids []int64, most int) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "product_id", ids)
	rows, err := t.Query("SELECT product_id FROM product_categories"+w.text.String()+
		" GROUP BY product_id HAVING count(*) > "+w.arg(most), w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// DeleteProductCategories removes products from categories, and sets their date as
// AddProductCategories does.
func (t *Tx) DeleteProductCategories(storeKey string, f cohort.ProductAssignmentFilter, now time.Time) error {
	products := func() (locked []int64, err error) {
		ids, err := t.assignedProducts(storeKey, catalogTables.categoryAssignments, f)
		for chunk := range slices.Chunk(ids, inChunk) {
			found, err := t.LockProducts(storeKey, chunk)
			if err != nil {
				return nil, err
			}
			locked = append(locked, found...)
		}
		return locked, err
	}
	return t.changeLists(storeKey, t.categoryLists(), products, func(ids []int64) error {
		return t.deleteProductCategories(storeKey, filterOf(f, ids), now)
	})
}

func (t *Tx) deleteProductCategories(storeKey string, f cohort.ProductAssignmentFilter, now time.Time) error {
	assigned := func(w *where) {
		in(w, "product_id", f.ProductIDs)
		in(w, "category_id", f.TargetIDs)
	}
	w := whereStore(storeKey)
	w.text.WriteString(" AND id IN (SELECT product_id FROM product_categories WHERE store_hash = $1")
	assigned(w)
	w.text.WriteString(")")
	date := w.arg(now.UnixMilli())
	err := t.Later("UPDATE products SET date_modified = "+date+w.text.String()+" AND date_modified < "+date, w.args...)
	if err != nil {
		return err
	}
	w = whereStore(storeKey)
	assigned(w)
	return t.Later("DELETE FROM product_categories"+w.text.String(), w.args...)
}
