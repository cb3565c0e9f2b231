package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

const (
	// maxRecordsCreated is how many price records one request creates.
	maxRecordsCreated = 100
	// maxRecordsPut is how many records of one list one request puts.
	maxRecordsPut = 1000
	// maxRecordsOfLists is how many records of several lists one request writes.
	maxRecordsOfLists = 100
)

// PriceRecord is the price of one variant in one price list and one currency. A price is
// null if it is not set.
type PriceRecord struct {
	PriceListID     int64       `json:"price_list_id"`
	VariantID       int64       `json:"variant_id"`
	SKU             Opt[string] `json:"sku,omitzero"` // with Include
	Price           Opt[Amount] `json:"price,omitzero"`
	SalePrice       Opt[Amount] `json:"sale_price,omitzero"`
	RetailPrice     Opt[Amount] `json:"retail_price,omitzero"`
	MAPPrice        Opt[Amount] `json:"map_price,omitzero"`
	CalculatedPrice Opt[Amount] `json:"calculated_price,omitzero"`
	DateCreated     Time        `json:"date_created"`
	DateModified    Time        `json:"date_modified"`
	// Currency is a code in lower case: "usd".
	Currency  string          `json:"currency"`
	ProductID int64           `json:"product_id"`
	BulkTiers Opt[[]BulkTier] `json:"bulk_pricing_tiers,omitzero"` // with Include
}

// BulkTier is the price of each piece from some quantity on.
type BulkTier struct {
	QuantityMin int64 `json:"quantity_min"`
	QuantityMax int64 `json:"quantity_max"` // 0: no upper limit
	// Type is "percent" (off), "price" (money off) or "fixed" (the final price).
	Type   string `json:"type"`
	Amount Amount `json:"amount"`
}

// PriceRecordPut is a record to write. It names a variant by its id or its SKU. An absent
// price of a record that exists stays as it is, and null unsets it.
type PriceRecordPut struct {
	PriceListID int64           `json:"price_list_id,omitempty"` // for records of several lists
	VariantID   int64           `json:"variant_id,omitempty"`
	SKU         string          `json:"sku,omitempty"`
	Currency    string          `json:"currency,omitempty"`
	Price       Opt[Amount]     `json:"price,omitzero"`
	SalePrice   Opt[Amount]     `json:"sale_price,omitzero"`
	RetailPrice Opt[Amount]     `json:"retail_price,omitzero"`
	MAPPrice    Opt[Amount]     `json:"map_price,omitzero"`
	BulkTiers   Opt[[]BulkTier] `json:"bulk_pricing_tiers,omitzero"`
}

// PriceRecordFilter selects records. All fields that are set must match. An empty list does
// not filter.
type PriceRecordFilter struct {
	VariantIDs []int64     `query:"variant_id:in"`
	ProductIDs []int64     `query:"product_id:in"`
	Currencies []string    `query:"currency:in"`
	SKUs       []string    `query:"sku:in"`
	Price      Opt[Amount] `query:"price"`
	PriceMin   Opt[Amount] `query:"price:min"`
	PriceMax   Opt[Amount] `query:"price:max"`
	Created    TimeRange   `query:"date_created"`
	Modified   TimeRange   `query:"date_modified"`
	// Include may have "sku" and "bulk_pricing_tiers".
	Include []string `query:"include"`
}

// PriceRecordDeletion selects records to delete. It must not be empty.
type PriceRecordDeletion struct {
	Currency   string   `query:"currency"`
	VariantIDs []int64  `query:"variant_id:in"`
	SKUs       []string `query:"sku:in"`
}

// recordName identifies a record in an error.
type recordName struct {
	PriceListID looseID `json:"price_list_id"`
	VariantID   looseID `json:"variant_id"`
	SKU         string  `json:"sku"`
	Currency    string  `json:"currency"`
}

// PriceRecordService has the operations on price records, of V3.
type PriceRecordService struct{ service }

func recordsPath(list int64) string { return priceListPath(list) + "/records" }

func recordPath(list, variant int64, currency string) (string, error) {
	for _, r := range currency {
		if (r|0x20) < 'a' || (r|0x20) > 'z' {
			return "", argument("%.80q is not the code of a currency", currency)
		}
	}
	if currency == "" {
		return "", argument("the currency is missing")
	}
	return fmt.Sprintf("%s/%d/%s", recordsPath(list), variant, currency), nil
}

// recordKey identifies a record in a list.
type recordKey struct {
	variant  int64
	currency string
}

func keyOfRecord(r PriceRecord) recordKey { return recordKey{r.VariantID, r.Currency} }

// List returns a page of the records of a list, in the order of variants and currencies.
func (s *PriceRecordService) List(ctx context.Context, list int64, f PriceRecordFilter, p Page) ([]PriceRecord, error) {
	q, err := listQuery(f, p)
	if err != nil {
		return nil, err
	}
	rows, _, err := listV3[PriceRecord](ctx, s.c, request{method: http.MethodGet, path: recordsPath(list), query: q, gate: gateListRecords})
	return rows, err
}

// All yields all records of a list that match. Pages are read by cursor.
func (s *PriceRecordService) All(ctx context.Context, list int64, f PriceRecordFilter) iter.Seq2[PriceRecord, error] {
	q, err := params(f)
	if err != nil {
		return failed[PriceRecord](err)
	}
	r := request{method: http.MethodGet, path: recordsPath(list), query: q, gate: gateListRecords}
	return allV3(ctx, s.c, r, keyOfRecord)
}

