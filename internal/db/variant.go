package db

import (
	"errors"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const variantColumns = "id, product_id, sku, price, sale_price, retail_price, map_price, option_values"

// hasSKU is the condition of the partial index on SKUs. A query must contain it to
// use the index.
const hasSKU = " AND sku <> ''"

// CreateVariant is InsertVariant with the next id of the store. It returns the variant with
// the id.
func (t *Tx) CreateVariant(storeKey string, v cohort.Variant) (cohort.Variant, error) {
	var err error
	if v.ID, err = t.NextID(storeKey, "variant"); err != nil {
		return v, err
	}
	return v, t.InsertVariant(storeKey, v)
}

// InsertVariant adds a variant under its id. Update returns KindConflict if its
// SKU is taken, and KindNotFound if its product is gone.
func (t *Tx) InsertVariant(storeKey string, v cohort.Variant) error {
	err := t.Later("INSERT INTO variants (store_hash, "+variantColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		storeKey, v.ID, v.ProductID, v.SKU, fromPrice(v.Price), fromPrice(v.SalePrice), fromPrice(v.RetailPrice), fromPrice(v.MAPPrice),
		encodeOptionValues(v.OptionValues))
	if err != nil {
		return err
	}
	if err := t.putVariantDetails(storeKey, v); err != nil {
		return err
	}
	return t.recordVariant(storeKey, nil, v)
}

// Variant returns a variant of a product, or of any product of the store when
// productID is 0. It returns KindNotFound.
func (t *Tx) Variant(storeKey string, productID, id int64) (cohort.Variant, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return cohort.Variant{}, err
	}
	w := whereStore(storeKey)
	w.and("id = ?", id)
	if productID != 0 {
		w.and("product_id = ?", productID)
	}
	v, err := scanVariant(t.Lookup("SELECT "+variantColumns+" FROM "+tables.variants+w.text.String(), w.args...))
	if errors.Is(err, txn.ErrNoRows) {
		return v, cohort.NotFound(variantName(id))
	}
	if err != nil {
		return v, err
	}
	return v, t.readVariantDetails(storeKey, []int64{id}, func(int64) *cohort.Variant { return &v })
}

// VariantIDBySKU returns the id of the variant with the SKU, or 0. An empty SKU
// matches no variant.
func (t *Tx) VariantIDBySKU(storeKey, sku string) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	return t.findID("SELECT id FROM "+tables.variants+" WHERE store_hash = $1 AND sku = $2"+hasSKU, storeKey, sku)
}

// ReadVariants calls fn with the variants of a page that pass the filter, ordered by
// id, until fn returns false. The variants have no details.
func (t *Tx) ReadVariants(storeKey string, f cohort.VariantFilter, p cohort.Page, fn func(cohort.Variant) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	return listing[cohort.Variant]{
		columns: variantColumns, table: tables.variants, where: func() *where { return t.whereVariants(tables, storeKey, f) },
		keys: byID, scan: scanVariant,
	}.each(t, p, p.Size, fn)
}

// ListVariants returns the rows that ReadVariants reads.
func (t *Tx) ListVariants(storeKey string, f cohort.VariantFilter, p cohort.Page) ([]cohort.Variant, error) {
	return all(func(fn func(cohort.Variant) bool) error { return t.ReadVariants(storeKey, f, p, fn) })
}

// variantsOfProducts selects variants joined with the prices and weights of their
// products, so that queries can name all columns without a qualifier.
func variantsOfProducts(tables catalogTables) string {
	return `(SELECT v.store_hash, v.id, v.product_id, v.sku, v.price, v.sale_price, v.retail_price, v.map_price, v.option_values,
		p.price AS product_price, p.sale_price AS product_sale_price, p.retail_price AS product_retail_price, p.map_price AS product_map_price,
		p.weight AS product_weight
	FROM ` + txn.As(tables.variants, "v") + ` LEFT JOIN ` + txn.As(tables.products, "p") + ` ON p.store_hash = v.store_hash AND p.id = v.product_id) AS variants`
}

// variantBatch is the number of variants that ReadCatalogVariants reads before it calls fn.
// 250 variants with 250 option values each take 1 MiB.
const variantBatch = 250

// ReadCatalogVariants is ReadVariants with the details and labels of each variant, and with
// the id, the prices and the weight of its product. fn may use the transaction.
func (t *Tx) ReadCatalogVariants(storeKey string, f cohort.VariantFilter, p cohort.Page, fn func(CatalogVariant) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	list := listing[CatalogVariant]{
		columns: variantColumns + ", product_price, product_sale_price, product_retail_price, product_map_price, product_weight",
		table:   variantsOfProducts(tables), where: func() *where { return t.whereVariants(tables, storeKey, f) }, keys: byID,
		scan: scanVariantOfProduct,
	}
	p, err = list.forwards(t, p)
	for err == nil && p.Size > 0 {
		var batch []CatalogVariant
		batch, err = all(func(fn func(CatalogVariant) bool) error { return list.each(t, p, variantBatch, fn) })
		if err != nil || len(batch) == 0 {
			return err
		}
		n, last := len(batch), batch[len(batch)-1].ID
		more, err := t.eachComplete(storeKey, batch, fn)
		if err != nil || !more || n < variantBatch {
			return err
		}
		p = p.Rest(strconv.FormatInt(last, 10), n)
	}
	return err
}

