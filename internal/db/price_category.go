package db

import (
	"fmt"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// CategoriesOfProducts returns the category ids of products, in ascending order,
// by product id, and the distinct ids of all these categories. The caller must not
// change the slices, which products may share. The budget counts distinct
// categories. The query returns one row per product, because drivers are slow with
// many rows and a request may need half a million pairs.
func (t *Tx) CategoriesOfProducts(storeKey string, productIDs []int64, left *Budget) (ofProduct map[int64][]int64, all []int64, err error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, nil, err
	}
	rows, err := t.Query(`SELECT ids.wanted, COALESCE((SELECT `+t.SQL().Joined("x.category_id")+`
			FROM `+txn.As(tables.productCategories, "x")+` WHERE x.store_hash = $1 AND x.product_id = ids.wanted), '')
		FROM `+t.SQL().IDTable, storeKey, idText(productIDs))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	ofProduct = make(map[int64][]int64, len(productIDs))
	seen := map[int64]struct{}{}
	lists := map[string][]int64{} // by text; products in the same categories share a slice
	for rows.Next() {
		var product int64
		var text string
		if err := rows.Scan(&product, &text); err != nil {
			return nil, nil, err
		}
		if text == "" {
			continue
		}
		if list, known := lists[text]; known {
			ofProduct[product] = list
			continue
		}
		categories, err := parseIDs(text)
		if err != nil {
			return nil, nil, err
		}
		if !slices.IsSorted(categories) { // usually sorted, because they come from an index
			slices.Sort(categories)
		}
		ofProduct[product], lists[text] = categories, categories
		for _, id := range categories {
			if _, known := seen[id]; known {
				continue
			}
			seen[id] = struct{}{}
			if err := left.take(1); err != nil {
				return nil, nil, err
			}
			all = append(all, id)
		}
	}
	return ofProduct, all, rows.Err()
}

// parseIDs parses ids joined with commas.
func parseIDs(text string) ([]int64, error) {
	commas := 0
	for i := range len(text) {
		if text[i] == ',' {
			commas++
		}
	}
	ids := make([]int64, 0, commas+1)
	start := 0
	for i := range len(text) + 1 {
		if i < len(text) && text[i] != ',' {
			continue
		}
		id, err := strconv.ParseInt(text[start:i], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parse a list of ids: %w", err)
		}
		ids = append(ids, id)
		start = i + 1
	}
	return ids, nil
}

// CategoriesAbove returns those of the categories that exist, and all their
// ancestors, by id. The budget counts the returned categories.
func (t *Tx) CategoriesAbove(storeKey string, ids []int64, left *Budget) (map[int64]cohort.Category, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	up := txn.LookupBy{Columns: "id, parent_id, name", Table: tables.categories, Column: "id"}
	// UNION removes duplicates, so the recursion ends even on a cycle.
	rows, err := t.Query("WITH RECURSIVE above (id, parent_id, name) AS ("+
		t.rowsOf(up)+" UNION "+t.SQL().RowsOf("above", "above.parent_id", up)+
		") SELECT id, parent_id, name FROM above", storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	above := make(map[int64]cohort.Category, len(ids))
	for rows.Next() {
		var c cohort.Category
		if err := rows.Scan(&c.ID, &c.ParentID, &c.Name); err != nil {
			return nil, err
		}
		if err := left.take(1); err != nil {
			return nil, err
		}
		above[c.ID] = c
	}
	return above, rows.Err()
}
