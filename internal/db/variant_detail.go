package db

import (
	"cmp"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// putVariantDetails writes the details of a variant, if it has any.
func (t *Tx) putVariantDetails(storeKey string, v cohort.Variant) error {
	if len(v.Details) == 0 {
		return nil
	}
	return t.Later(variantDetails.insert(1)+variantDetails.upsert(), append([]any{storeKey}, variantDetailRow(v)...)...)
}

// variantDetailRow returns the values of the columns of variant_details after store_hash.
func variantDetailRow(v cohort.Variant) []any {
	text := encodeDetails(v.Details)
	return []any{v.ID, v.Details.Text("upc", ""), text, len(text)}
}

// readVariantDetails sets the details of the variants that have the ids.
func (t *Tx) readVariantDetails(storeKey string, ids []int64, variant func(id int64) *cohort.Variant) error {
	tables, err := t.catalog(storeKey)
	if err != nil || len(ids) == 0 {
		return err
	}
	rows, err := t.Query(t.catalogRowsOf(tables, txn.LookupBy{Columns: "variant_id, details", Table: variantDetails.name, Column: "variant_id"}),
		storeKey, idText(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var details string
		if err := rows.Scan(&id, &details); err != nil {
			return err
		}
		if variant(id).Details, err = decodeDetails(details); err != nil {
			return err
		}
	}
	return rows.Err()
}

// maxLabelsRead bounds the option values whose labels are read at once, except that one
// variant may have more. Two labels have up to 2 KB.
const maxLabelsRead = 1024

// CatalogVariant is a variant with what a response has beyond its own row.
type CatalogVariant struct {
	cohort.Variant                      // with its details
	Product        cohort.Product       // lists of variants set its prices, weight and id only
	Labels         []cohort.OptionLabel // of the option values
}

// CompleteVariant returns a variant of a product with its labels.
func (t *Tx) CompleteVariant(storeKey string, p cohort.Product, v cohort.Variant) (CatalogVariant, error) {
	one := []CatalogVariant{{Variant: v, Product: p}}
	err := t.readLabels(storeKey, one)
	return one[0], err
}

// ReadVariantsOf calls fn with the variants of products, in the order of the products and
// then by id, until fn returns false. It leaves out variants with ids up to after. It keeps
// as many variants at once as one product can have. fn may use the transaction.
func (t *Tx) ReadVariantsOf(storeKey string, products []cohort.Product, after int64, fn func(CatalogVariant) (more bool)) error {
	counts, err := t.countVariantsOf(storeKey, products)
	if err != nil {
		return err
	}
	for len(products) > 0 {
		n, variants := 0, int64(0)
		for n < len(products) && (n == 0 || variants+counts[products[n].ID] <= cohort.MaxVariants) {
			variants += counts[products[n].ID]
			n++
		}
		list, err := t.variantsOf(storeKey, products[:n], after)
		if err != nil {
			return err
		}
		more, err := t.eachComplete(storeKey, list, fn)
		if err != nil || !more {
			return err
		}
		products = products[n:]
	}
	return nil
}

// countVariantsOf returns how many variants products have, unless there is only one
// product.
func (t *Tx) countVariantsOf(storeKey string, products []cohort.Product) (map[int64]int64, error) {
	if len(products) < 2 {
		return nil, nil
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	counted := t.catalogRowsOf(tables, txn.LookupBy{Columns: "product_id", Table: "variants", Column: "product_id"})
	return t.numbers("SELECT product_id, count(*) FROM ("+counted+") AS counted GROUP BY product_id", storeKey, idText(productIDs(products)))
}

func productIDs(products []cohort.Product) []int64 {
	return idsOf(products, func(p cohort.Product) int64 { return p.ID })
}

// numbers returns the rows of a query for an id and a number.
func (t *Tx) numbers(query string, args ...any) (map[int64]int64, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	numbers := map[int64]int64{}
	for rows.Next() {
		var id, number int64
		if err := rows.Scan(&id, &number); err != nil {
			return nil, err
		}
		numbers[id] = number
	}
	return numbers, rows.Err()
}

// variantsOf returns the variants of products without their details and labels.
func (t *Tx) variantsOf(storeKey string, products []cohort.Product, after int64) ([]CatalogVariant, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	ids := productIDs(products)
	rows, err := t.Query(t.catalogRowsOf(tables, txn.LookupBy{
		Columns: variantColumns, Table: "variants", Column: "product_id", Condition: " AND x.id > $3",
	}), storeKey, idText(ids), after)
	if err != nil {
		return nil, err
	}
	variants, err := txn.Collect(rows, scanVariant)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(variants, func(a, b cohort.Variant) int { return cmp.Compare(a.ID, b.ID) })
	of := make(map[int64][]cohort.Variant, len(products))
	for _, v := range variants {
		of[v.ProductID] = append(of[v.ProductID], v)
	}
	list := make([]CatalogVariant, 0, len(variants))
	for _, p := range products {
		for _, v := range of[p.ID] {
			list = append(list, CatalogVariant{Variant: v, Product: p})
		}
	}
	return list, nil
}

// eachComplete sets the details and the labels of variants and calls fn with each of them,
// until fn returns false. It reads those of as many variants at once as fit into
// maxDetailsRead and maxLabelsRead: nearly always of all.
func (t *Tx) eachComplete(storeKey string, variants []CatalogVariant, fn func(CatalogVariant) (more bool)) (more bool, err error) {
	sizes, err := t.variantDetailSizes(storeKey, variants)
	if err != nil {
		return false, err
	}
	for len(variants) > 0 {
		chunk := variants[:readAtOnce(variants, sizes)]
		if err := t.readChunk(storeKey, chunk, sizes); err != nil {
			return false, err
		}
		for _, v := range chunk {
			if !fn(v) {
				return false, nil
			}
		}
		variants = variants[len(chunk):]
		clear(chunk) // the variants share memory with those that follow
	}
	return true, nil
}

// readAtOnce returns the number of variants, from 1, whose details and labels are read at
// once. sizes has the sizes of the details by variant.
func readAtOnce(variants []CatalogVariant, sizes map[int64]int64) int {
	size, values := int64(0), map[int64]bool{}
	for i, v := range variants {
		size += sizes[v.ID]
		for _, o := range v.OptionValues {
			values[o.ValueID] = true
		}
		if i > 0 && (size > maxDetailsRead || len(values) > maxLabelsRead) {
			return i
		}
	}
	return len(variants)
}

// variantDetailSizes returns the sizes of the details of those variants that have any.
func (t *Tx) variantDetailSizes(storeKey string, variants []CatalogVariant) (map[int64]int64, error) {
	if len(variants) == 0 {
		return nil, nil
	}
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	ids := idsOf(variants, func(v CatalogVariant) int64 { return v.ID })
	return t.numbers(t.rowsOf(txn.LookupBy{Columns: "variant_id, size", Table: tables.variantDetails, Column: "variant_id"}),
		storeKey, idText(ids))
}

func (t *Tx) readChunk(storeKey string, variants []CatalogVariant, sizes map[int64]int64) error {
	var ids []int64
	at := map[int64]*cohort.Variant{}
	for i := range variants {
		if v := &variants[i].Variant; sizes[v.ID] > 0 {
			ids = append(ids, v.ID)
			at[v.ID] = v
		}
	}
	if err := t.readVariantDetails(storeKey, ids, func(id int64) *cohort.Variant { return at[id] }); err != nil {
		return err
	}
	return t.readLabels(storeKey, variants)
}

// productValue is an option value of a product. Products that were imported can have option
// values of options that are stored for another product.
type productValue struct {
	productID int64
	cohort.OptionValue
}

// labeledValues has the choices of variant options with their labels.
const labeledValues = `(SELECT c.store_hash, c.id, c.option_id, o.product_id, o.display_name, c.label
	FROM option_choices AS c JOIN product_options AS o ON o.store_hash = c.store_hash AND o.id = c.option_id
	WHERE NOT o.is_modifier) AS labeled_values`

// readLabels sets the labels of variants.
func (t *Tx) readLabels(storeKey string, variants []CatalogVariant) error {
	wanted := map[int64]bool{}
	for _, v := range variants {
		for _, o := range v.OptionValues {
			wanted[o.ValueID] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	labels, err := t.labels(storeKey, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	for i := range variants {
		v := &variants[i]
		v.Labels = make([]cohort.OptionLabel, len(v.OptionValues))
		for n, o := range v.OptionValues {
			v.Labels[n] = labels[productValue{v.ProductID, o}]
		}
	}
	return nil
}

func (t *Tx) labels(storeKey string, valueIDs []int64) (map[productValue]cohort.OptionLabel, error) {
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "product_id, option_id, id, display_name, label", Table: labeledValues, Column: "id",
	}), storeKey, idText(valueIDs))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	labels := map[productValue]cohort.OptionLabel{}
	for rows.Next() {
		var v productValue
		var l cohort.OptionLabel
		if err := rows.Scan(&v.productID, &v.OptionID, &v.ValueID, &l.Option, &l.Choice); err != nil {
			return nil, err
		}
		labels[v] = l
	}
	return labels, rows.Err()
}

// whereUPC adds the condition that a variant has a UPC, or none for "".
func (t *Tx) whereUPC(w *where, tables catalogTables, upc string) {
	const ofStore = " WHERE store_hash = $1 AND upc <> ''"
	if upc == "" {
		w.text.WriteString(" AND " + t.SQL().NotAmong("id", "SELECT variant_id FROM "+tables.variantDetails+ofStore))
		return
	}
	w.and("id IN (SELECT variant_id FROM "+tables.variantDetails+ofStore+" AND upc = ?)", upc)
}