// OfVariant yields the records of a variant in a list, one for each currency.
func (s *PriceRecordService) OfVariant(ctx context.Context, list, variant int64, include ...string) iter.Seq2[PriceRecord, error] {
	q, err := params(struct {
		Include []string `query:"include"`
	}{include})
	if err != nil {
		return failed[PriceRecord](err)
	}
	r := request{method: http.MethodGet, path: fmt.Sprintf("%s/%d", recordsPath(list), variant), query: q, gate: gateRecordsOfVariant}
	return allV3(ctx, s.c, r, keyOfRecord)
}

// Get returns a record, with its SKU and bulk tiers.
func (s *PriceRecordService) Get(ctx context.Context, list, variant int64, currency string) (PriceRecord, error) {
	path, err := recordPath(list, variant, currency)
	if err != nil {
		return PriceRecord{}, err
	}
	q, err := params(struct {
		Include []string `query:"include"`
	}{[]string{"bulk_pricing_tiers", "sku"}})
	if err != nil {
		return PriceRecord{}, err
	}
	return getData[PriceRecord](ctx, s.c, request{method: http.MethodGet, path: path, query: q, gate: gateGetRecord})
}

// Set creates or changes a record and returns it, with its bulk tiers.
func (s *PriceRecordService) Set(ctx context.Context, list, variant int64, currency string, record PriceRecordPut) (PriceRecord, error) {
	path, err := recordPath(list, variant, currency)
	if err != nil {
		return PriceRecord{}, err
	}
	return getData[PriceRecord](ctx, s.c, request{method: http.MethodPut, path: path, body: record, gate: gateSetRecord})
}

// Create creates 1 to 100 records of a list: all of them, or none with a [*BatchError]. A
// record that exists is an error.
func (s *PriceRecordService) Create(ctx context.Context, list int64, records []PriceRecordPut) error {
	r := request{method: http.MethodPost, path: recordsPath(list), body: records, gate: gateCreateRecords, creates: true}
	return s.write(ctx, r, records, maxRecordsCreated)
}

// Put creates or changes 1 to 1 000 records of a list: all of them, or none with a
// [*BatchError]. A store runs one such request at a time, and the client waits for its own.
func (s *PriceRecordService) Put(ctx context.Context, list int64, records []PriceRecordPut) error {
	return s.write(ctx, request{method: http.MethodPut, path: recordsPath(list), body: records, gate: gatePutRecords}, records, maxRecordsPut)
}

// PutAll puts any number of records of a list, 1 000 in a request, and yields the outcome of
// each. The value is the record as it was sent: the server does not return it.
func (s *PriceRecordService) PutAll(ctx context.Context, list int64, records []PriceRecordPut) iter.Seq[Result[PriceRecordPut]] {
	return inBatches(ctx, records, maxRecordsPut, func(ctx context.Context, part []PriceRecordPut) ([]PriceRecordPut, error) {
		return part, s.Put(ctx, list, part)
	})
}

// CreateOfLists creates 1 to 100 records of several lists, which name their lists.
func (s *PriceRecordService) CreateOfLists(ctx context.Context, records []PriceRecordPut) error {
	r := request{method: http.MethodPost, path: priceListsPath + "/records", body: records, gate: gateCreateRecords, creates: true}
	return s.write(ctx, r, records, maxRecordsOfLists)
}

// PutOfLists creates or changes 1 to 100 records of several lists, which name their lists.
func (s *PriceRecordService) PutOfLists(ctx context.Context, records []PriceRecordPut) error {
	r := request{method: http.MethodPut, path: priceListsPath + "/records", body: records, gate: gatePutRecords}
	return s.write(ctx, r, records, maxRecordsOfLists)
}

func (s *PriceRecordService) write(ctx context.Context, r request, records []PriceRecordPut, most int) error {
	if len(records) < 1 || len(records) > most {
		return argument("%s %s takes 1 to %d records, not %d", r.method, r.path, most, len(records))
	}
	return recordsError(s.c.run(ctx, r), records)
}

// recordsError returns the error of a batch of records by their positions. The response
// identifies them by what the request said of them.
func recordsError(err error, records []PriceRecordPut) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	items := map[int]map[string]string{}
	for _, rejected := range e.rejected {
		for i, record := range records {
			if items[i] == nil && rejected.Data.isOf(record) {
				items[i] = sentences(rejected.FieldErrors)
				break
			}
		}
	}
	if len(items) == 0 {
		return batchError(err, len(records))
	}
	return newBatchError(e, items)
}

// isOf reports whether the name is that of a record. The fields that it lacks match all.
func (n recordName) isOf(r PriceRecordPut) bool {
	return (n.PriceListID == 0 || r.PriceListID == 0 || int64(n.PriceListID) == r.PriceListID) &&
		int64(n.VariantID) == r.VariantID && n.SKU == r.SKU && strings.EqualFold(n.Currency, r.Currency)
}

// Delete deletes a record.
func (s *PriceRecordService) Delete(ctx context.Context, list, variant int64, currency string) error {
	path, err := recordPath(list, variant, currency)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: path, gate: gateDeleteRecord})
}

// DeleteMany deletes the records of a list that match.
func (s *PriceRecordService) DeleteMany(ctx context.Context, list int64, d PriceRecordDeletion) error {
	q, err := deletionQuery(d)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: recordsPath(list), query: q})
}
