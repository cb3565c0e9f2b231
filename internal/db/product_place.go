package db

import (
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// places returns the products of all categories with their places, the last place for
// products without one.
func (c catalogTables) places() string {
	return "(SELECT c.store_hash, c.category_id, c.product_id, COALESCE(o.sort_order, " +
		strconv.FormatInt(cohort.MaxProductPlace+1, 10) + ") AS place FROM " + txn.As(c.productCategories, "c") + `
		LEFT JOIN category_product_order AS o ON o.store_hash = c.store_hash AND o.category_id = c.category_id AND o.product_id = c.product_id) AS places`
}

// ReadProductPlaces calls fn with the products of a page of a category, by place and
// product, until fn returns false.
func (t *Tx) ReadProductPlaces(storeKey string, categoryID int64, p cohort.Page, fn func(cohort.ProductPlace) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	where := func() *where {
		w := whereStore(storeKey)
		w.and("category_id = ?", categoryID)
		return w
	}
	return listing[cohort.ProductPlace]{
		columns: "product_id, place", table: tables.places(), where: where,
		keys: []sortKey{{column: "place"}, {column: "product_id"}}, scan: scanProductPlace,
	}.each(t, p, p.Size, fn)
}

func scanProductPlace(row txn.Scanner) (p cohort.ProductPlace, err error) {
	var place int64
	err = row.Scan(&p.ProductID, &place)
	if place <= cohort.MaxProductPlace {
		p.Place = &place
	}
	return p, err
}

// ProductsInCategory returns those of the products that are in a category, by id.
func (t *Tx) ProductsInCategory(storeKey string, categoryID int64, ids []int64) ([]int64, error) {
	w := whereStore(storeKey)
	w.and("category_id = ?", categoryID)
	in(w, "product_id", ids)
	rows, err := t.Query("SELECT product_id FROM product_categories"+w.text.String()+" ORDER BY product_id", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// PutProductPlaces sets the places of products in a category. The caller keeps the
// products and the category from being deleted.
func (t *Tx) PutProductPlaces(storeKey string, categoryID int64, list []cohort.ProductPlace) error {
	for _, p := range list {
		var err error
		if p.Place == nil {
			err = t.Later("DELETE FROM category_product_order WHERE store_hash = $1 AND category_id = $2 AND product_id = $3", storeKey, categoryID, p.ProductID)
		} else {
			err = t.Later(`INSERT INTO category_product_order (store_hash, category_id, product_id, sort_order) VALUES ($1, $2, $3, $4)
				ON CONFLICT (store_hash, category_id, product_id) DO UPDATE SET sort_order = excluded.sort_order`,
				storeKey, categoryID, p.ProductID, *p.Place)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