func scanVariantOfProduct(row txn.Scanner) (v CatalogVariant, err error) {
	var price, sale, retail, minimum, weight int64
	v.Variant, err = scanVariantAnd(row, &price, &sale, &retail, &minimum, &weight)
	v.Product = cohort.Product{
		ID: v.ProductID, Price: toAmount(price), SalePrice: toAmount(sale), RetailPrice: toAmount(retail), MAPPrice: toAmount(minimum),
		Weight: toAmount(weight),
	}
	return v, err
}

// CountVariants returns how many variants pass the filter.
func (t *Tx) CountVariants(storeKey string, f cohort.VariantFilter) (int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	w := t.whereVariants(tables, storeKey, f)
	var n int64
	err = t.QueryRow("SELECT count(*) FROM "+tables.variants+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func (t *Tx) whereVariants(tables catalogTables, storeKey string, f cohort.VariantFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	in(w, "product_id", f.ProductIDs)
	if len(f.SKUs) > 0 {
		w.text.WriteString(hasSKU)
	}
	in(w, "sku", f.SKUs)
	if f.UPC != nil {
		t.whereUPC(w, tables, *f.UPC)
	}
	return w
}

// UpdateVariant overwrites the variant with the same id; its details stay if v has none. A
// transaction that updates or deletes a variant first locks its product with
// ProductForUpdate. before is the variant as read under this lock. The commit returns
// KindConflict if another variant has the SKU.
func (t *Tx) UpdateVariant(storeKey string, before, v cohort.Variant) error {
	err := t.Later(`UPDATE variants SET sku = $3, price = $4, sale_price = $5, retail_price = $6, map_price = $7, option_values = $8
		WHERE store_hash = $1 AND id = $2`,
		storeKey, v.ID, v.SKU, fromPrice(v.Price), fromPrice(v.SalePrice), fromPrice(v.RetailPrice), fromPrice(v.MAPPrice),
		encodeOptionValues(v.OptionValues))
	if err != nil {
		return err
	}
	if err := t.putVariantDetails(storeKey, v); err != nil {
		return err
	}
	return t.recordVariant(storeKey, &before, v)
}

// UpdateBaseVariant is UpdateVariant for the base variant of a product.
func (t *Tx) UpdateBaseVariant(storeKey string, p cohort.Product) error {
	v := p.BaseVariant()
	before := v
	on, err := t.recordsFor(storeKey)
	if err == nil && on {
		before, err = t.Variant(storeKey, p.ID, v.ID)
	}
	if err != nil {
		return err
	}
	return t.UpdateVariant(storeKey, before, v)
}

// DeleteVariant deletes a variant, as read in this transaction, with its price records. It
// returns KindNotFound if another transaction has deleted it.
func (t *Tx) DeleteVariant(storeKey string, v cohort.Variant) error {
	records, err := t.recordsToDelete(storeKey, "id", []int64{v.ID})
	if err != nil {
		return err
	}
	n, err := t.Exec("DELETE FROM variants WHERE store_hash = $1 AND id = $2", storeKey, v.ID)
	if err := requireRow(n, err, variantName(v.ID)); err != nil || !t.records() {
		return err
	}
	return t.record(storeKey, deletedVariant(v, records[v.ID]))
}

func variantName(id int64) string { return fmt.Sprintf("variant %d", id) }

func scanVariant(row txn.Scanner) (cohort.Variant, error) { return scanVariantAnd(row) }

// scanVariantAnd scans a variant and the columns after it.
func scanVariantAnd(row txn.Scanner, further ...any) (cohort.Variant, error) {
	var v cohort.Variant
	var price, sale, retail, minimum int64
	var options string
	err := row.Scan(append([]any{&v.ID, &v.ProductID, &v.SKU, &price, &sale, &retail, &minimum, &options}, further...)...)
	if err != nil {
		return v, err
	}
	v.Price, v.SalePrice, v.RetailPrice, v.MAPPrice = toPrice(price), toPrice(sale), toPrice(retail), toPrice(minimum)
	if v.OptionValues, err = decodeOptionValues(options); err != nil {
		return v, fmt.Errorf("option_values of variant %d: %w", v.ID, err)
	}
	return v, nil
}
