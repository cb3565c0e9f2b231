package db

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// priceRecordColumns are the columns of price_records after store_hash.
const priceRecordColumns = `price_list_id, variant_id, currency, price, sale_price, retail_price, map_price,
	bulk_tiers, date_created, date_modified`

// recordsWith selects price records joined with their variants, so that queries
// can name all columns without a qualifier. variants is the table of the variants,
// with alias v, and condition is appended.
func recordsWith(variants, condition string) string {
	return `SELECT r.store_hash, r.price_list_id, r.variant_id, r.currency, r.price, r.sale_price, r.retail_price,
		r.map_price, r.bulk_tiers, r.date_created, r.date_modified, v.product_id, v.sku
	FROM price_records AS r JOIN ` + variants + " AS v ON v.store_hash = r.store_hash AND v.id = r.variant_id" + condition
}

// byVariant is the order of the records of a list.
var byVariant = []sortKey{{column: "variant_id"}, {column: "currency", isText: true}}

// InsertPriceRecords adds records. No two of them may have the same list, variant
// and currency. The commit returns KindConflict if a record already exists, and
// KindNotFound if a list or a variant does not exist.
func (t *Tx) InsertPriceRecords(storeKey string, records []cohort.PriceRecord) error {
	if err := t.writePriceRecords(storeKey, records, ""); err != nil {
		return err
	}
	return t.recordPriceRecords(storeKey, nil, records)
}

// PutPriceRecords is InsertPriceRecords, but overwrites existing records, except
// their creation dates. before has them as read in this transaction, in the same order.
func (t *Tx) PutPriceRecords(storeKey string, before, records []cohort.PriceRecord) error {
	err := t.writePriceRecords(storeKey, records, `
		ON CONFLICT (store_hash, price_list_id, variant_id, currency) DO UPDATE SET price = excluded.price,
			sale_price = excluded.sale_price, retail_price = excluded.retail_price, map_price = excluded.map_price,
			bulk_tiers = excluded.bulk_tiers, date_modified = excluded.date_modified`)
	if err != nil {
		return err
	}
	return t.recordPriceRecords(storeKey, before, records)
}

// recordRows is the most records that one statement writes. More are not faster:
// SQLite's driver searches all arguments for each one.
const recordRows = 16

// writePriceRecords writes in the order of the key to avoid a deadlock between two
// transactions that write the same records.
func (t *Tx) writePriceRecords(storeKey string, records []cohort.PriceRecord, onConflict string) error {
	records = slices.SortedFunc(slices.Values(records), comparePriceRecords)
	for len(records) > 0 {
		n := 1 // a power of two, so that few distinct statements are prepared
		for 2*n <= min(len(records), recordRows) {
			n *= 2
		}
		query, args := insertPriceRecords(storeKey, records[:n])
		if err := t.Later(query+onConflict, args...); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func comparePriceRecords(a, b cohort.PriceRecord) int {
	return cmp.Or(cmp.Compare(a.PriceListID, b.PriceListID), cmp.Compare(a.VariantID, b.VariantID), cmp.Compare(a.Currency, b.Currency))
}

func insertPriceRecords(storeKey string, records []cohort.PriceRecord) (query string, args []any) {
	const columns = 10
	var b strings.Builder
	b.WriteString("INSERT INTO price_records (store_hash, " + priceRecordColumns + ") VALUES ")
	args = append(args, storeKey)
	for i, r := range records {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("($1")
		for range columns {
			args = append(args, nil)
			b.WriteString(", $" + strconv.Itoa(len(args)))
		}
		b.WriteByte(')')
		copy(args[len(args)-columns:], []any{
			r.PriceListID, r.VariantID, r.Currency, fromPrice(r.Price), fromPrice(r.SalePrice), fromPrice(r.RetailPrice), fromPrice(r.MAPPrice),
			encodeTiers(r.BulkTiers), r.DateCreated.UnixMilli(), r.DateModified.UnixMilli(),
		})
	}
	return b.String(), args
}

// PriceRecord returns a record, or KindNotFound.
func (t *Tx) PriceRecord(storeKey string, listID, variantID int64, currency string) (cohort.PriceRecord, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return cohort.PriceRecord{}, err
	}
	r, err := scanPriceRecord(t.Lookup("SELECT "+priceRecordColumns+", product_id, sku FROM "+tables.priceRecords+
		" WHERE store_hash = $1 AND price_list_id = $2 AND variant_id = $3 AND currency = $4", storeKey, listID, variantID, currency))
	if errors.Is(err, txn.ErrNoRows) {
		return r, cohort.NotFound(fmt.Sprintf("price record %d/%d/%s", listID, variantID, currency))
	}
	return r, err
}

// ReadPriceRecords calls fn with the records of a page of a price list that pass
// the filter, ordered by variant and currency, until fn returns false.
func (t *Tx) ReadPriceRecords(storeKey string, listID int64, f cohort.PriceRecordFilter, p cohort.Page, fn func(cohort.PriceRecord) (more bool)) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	return listing[cohort.PriceRecord]{
		columns: priceRecordColumns + ", product_id, sku", table: tables.priceRecords,
		where: func() *where { return wherePriceRecords(storeKey, listID, f) }, keys: byVariant, scan: scanPriceRecord,
	}.each(t, p, p.Size, fn)
}

