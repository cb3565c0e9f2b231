package db

import (
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

// whereUPC adds the condition that a variant has a UPC, or none for "".
func (w *where) whereUPC(tables catalogTables, upc string) {
	const ofStore = " WHERE store_hash = $1 AND upc <> ''"
	if upc == "" {
		w.text.WriteString(" AND id NOT IN (SELECT variant_id FROM " + tables.variantDetails + ofStore + ")")
		return
	}
	w.and("id IN (SELECT variant_id FROM "+tables.variantDetails+ofStore+" AND upc = ?)", upc)
}
