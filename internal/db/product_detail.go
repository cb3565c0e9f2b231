package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// withDetails returns the source of products in which they have the columns of
// product_details that lists are sorted by, with the defaults of products without details.
func (c catalogTables) withDetails() string {
	return "(SELECT p.*, COALESCE(d.is_visible, TRUE) AS is_visible, COALESCE(d.inventory_level, 0) AS inventory_level FROM " +
		txn.As(c.products, "p") + " LEFT JOIN " + txn.As(c.productDetails, "d") + " ON d.store_hash = p.store_hash AND d.product_id = p.id) AS products"
}

// hasDetails reports whether a product needs a row in product_details.
func hasDetails(p cohort.Product) bool { return p.BrandID != 0 || len(p.Details) > 0 }

// putProductDetails writes the brand and the details of a product.
func (t *Tx) putProductDetails(storeKey string, p cohort.Product) error {
	return t.Later(productDetails.insert(1)+productDetails.upsert(), append([]any{storeKey}, productDetailRow(p)...)...)
}

// productDetailRow returns the values of the columns of product_details after store_hash.
func productDetailRow(p cohort.Product) []any {
	d, text := p.Details, encodeDetails(p.Details)
	return []any{
		p.ID, p.BrandID, d.Bool("is_visible", true), d.Bool("is_featured", false), d.Bool("is_free_shipping", false),
		d.Text("condition", "New"), d.Text("availability", "available"), d.Text("inventory_tracking", "none"),
		d.Integer("inventory_level", 0), d.Integer("inventory_warning_level", 0), d.Text("upc", ""), d.Text("mpn", ""), text, len(text),
	}
}

// maxDetailsRead bounds the bytes of details that are read at once, except that one
// product's may be larger.
const maxDetailsRead = 1 << 20

// chunksWithDetails sets the brand and the details of products and calls fn with chunks of
// them, until fn returns false. Details can have megabytes, so it reads those of as many
// products at once as fit into maxDetailsRead: nearly always of all. The same goes for what
// with names.
func (t *Tx) chunksWithDetails(storeKey string, products []cohort.Product, with cohort.ProductWith, fn func([]cohort.Product) (more bool, err error)) (more bool, err error) {
	sizes, err := t.detailSizes(storeKey, products)
	if err != nil {
		return false, err
	}
	options, err := t.optionSizes(storeKey, products, with)
	if err != nil {
		return false, err
	}
	for len(products) > 0 {
		n, size := 0, int64(0)
		var ids []int64
		for n < len(products) && (n == 0 || size+sizes[products[n].ID]+options[products[n].ID] <= maxDetailsRead) {
			size += options[products[n].ID]
			if s, has := sizes[products[n].ID]; has {
				ids, size = append(ids, products[n].ID), size+s
			}
			n++
		}
		if err := t.readDetails(storeKey, products[:n], ids); err != nil {
			return false, err
		}
		if err := t.readWith(storeKey, products[:n], with); err != nil {
			return false, err
		}
		if more, err := fn(products[:n]); err != nil || !more {
			return false, err
		}
		products = products[n:]
	}
	return true, nil
}

// detailSizes returns the sizes of the details of those products that have any.
func (t *Tx) detailSizes(storeKey string, products []cohort.Product) (map[int64]int64, error) {
	if len(products) == 0 {
		return nil, nil
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	w := whereStore(storeKey)
	in(w, "product_id", productIDs(products))
	return t.numbers("SELECT product_id, size FROM "+tables.productDetails+w.text.String(), w.args...)
}

// readDetails sets the brands and the details of those of the products that have the ids.
func (t *Tx) readDetails(storeKey string, products []cohort.Product, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	index := make(map[int64]int, len(products))
	for i, p := range products {
		index[p.ID] = i
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	w := whereStore(storeKey)
	in(w, "product_id", ids)
	rows, err := t.Query(`SELECT product_id, COALESCE((SELECT b.id FROM brands AS b
		WHERE b.store_hash = $1 AND b.id = brand_id), 0), details FROM `+tables.productDetails+w.text.String(), w.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, brand int64
		var details string
		if err := rows.Scan(&id, &brand, &details); err != nil {
			return err
		}
		p := &products[index[id]]
		p.BrandID = brand
		if p.Details, err = decodeDetails(details); err != nil {
			return err
		}
	}
	return rows.Err()
}