// CountPriceRecords returns how many records of a list pass the filter.
func (t *Tx) CountPriceRecords(storeKey string, listID int64, f cohort.PriceRecordFilter) (n int64, err error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	w := wherePriceRecords(storeKey, listID, f)
	err = t.QueryRow("SELECT count(*) FROM "+tables.priceRecords+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// PriceRecordsForUpdate returns a list's records of the variants, and locks their
// rows until the transaction ends. The fields ProductID and SKU are not set.
func (t *Tx) PriceRecordsForUpdate(storeKey string, listID int64, variantIDs []int64) ([]cohort.PriceRecord, error) {
	var all []cohort.PriceRecord
	for variants := range slices.Chunk(variantIDs, inChunk) {
		w := whereStore(storeKey)
		w.and("price_list_id = ?", listID)
		in(w, "variant_id", variants)
		rows, err := t.Query("SELECT "+priceRecordColumns+", 0, '' FROM price_records"+w.text.String()+
			" ORDER BY variant_id, currency"+t.SQL().ForUpdate, w.args...)
		if err != nil {
			return nil, err
		}
		records, err := txn.Collect(rows, scanPriceRecord)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return all, nil
}

// DeletePriceRecords deletes the records of a list that pass the filter, and
// returns their number. Of the filter it uses only the variants, SKUs and
// currencies.
func (t *Tx) DeletePriceRecords(storeKey string, listID int64, f cohort.PriceRecordFilter) (int64, error) {
	w := whereStore(storeKey)
	w.and("price_list_id = ?", listID)
	in(w, "variant_id", f.VariantIDs)
	in(w, "currency", f.Currencies)
	if f.SKUs != nil {
		tables, err := t.catalog(storeKey)
		if err != nil {
			return 0, err
		}
		w.text.WriteString(" AND variant_id IN (SELECT id FROM " + tables.variants + " WHERE store_hash = $1")
		skus(w, f.SKUs)
		w.text.WriteString(")")
	}
	query := "DELETE FROM price_records" + w.text.String()
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		if err != nil {
			return 0, err
		}
		return t.Exec(query, w.args...)
	}
	rows, err := t.Query(query+" RETURNING "+priceRecordColumns+", 0, ''", w.args...)
	if err != nil {
		return 0, err
	}
	deleted, err := txn.Collect(rows, scanPriceRecord)
	if err != nil {
		return 0, err
	}
	return int64(len(deleted)), t.recordDeletedPriceRecords(storeKey, deleted)
}

func wherePriceRecords(storeKey string, listID int64, f cohort.PriceRecordFilter) *where {
	w := whereStore(storeKey)
	w.and("price_list_id = ?", listID)
	in(w, "variant_id", f.VariantIDs)
	in(w, "product_id", f.ProductIDs)
	in(w, "currency", f.Currencies)
	skus(w, f.SKUs)
	w.amountRange("price", f.Price)
	w.amountRange("sale_price", f.SalePrice)
	w.amountRange("retail_price", f.RetailPrice)
	w.amountRange("map_price", f.MAPPrice)
	w.amountRange("CASE WHEN sale_price >= 0 THEN sale_price ELSE price END", f.Calculated)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

// skus adds the condition that a variant has one of the SKUs, unless list is nil.
func skus(w *where, list []string) {
	if list != nil {
		w.text.WriteString(hasSKU)
		in(w, "sku", list)
	}
}

func scanPriceRecord(row txn.Scanner) (cohort.PriceRecord, error) {
	var r cohort.PriceRecord
	var price, sale, retail, minimum, created, modified int64
	var tiers string
	err := row.Scan(&r.PriceListID, &r.VariantID, &r.Currency, &price, &sale, &retail, &minimum, &tiers, &created, &modified,
		&r.ProductID, &r.SKU)
	if err != nil {
		return r, err
	}
	r.Price, r.SalePrice, r.RetailPrice, r.MAPPrice = toPrice(price), toPrice(sale), toPrice(retail), toPrice(minimum)
	r.DateCreated, r.DateModified = fromMillis(created), fromMillis(modified)
	if r.BulkTiers, err = decodeTiers(tiers); err != nil {
		return r, fmt.Errorf("bulk_tiers of the price record %d/%d/%s: %w", r.PriceListID, r.VariantID, r.Currency, err)
	}
	return r, nil
}
