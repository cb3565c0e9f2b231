package db

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const productColumns = `id, name, type, sku, weight, price, sale_price, retail_price, map_price, bulk_tiers, base_variant_id,
	date_created, date_modified`

// InsertProduct adds a product under its id, in its categories. Its base variant
// is to be inserted besides.
func (t *Tx) InsertProduct(storeKey string, p cohort.Product) error {
	err := t.Later("INSERT INTO products (store_hash, name_folded, "+productColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		storeKey, Fold(p.Name), p.ID, p.Name, p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price), fromAmount(p.SalePrice),
		fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), encodeTiers(p.BulkTiers), p.BaseVariantID,
		p.DateCreated.UnixMilli(), p.DateModified.UnixMilli())
	if err != nil {
		return err
	}
	return t.categorize(storeKey, p)
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

// ProductForUpdate is Product for one that this transaction is about to write,
// or whose variants it is: until its end nobody else does.
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
	err = t.readCategories(storeKey, products)
	return products[0], err
}

// productsAhead is how many products are read before any of them is handed on, for
// their categories are read together: one query for 50 products, the usual page.
// With 1 000 categories each that is about 1 MiB.
const productsAhead = 50

// ReadProducts calls fn with the products of a page that pass the filter, by id,
// until it returns false. fn may ask the transaction for more.
func (t *Tx) ReadProducts(storeKey string, f cohort.ProductFilter, p cohort.Page, fn func(cohort.Product) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	list := listing[cohort.Product]{
		columns: productColumns, table: tables.products, where: func() *where { return whereProducts(tables, storeKey, f) },
		keys: byID, scan: scanProduct,
	}
	p, err = list.forwards(t, p)
	for err == nil && p.Size > 0 {
		var some []cohort.Product
		some, err = all(func(fn func(cohort.Product) bool) error { return list.each(t, p, productsAhead, fn) })
		if err != nil {
			return err
		}
		if err := t.readCategories(storeKey, some); err != nil {
			return err
		}
		for _, product := range some {
			if !fn(product) {
				return nil
			}
		}
		if len(some) < productsAhead {
			return nil
		}
		p = p.Rest(strconv.FormatInt(some[len(some)-1].ID, 10), len(some))
	}
	return err
}

// ListProducts returns what ReadProducts reads.
func (t *Tx) ListProducts(storeKey string, f cohort.ProductFilter, p cohort.Page) ([]cohort.Product, error) {
	return all(func(fn func(cohort.Product) bool) error { return t.ReadProducts(storeKey, f, p, fn) })
}

// idsPerQuery bounds how many ids a query names, below what engines allow.
const idsPerQuery = 4096

// readCategories fills in the categories of products.
func (t *Tx) readCategories(storeKey string, products []cohort.Product) error {
	for part := range slices.Chunk(products, idsPerQuery) {
		if err := t.readCategoriesOf(storeKey, part); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) readCategoriesOf(storeKey string, products []cohort.Product) error {
	ids := make([]int64, len(products))
	places := make(map[int64]int, len(products))
	for i, p := range products {
		ids[i], places[p.ID] = p.ID, i
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
		p := &products[places[product]]
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
	w := whereProducts(tables, storeKey, f)
	var n int64
	err = t.QueryRow("SELECT count(*) FROM "+tables.products+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereProducts(tables catalogTables, storeKey string, f cohort.ProductFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	w.name(f.Name, f.NameLike)
	if f.SKU != nil {
		w.productSKUs(tables, []string{*f.SKU})
	}
	w.productSKUs(tables, f.SKUs)
	if f.Categories != nil {
		w.text.WriteString(" AND id IN (SELECT product_id FROM " + tables.productCategories + " WHERE store_hash = $1")
		in(w, "category_id", f.Categories)
		w.text.WriteString(")")
	}
	w.amounts("price", f.Price)
	w.span("date_modified", f.DateModified)
	return w
}

// productSKUs adds that a product has one of the SKUs, unless they are nil. The
// base variants have them too, and an index.
func (w *where) productSKUs(tables catalogTables, skus []string) {
	in(w, "sku", skus)
	if skus == nil || slices.Contains(skus, "") {
		return
	}
	w.text.WriteString(" AND id IN (SELECT product_id FROM " + tables.variants + " WHERE store_hash = $1" + hasSKU)
	in(w, "sku", skus)
	w.text.WriteString(")")
}

// UpdateProduct writes a product over the one with its id, but for its creation
// date. before is that one as it was read in this transaction. The base variant
// is to be updated besides.
func (t *Tx) UpdateProduct(storeKey string, before, p cohort.Product) error {
	err := t.Later(`UPDATE products SET name = $3, name_folded = $4, type = $5, sku = $6, weight = $7, price = $8, sale_price = $9,
		retail_price = $10, map_price = $11, bulk_tiers = $12, date_modified = $13 WHERE store_hash = $1 AND id = $2`,
		storeKey, p.ID, p.Name, Fold(p.Name), p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price), fromAmount(p.SalePrice),
		fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), encodeTiers(p.BulkTiers), p.DateModified.UnixMilli())
	if err != nil || slices.Equal(before.Categories, p.Categories) {
		return err
	}
	if err := t.Later("DELETE FROM product_categories WHERE store_hash = $1 AND product_id = $2", storeKey, p.ID); err != nil {
		return err
	}
	return t.categorize(storeKey, p)
}

// DeleteProduct deletes a product with its variants and their price records, or
// returns KindNotFound.
func (t *Tx) DeleteProduct(storeKey string, id int64) error {
	n, err := t.Exec("DELETE FROM products WHERE store_hash = $1 AND id = $2", storeKey, id)
	return mustChange(n, err, productName(id))
}

// DeleteProducts is DeleteProduct for all that pass the filter, if any do.
func (t *Tx) DeleteProducts(storeKey string, f cohort.ProductFilter) error {
	w := whereProducts(storedCatalog, storeKey, f)
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
