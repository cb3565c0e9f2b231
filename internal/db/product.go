package db

import (
	"errors"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const productColumns = `id, name, type, sku, weight, price, sale_price, retail_price, map_price, bulk_tiers, base_variant_id,
	date_created, date_modified`

// CreateProduct adds a product in its categories, and its base variant, each with the next
// id of the store. It returns the product with the ids. Errors are those of InsertVariant.
func (t *Tx) CreateProduct(storeKey string, p cohort.Product) (cohort.Product, error) {
	var err error
	if p.ID, err = t.NextID(storeKey, "product"); err != nil {
		return p, err
	}
	if p.BaseVariantID, err = t.NextID(storeKey, "variant"); err != nil {
		return p, err
	}
	if err := t.InsertProduct(storeKey, p); err != nil {
		return p, err
	}
	return p, t.InsertVariant(storeKey, p.BaseVariant())
}

// InsertProduct adds a product under its id, in its categories. It does not insert the
// base variant.
func (t *Tx) InsertProduct(storeKey string, p cohort.Product) error {
	err := t.Later("INSERT INTO products (store_hash, name_folded, "+productColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		storeKey, Fold(p.Name), p.ID, p.Name, p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price), fromAmount(p.SalePrice),
		fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), encodeTiers(p.BulkTiers), p.BaseVariantID,
		p.DateCreated.UnixMilli(), p.DateModified.UnixMilli())
	if err != nil {
		return err
	}
	if hasDetails(p) {
		if err := t.putProductDetails(storeKey, p); err != nil {
			return err
		}
	}
	if err := t.categorize(storeKey, p); err != nil {
		return err
	}
	return t.recordNewProduct(storeKey, p)
}

func (t *Tx) categorize(storeKey string, p cohort.Product) error {
	for i, category := range p.Categories {
		err := t.Later("INSERT INTO product_categories (store_hash, product_id, category_id, position) VALUES ($1, $2, $3, $4)",
			storeKey, p.ID, category, i)
		if err != nil {
			return err
		}
	}
	return nil
}

// Product returns a product of the store, or KindNotFound.
func (t *Tx) Product(storeKey string, id int64) (cohort.Product, error) {
	return t.product(storeKey, id, "")
}

// ProductForUpdate is Product with a row lock: no other transaction writes the
// product or its variants until this one ends.
func (t *Tx) ProductForUpdate(storeKey string, id int64) (cohort.Product, error) {
	return t.product(storeKey, id, t.SQL().ForUpdate)
}

func (t *Tx) product(storeKey string, id int64, lock string) (cohort.Product, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return cohort.Product{}, err
	}
	p, err := scanProduct(t.Lookup("SELECT "+productColumns+
		" FROM "+tables.products+" WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return p, cohort.NotFound(productName(id))
	}
	if err != nil {
		return p, err
	}
	products := []cohort.Product{p}
	if err := t.readCategories(storeKey, products); err != nil {
		return p, err
	}
	err = t.readDetails(storeKey, products, []int64{id})
	return products[0], err
}

// productBatch is the number of products that ReadProducts reads before it calls
// fn. Their categories are read with one query; 50 is the usual page size. 50
// products with 1 000 categories each take about 1 MiB.
const productBatch = 50

// ReadProducts calls fn with the products of a page that pass the filter, in an order,
// until fn returns false. fn may use the transaction.
func (t *Tx) ReadProducts(storeKey string, f cohort.ProductFilter, o cohort.ProductOrder, p cohort.Page, fn func(cohort.Product) (more bool)) error {
	return t.ReadProductChunks(storeKey, f, o, p, func(chunk []cohort.Product) (more bool, err error) {
		for _, p := range chunk {
			if !fn(p) {
				return false, nil
			}
		}
		return true, nil
	})
}

// ReadProductChunks is ReadProducts with up to productBatch products at once: as many as
// fit into memory with their details.
func (t *Tx) ReadProductChunks(storeKey string, f cohort.ProductFilter, o cohort.ProductOrder, p cohort.Page, fn func([]cohort.Product) (more bool, err error)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	filter, err := t.productFilter(tables, storeKey, f)
	if err != nil {
		return err
	}
	list := listing[cohort.Product]{
		columns: productColumns, table: tables.productSource(o), where: func() *where { return t.whereProducts(tables, storeKey, filter) },
		keys: t.productKeys(o), descending: o.Descending, scan: scanProduct,
	}
	p, err = list.forwards(t, p)
	for err == nil && p.Size > 0 {
		var batch []cohort.Product
		batch, err = all(func(fn func(cohort.Product) bool) error { return list.each(t, p, productBatch, fn) })
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := t.readCategories(storeKey, batch); err != nil {
			return err
		}
		more, err := t.chunksWithDetails(storeKey, batch, f.With, fn)
		if err != nil || !more || len(batch) < productBatch {
			return err
		}
		p = p.Rest(o.Key(batch[len(batch)-1]), len(batch))
	}
	return err
}

