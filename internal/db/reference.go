package db

import (
	"slices"

	"cohort.example/cohort/internal/txn"
)

// inChunk is the most values in an IN list. Longer lists are split into several
// queries.
const inChunk = 128

// MissingCategory returns the first id that is not the id of a category of the
// store, or 0.
func (t *Tx) MissingCategory(storeKey string, ids []int64) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	return t.missing(tables.categories, storeKey, ids)
}

// MissingProduct returns the first id that is not the id of a product of the store,
// or 0.
func (t *Tx) MissingProduct(storeKey string, ids []int64) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	return t.missing(tables.products, storeKey, ids)
}

func (t *Tx) missing(table, storeKey string, ids []int64) (int64, error) {
	for chunk := range slices.Chunk(ids, inChunk) {
		w := whereStore(storeKey)
		in(w, "id", chunk)
		rows, err := t.Query("SELECT id FROM "+table+w.text.String(), w.args...)
		if err != nil {
			return 0, err
		}
		existing, err := txn.Collect(rows, scanID)
		if err != nil {
			return 0, err
		}
		for _, id := range chunk {
			if !slices.Contains(existing, id) {
				return id, nil
			}
		}
	}
	return 0, nil
}

// VariantIDsBySKU returns the ids of the variants with the SKUs, by SKU. It leaves
// out SKUs that no variant has.
func (t *Tx) VariantIDsBySKU(storeKey string, list []string) (map[string]int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	ids := map[string]int64{}
	for chunk := range slices.Chunk(list, inChunk) {
		w := whereStore(storeKey)
		skus(w, chunk)
		rows, err := t.Query("SELECT id, sku FROM "+tables.variants+w.text.String(), w.args...)
		if err != nil {
			return nil, err
		}
		_, err = txn.Collect(rows, func(row txn.Scanner) (id int64, err error) {
			var sku string
			err = row.Scan(&id, &sku)
			ids[sku] = id
			return id, err
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// HoldVariants returns the ids of the products of those variants that the store has, by
// variant. It locks these variants against deletion until the transaction ends. The ids are
// in ascending order.
func (t *Tx) HoldVariants(storeKey string, ids []int64) (map[int64]int64, error) {
	return t.productsOfVariants(storeKey, ids, t.SQL().ForKeyShare)
}

func (t *Tx) productsOfVariants(storeKey string, ids []int64, lock string) (map[int64]int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	products := make(map[int64]int64, len(ids))
	for chunk := range slices.Chunk(ids, inChunk) {
		w := whereStore(storeKey)
		in(w, "id", chunk)
		rows, err := t.Query("SELECT id, product_id FROM "+tables.variants+w.text.String()+" ORDER BY id"+lock, w.args...)
		if err != nil {
			return nil, err
		}
		_, err = txn.Collect(rows, func(row txn.Scanner) (variant int64, err error) {
			var product int64
			err = row.Scan(&variant, &product)
			products[variant] = product
			return variant, err
		})
		if err != nil {
			return nil, err
		}
	}
	return products, nil
}
