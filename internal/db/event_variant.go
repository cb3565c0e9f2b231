package db

import (
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// variantRecordsField is the field of a deleted variant with its price records.
const variantRecordsField = "price_records"

// deletedVariant returns the event of the deletion of a variant. records are its price
// records as JSON; "": it has none.
func deletedVariant(v cohort.Variant, records string) cohort.Event {
	var c eventChanges
	if records != "" {
		c.add(variantRecordsField, records, noValue)
	}
	variantFields.diff(&c, variantResource(v), nil)
	return cohort.Event{Kind: cohort.VariantDeleted, EventIDs: cohort.EventIDs{ProductID: v.ProductID, VariantID: v.ID}, Changes: c.json()}
}

// recordsToDelete returns the price records of variants that are about to be deleted, as
// JSON by variant, if events need them. Others add none until the transaction ends. column
// is the column of variants that has the ids.
func (t *Tx) recordsToDelete(storeKey, column string, ids []int64) (map[int64]string, error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return nil, err
	}
	if err := t.lockToDelete(storeKey, "variants", column, ids); err != nil {
		return nil, err
	}
	w := whereStore(storeKey)
	in(w, column, ids)
	rows, err := t.Query("SELECT variant_id, price_list_id, currency, price, sale_price, retail_price, map_price, bulk_tiers FROM price_records"+
		" WHERE store_hash = $1 AND variant_id IN (SELECT id FROM variants"+w.text.String()+") ORDER BY variant_id, price_list_id, currency", w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := map[int64]string{}
	for rows.Next() {
		var r cohort.PriceRecord
		var price, sale, retail, advertised int64
		var tiers string
		if err := rows.Scan(&r.VariantID, &r.PriceListID, &r.Currency, &price, &sale, &retail, &advertised, &tiers); err != nil {
			return nil, err
		}
		r.Price, r.SalePrice, r.RetailPrice, r.MAPPrice = toPrice(price), toPrice(sale), toPrice(retail), toPrice(advertised)
		if r.BulkTiers, err = decodeTiers(tiers); err != nil {
			return nil, err
		}
		records[r.VariantID] = appendRecord(records[r.VariantID], r)
	}
	return records, rows.Err()
}

// appendRecord adds a record to a list in JSON, unless an event cannot keep the list anyway.
func appendRecord(list string, r cohort.PriceRecord) string {
	if len(list) > maxEventValue {
		return list
	}
	var text strings.Builder
	text.WriteString(`{"price_list_id":` + strconv.FormatInt(r.PriceListID, 10) + `,"currency":` + mustMarshal(r.Currency))
	for i, value := range priceRecordValues(r) {
		text.WriteString(`,"` + priceRecordFields[i] + `":` + value)
	}
	text.WriteString("}")
	if list == "" {
		return "[" + text.String() + "]"
	}
	return strings.TrimSuffix(list, "]") + "," + text.String() + "]"
}
