package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// VariantsToPrice returns those of the variants that exist, with only the fields
// that prices need. The budget counts option values; if it is nil, they are not
// read.
func (t *Tx) VariantsToPrice(storeKey string, ids []int64, optionsLeft *Budget) ([]cohort.Variant, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	rows, err := t.Query(t.catalogRowsOf(tables, txn.LookupBy{Columns: pricedColumns(optionsLeft), Table: "variants", Column: "id"}), storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, variantToPrice(optionsLeft))
}

// VariantsOfProducts returns up to limit variants of products, ordered by product
// and id. The budget counts option values; if it is nil, they are not read.
func (t *Tx) VariantsOfProducts(storeKey string, productIDs []int64, limit int, optionsLeft *Budget) ([]cohort.Variant, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	rows, err := t.Query(t.catalogRowsOf(tables, txn.LookupBy{Columns: pricedColumns(optionsLeft), Table: "variants", Column: "product_id"})+
		" ORDER BY product_id, id LIMIT CAST($3 AS BIGINT)", storeKey, idText(productIDs), limit)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, variantToPrice(optionsLeft))
}

func pricedColumns(optionsLeft *Budget) string {
	const columns = "id, product_id, price, sale_price, retail_price, map_price"
	if optionsLeft == nil {
		return columns
	}
	return columns + ", option_values"
}

// variantToPrice returns a function that scans a row of pricedColumns.
func variantToPrice(optionsLeft *Budget) func(txn.Scanner) (cohort.Variant, error) {
	return func(row txn.Scanner) (v cohort.Variant, err error) {
		var price, sale, retail, advertised int64
		var options string
		into := []any{&v.ID, &v.ProductID, &price, &sale, &retail, &advertised}
		if optionsLeft != nil {
			into = append(into, &options)
		}
		if err := row.Scan(into...); err != nil {
			return v, err
		}
		v.Price, v.SalePrice, v.RetailPrice, v.MAPPrice = toPrice(price), toPrice(sale), toPrice(retail), toPrice(advertised)
		if optionsLeft == nil {
			return v, nil
		}
		if v.OptionValues, err = decodeOptionValues(options); err != nil {
			return v, err
		}
		return v, optionsLeft.take(len(v.OptionValues))
	}
}