// productKeys returns the sort keys of an order.
func (t *Tx) productKeys(o cohort.ProductOrder) []sortKey {
	var first sortKey
	switch o.By {
	case cohort.SortProductsByName:
		first = sortKey{column: "lower(name" + t.SQL().ByteOrder + ")", isText: true}
	case cohort.SortProductsBySKU:
		first = sortKey{column: "sku" + t.SQL().ByteOrder, isText: true}
	case cohort.SortProductsByPrice:
		first.column = "price"
	case cohort.SortProductsByCalculated:
		first.column = "CASE WHEN sale_price > 0 AND sale_price < price THEN sale_price ELSE price END"
	case cohort.SortProductsByDateModified:
		first.column = "date_modified"
	case cohort.SortProductsByInventory:
		first.column = "inventory_level"
	case cohort.SortProductsByVisibility:
		first.column = "CASE WHEN is_visible THEN 1 ELSE 0 END"
	default:
		return byID
	}
	return []sortKey{first, {column: "id"}}
}

// readCategories sets the categories of up to productBatch products.
func (t *Tx) readCategories(storeKey string, products []cohort.Product) error {
	ids := make([]int64, len(products))
	index := make(map[int64]int, len(products)) // by product id
	for i, p := range products {
		ids[i], index[p.ID] = p.ID, i
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	w := whereStore(storeKey)
	in(w, "product_id", ids)
	rows, err := t.Query("SELECT product_id, category_id FROM "+tables.productCategories+w.text.String()+" ORDER BY product_id, position", w.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var product, category int64
		if err := rows.Scan(&product, &category); err != nil {
			return err
		}
		p := &products[index[product]]
		p.Categories = append(p.Categories, category)
	}
	return rows.Err()
}

// CountProducts returns how many products pass the filter.
func (t *Tx) CountProducts(storeKey string, f cohort.ProductFilter) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	if n, only, err := t.countInCategories(tables, storeKey, f); only || err != nil {
		return n, err
	}
	filter, err := t.productFilter(tables, storeKey, f)
	if err != nil {
		return 0, err
	}
	w := t.whereProducts(tables, storeKey, filter)
	var n int64
	err = t.QueryRow("SELECT count(*) FROM "+tables.products+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// UpdateProduct overwrites the product with the same id, except its creation date.
// before is the product as read in this transaction. The caller updates the base
// variant.
func (t *Tx) UpdateProduct(storeKey string, before, p cohort.Product) error {
	err := t.Later(`UPDATE products SET name = $3, name_folded = $4, type = $5, sku = $6, weight = $7, price = $8, sale_price = $9,
		retail_price = $10, map_price = $11, bulk_tiers = $12, date_modified = $13 WHERE store_hash = $1 AND id = $2`,
		storeKey, p.ID, p.Name, Fold(p.Name), p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price), fromAmount(p.SalePrice),
		fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), encodeTiers(p.BulkTiers), p.DateModified.UnixMilli())
	if err != nil {
		return err
	}
	if hasDetails(before) || hasDetails(p) {
		if err := t.putProductDetails(storeKey, p); err != nil {
			return err
		}
	}
	if !slices.Equal(before.Categories, p.Categories) {
		if err := t.Later("DELETE FROM product_categories WHERE store_hash = $1 AND product_id = $2", storeKey, p.ID); err != nil {
			return err
		}
		if err := t.categorize(storeKey, p); err != nil {
			return err
		}
	}
	return t.recordProduct(storeKey, before, p)
}

// DeleteProduct deletes a product with its variants and their price records, or
// returns KindNotFound.
func (t *Tx) DeleteProduct(storeKey string, id int64) error {
	on, err := t.recordsFor(storeKey)
	if err != nil {
		return err
	}
	if on {
		found, err := t.LockProducts(storeKey, []int64{id})
		if err := requireRow(int64(len(found)), err, productName(id)); err != nil {
			return err
		}
		return t.deleteProducts(storeKey, found)
	}
	n, err := t.Exec("DELETE FROM products WHERE store_hash = $1 AND id = $2", storeKey, id)
	return requireRow(n, err, productName(id))
}

// DeleteProducts deletes all products that pass the filter, with their variants and
// price records. It is no error if none passes.
func (t *Tx) DeleteProducts(storeKey string, f cohort.ProductFilter) error {
	w := t.whereProducts(storedCatalog, storeKey, productFilter{ProductFilter: f})
	on, err := t.recordsFor(storeKey)
	if err != nil {
		return err
	}
	if on {
		ids, err := t.findIDs("SELECT id FROM products"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
		if err != nil {
			return err
		}
		return t.deleteProducts(storeKey, ids)
	}
	return t.Later("DELETE FROM products"+w.text.String(), w.args...)
}

func productName(id int64) string { return fmt.Sprintf("product %d", id) }

func scanProduct(row txn.Scanner) (cohort.Product, error) {
	var p cohort.Product
	var weight, price, sale, retail, minimum, created, modified int64
	var tiers string
	err := row.Scan(&p.ID, &p.Name, &p.Type, &p.SKU, &weight, &price, &sale, &retail, &minimum, &tiers, &p.BaseVariantID, &created, &modified)
	if err != nil {
		return p, err
	}
	p.Weight, p.Price, p.SalePrice, p.RetailPrice, p.MAPPrice = toAmount(weight), toAmount(price), toAmount(sale), toAmount(retail), toAmount(minimum)
	p.DateCreated, p.DateModified = fromMillis(created), fromMillis(modified)
	if p.BulkTiers, err = decodeTiers(tiers); err != nil {
		return p, fmt.Errorf("bulk_tiers of product %d: %w", p.ID, err)
	}
	return p, nil
}
