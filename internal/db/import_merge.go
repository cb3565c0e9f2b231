package db

import (
	"context"
	"slices"

	"cohort.example/cohort/internal/txn"
)

// incomingTables are the tables that hold the rows of an unmerged import, each
// with the column that splits it into batches.
var incomingTables = []struct{ name, column string }{
	{"incoming_product_categories", "product_id"},
	{"incoming_categories", "id"},
	{"incoming_products", "id"},
	{"incoming_variants", "id"},
	{"incoming_category_details", "category_id"},
	{"incoming_product_details", "product_id"},
	{"incoming_variant_details", "variant_id"},
}

// ClearImport deletes the rows of an abandoned import in batches. Each batch calls
// lease for the renewed lease.
func (db *DB) ClearImport(ctx context.Context, lease func() ImportLease) error {
	batches := db.batches()
	for _, table := range incomingTables {
		for more := true; more; {
			l := lease()
			err := batches.do(ctx, func(tx *Tx) (err error) {
				if err := tx.RenewImport(l, ImportAbandoned); err != nil {
					return err
				}
				more, err = tx.clearIncoming(l.StoreKey, table.name, table.column, batches.rows)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	l := lease()
	return db.Update(ctx, func(tx *Tx) error { return tx.endImport(l) })
}

func (t *Tx) clearIncoming(storeKey, table, column string, rows int) (more bool, err error) {
	n, err := t.Exec("DELETE FROM "+table+" WHERE store_hash = $1 AND "+column+" <= (SELECT max("+column+") FROM (SELECT "+column+
		" FROM "+table+" WHERE store_hash = $1 ORDER BY "+column+" LIMIT CAST($2 AS BIGINT)) AS batch)", storeKey, rows)
	return n > 0, err
}

// MergeImport moves the rows of a published import into the catalog in batches. A
// node can resume it after an interruption at any point: each row moves in one
// transaction, and until then it hides the stored row with the same id.
func (db *DB) MergeImport(ctx context.Context, lease func() ImportLease) error {
	if err := db.merge(ctx, lease, (*Tx).mergeCategories, mergeDetails(categoryDetails, "details = ''"),
		(*Tx).mergeProducts, mergeDetails(productDetails, "details = '' AND brand_id = 0")); err != nil {
		return err
	}
	// An import may swap the SKUs of variants, and SKUs are unique. So all SKUs
	// that change are cleared before any new one is written.
	if err := db.clearChangedSKUs(ctx, lease); err != nil {
		return err
	}
	if err := db.merge(ctx, lease, (*Tx).mergeVariants, mergeDetails(variantDetails, "details = ''")); err != nil {
		return err
	}
	l := lease()
	return db.Update(ctx, func(tx *Tx) error { return tx.endImport(l) })
}

// merge runs each step until it reports that no rows are left. A step moves up to
// rows rows.
func (db *DB) merge(ctx context.Context, lease func() ImportLease, steps ...func(t *Tx, storeKey string, rows int) (bool, error)) error {
	batches := db.batches()
	for _, step := range steps {
		for more := true; more; {
			l := lease()
			err := batches.do(ctx, func(tx *Tx) (err error) {
				if err := tx.RenewImport(l, ImportPublished); err != nil {
					return err
				}
				more, err = step(tx, l.StoreKey, batches.rows)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Tx) mergeCategories(storeKey string, rows int) (more bool, err error) {
	last, err := t.lastIncoming("incoming_categories", storeKey, 0, rows)
	if err != nil || last == 0 {
		return false, err
	}
	return true, t.laterAll(storeKey, last,
		`INSERT INTO categories (store_hash, id, parent_id, name, name_folded)
			SELECT store_hash, id, parent_id, name, name_folded FROM incoming_categories WHERE store_hash = $1 AND id <= $2 ORDER BY id
			ON CONFLICT (store_hash, id) DO UPDATE SET
				parent_id = excluded.parent_id, name = excluded.name, name_folded = excluded.name_folded`,
		`DELETE FROM incoming_categories WHERE store_hash = $1 AND id <= $2`)
}

// mergeProducts moves products together with their product_categories rows.
func (t *Tx) mergeProducts(storeKey string, rows int) (more bool, err error) {
	last, err := t.lastIncomingProduct(storeKey, rows)
	if err != nil || last == 0 {
		return false, err
	}
	return true, t.laterAll(storeKey, last,
		`INSERT INTO products (store_hash, name_folded, `+productColumns+`)
			SELECT store_hash, name_folded, `+productColumns+` FROM incoming_products WHERE store_hash = $1 AND id <= $2 ORDER BY id
			ON CONFLICT (store_hash, id) DO UPDATE SET
				name = excluded.name, name_folded = excluded.name_folded, type = excluded.type, sku = excluded.sku,
				weight = excluded.weight, price = excluded.price, sale_price = excluded.sale_price,
				retail_price = excluded.retail_price, map_price = excluded.map_price, bulk_tiers = excluded.bulk_tiers,
				date_modified = excluded.date_modified`,
		`DELETE FROM product_categories WHERE store_hash = $1 AND product_id IN
			(SELECT id FROM incoming_products WHERE store_hash = $1 AND id <= $2)`,
		`INSERT INTO product_categories (store_hash, product_id, category_id, position)
			SELECT store_hash, product_id, category_id, position FROM incoming_product_categories
			WHERE store_hash = $1 AND product_id <= $2 ORDER BY product_id, category_id`,
		`DELETE FROM incoming_product_categories WHERE store_hash = $1 AND product_id <= $2`,
		`DELETE FROM incoming_products WHERE store_hash = $1 AND id <= $2`)
}

func (t *Tx) mergeVariants(storeKey string, rows int) (more bool, err error) {
	last, err := t.lastIncoming("incoming_variants", storeKey, 0, rows)
	if err != nil || last == 0 {
		return false, err
	}
	return true, t.laterAll(storeKey, last,
		`INSERT INTO variants (store_hash, `+variantColumns+`)
			SELECT store_hash, `+variantColumns+` FROM incoming_variants WHERE store_hash = $1 AND id <= $2 ORDER BY id
			ON CONFLICT (store_hash, id) DO UPDATE SET
				product_id = excluded.product_id, sku = excluded.sku, price = excluded.price, sale_price = excluded.sale_price,
				retail_price = excluded.retail_price, map_price = excluded.map_price, option_values = excluded.option_values`,
		`DELETE FROM incoming_variants WHERE store_hash = $1 AND id <= $2`)
}

// laterAll runs statements in which $1 is the store's key and $2 the last id of the
// batch.
func (t *Tx) laterAll(storeKey string, last int64, queries ...string) error {
	for _, query := range queries {
		if err := t.Later(query, storeKey, last); err != nil {
			return err
		}
	}
	return nil
}

// lastIncoming returns the last id of the next batch of rows after an id, or 0 if
// there are no more.
func (t *Tx) lastIncoming(table, storeKey string, after int64, rows int) (last int64, err error) {
	err = t.QueryRow("SELECT COALESCE(max(id), 0) FROM (SELECT id FROM "+table+
		" WHERE store_hash = $1 AND id > $2 ORDER BY id LIMIT CAST($3 AS BIGINT)) AS batch", storeKey, after, rows).Scan(&last)
	return last, err
}

// lastIncomingProduct is lastIncoming for products. It counts the
// product_categories rows of the products too, but returns at least one product.
func (t *Tx) lastIncomingProduct(storeKey string, most int) (last int64, err error) {
	rows, err := t.Query(`SELECT p.id, (SELECT count(*) FROM incoming_product_categories AS c
			WHERE c.store_hash = p.store_hash AND c.product_id = p.id)
		FROM incoming_products AS p WHERE p.store_hash = $1 ORDER BY p.id LIMIT CAST($2 AS BIGINT)`, storeKey, most)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, categories int64
		if err := rows.Scan(&id, &categories); err != nil {
			return 0, err
		}
		most -= int(categories) + 1
		if most < 0 && last != 0 {
			break
		}
		last = id
	}
	return last, rows.Err()
}

// skuBatch is the number of incoming variants that one query compares with the
// catalog for changed SKUs.
const skuBatch = 10_000

// clearChangedSKUs clears the SKUs of the stored variants whose SKUs the import
// changes. Readers do not see this, because the import's rows hide these variants.
func (db *DB) clearChangedSKUs(ctx context.Context, lease func() ImportLease) error {
	batches := db.batches()
	for after, more := int64(0), true; more; {
		var ids []int64
		from, l := after, lease()
		err := db.View(ctx, func(tx *Tx) (err error) {
			ids, after, err = tx.changedSKUs(l.StoreKey, from)
			return err
		})
		if err != nil {
			return err
		}
		more = after != 0
		for len(ids) > 0 {
			n, l := min(batches.rows, len(ids)), lease()
			err := batches.do(ctx, func(tx *Tx) error { return tx.clearSKUs(l, ids[:n]) })
			if err != nil {
				return err
			}
			ids = ids[n:]
		}
	}
	return nil
}

// changedSKUs returns the ids of variants whose SKUs the import changes, among the
// next skuBatch incoming variants. last is the last id compared, or 0 if no
// variants are left.
func (t *Tx) changedSKUs(storeKey string, after int64) (ids []int64, last int64, err error) {
	last, err = t.lastIncoming("incoming_variants", storeKey, after, skuBatch)
	if err != nil || last == 0 {
		return nil, 0, err
	}
	rows, err := t.Query(`SELECT i.id FROM incoming_variants AS i JOIN variants AS v ON v.store_hash = i.store_hash AND v.id = i.id
		WHERE i.store_hash = $1 AND i.id > $2 AND i.id <= $3 AND v.sku <> '' AND v.sku <> i.sku ORDER BY i.id`, storeKey, after, last)
	if err != nil {
		return nil, 0, err
	}
	ids, err = txn.Collect(rows, scanID)
	return ids, last, err
}

func (t *Tx) clearSKUs(l ImportLease, ids []int64) error {
	if err := t.RenewImport(l, ImportPublished); err != nil {
		return err
	}
	for chunk := range slices.Chunk(ids, inChunk) {
		w := whereStore(l.StoreKey)
		in(w, "id", chunk)
		// The condition leaves out variants that another node has merged since.
		if err := t.Later("UPDATE variants SET sku = ''"+w.text.String()+hasSKU+
			" AND EXISTS (SELECT 1 FROM incoming_variants AS i WHERE i.store_hash = variants.store_hash AND i.id = variants.id)", w.args...); err != nil {
			return err
		}
	}
	return nil
}
