package apiv3

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// bulkUpsert is the concurrency group of the operations that put many price records:
// a store may run one of these requests at a time. Source: the vendor's reference.
const bulkUpsert = "putPriceRecords"

func (h *handler) priceRecordRoutes() []api.Route {
	return []api.Route{
		{Operation: "createRecordsOfLists", Method: "POST", Path: "/pricelists/records", Scope: modify, Concurrency: 10, Handle: h.createRecordsOfLists},
		{Operation: "putRecordsOfLists", Method: "PUT", Path: "/pricelists/records", Scope: modify, Concurrency: 1, ConcurrencyGroup: bulkUpsert, Handle: h.putRecordsOfLists},
		{Operation: "listPriceRecords", Method: "GET", Path: "/pricelists/{price_list_id}/records", Scope: read, Concurrency: 10, Handle: h.listPriceRecords},
		{Operation: "createPriceRecords", Method: "POST", Path: "/pricelists/{price_list_id}/records", Scope: modify, Concurrency: 10, Handle: h.createPriceRecords},
		{Operation: "putPriceRecords", Method: "PUT", Path: "/pricelists/{price_list_id}/records", Scope: modify, Concurrency: 1, ConcurrencyGroup: bulkUpsert, Handle: h.putPriceRecords},
		{Operation: "deletePriceRecords", Method: "DELETE", Path: "/pricelists/{price_list_id}/records", Scope: modify, Handle: h.deletePriceRecords},
		{Operation: "listPriceRecordsOfVariant", Method: "GET", Path: "/pricelists/{price_list_id}/records/{variant_id}", Scope: read, Concurrency: 40, Handle: h.listPriceRecordsOfVariant},
		{Operation: "getPriceRecord", Method: "GET", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: read, Concurrency: 50, Handle: h.getPriceRecord},
		{Operation: "setPriceRecord", Method: "PUT", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: modify, Concurrency: 40, Handle: h.setPriceRecord},
		{Operation: "deletePriceRecord", Method: "DELETE", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: modify, Concurrency: 25, Handle: h.deletePriceRecord},
	}
}

// recordFields has the fields of a body of a price record.
var recordFields = api.Fields[cohort.PriceRecordUpdate]{
	"price_list_id":      api.Plain(func(u *cohort.PriceRecordUpdate) *int64 { return &u.PriceListID }, texts.ReadID),
	"variant_id":         api.Plain(func(u *cohort.PriceRecordUpdate) *int64 { return &u.VariantID }, texts.ReadID),
	"sku":                api.Plain(func(u *cohort.PriceRecordUpdate) *string { return &u.SKU }, readText),
	"currency":           api.Plain(func(u *cohort.PriceRecordUpdate) *string { return &u.Currency }, readText),
	"price":              recordPrice(func(u *cohort.PriceRecordUpdate) **decimal.NullDecimal { return &u.Price }),
	"sale_price":         recordPrice(func(u *cohort.PriceRecordUpdate) **decimal.NullDecimal { return &u.SalePrice }),
	"retail_price":       recordPrice(func(u *cohort.PriceRecordUpdate) **decimal.NullDecimal { return &u.RetailPrice }),
	"map_price":          recordPrice(func(u *cohort.PriceRecordUpdate) **decimal.NullDecimal { return &u.MAPPrice }),
	"bulk_pricing_tiers": api.Optional(func(u *cohort.PriceRecordUpdate) **[]cohort.BulkTier { return &u.BulkTiers }, readTiers),
	"calculated_price":   nil,
	"date_created":       nil,
	"date_modified":      nil,
	"product_id":         nil,
}

// recordPrice returns the function for a price that stays unchanged when the body
// does not have it.
func recordPrice(field func(*cohort.PriceRecordUpdate) **decimal.NullDecimal) func(*cohort.PriceRecordUpdate, api.Value) error {
	return price(func(u *cohort.PriceRecordUpdate) *decimal.NullDecimal {
		*field(u) = &decimal.NullDecimal{}
		return *field(u)
	})
}

// recordQuery has the parameters of a list of records.
type recordQuery struct {
	cohort.PriceRecordFilter
	include recordParts
}

// recordParts are the parts of a record that a response has only on request.
type recordParts struct{ tiers, sku bool }

var recordFilters = func() filters[recordQuery] {
	table := filters[recordQuery]{
		"variant_id:in": idFilter(func(q *recordQuery) *[]int64 { return &q.VariantIDs }),
		"product_id:in": idFilter(func(q *recordQuery) *[]int64 { return &q.ProductIDs }),
		"currency":      oneWordFilter(func(q *recordQuery) *[]string { return &q.Currencies }),
		"currency:in":   wordFilter(func(q *recordQuery) *[]string { return &q.Currencies }),
		"sku":           oneWordFilter(func(q *recordQuery) *[]string { return &q.SKUs }),
		"sku:in":        wordFilter(func(q *recordQuery) *[]string { return &q.SKUs }),
		"include":       setInclude,
	}
	amountFilters(table, "price", func(q *recordQuery) *cohort.AmountRange { return &q.Price })
	amountFilters(table, "sale_price", func(q *recordQuery) *cohort.AmountRange { return &q.SalePrice })
	amountFilters(table, "retail_price", func(q *recordQuery) *cohort.AmountRange { return &q.RetailPrice })
	amountFilters(table, "map_price", func(q *recordQuery) *cohort.AmountRange { return &q.MAPPrice })
	amountFilters(table, "calculated_price", func(q *recordQuery) *cohort.AmountRange { return &q.Calculated })
	dateFilters(table, "date_created", func(q *recordQuery) *cohort.TimeRange { return &q.DateCreated })
	dateFilters(table, "date_modified", func(q *recordQuery) *cohort.TimeRange { return &q.DateModified })
	return table
}()

// includeOnly is for paths that name the variant, so no filter remains.
var includeOnly = filters[recordQuery]{"include": setInclude}

// recordDeletionFilters has the filters of the deletion of records.
var recordDeletionFilters = filters[recordQuery]{
	"currency":      recordFilters["currency"],
	"variant_id:in": recordFilters["variant_id:in"],
	"sku:in":        recordFilters["sku:in"],
}

// setInclude ignores unknown parts, as the reference says.
func setInclude(q *recordQuery, value string) error {
	for part := range strings.SplitSeq(value, ",") {
		switch strings.TrimSpace(part) {
		case "bulk_pricing_tiers":
			q.include.tiers = true
		case "sku":
			q.include.sku = true
		}
	}
	return nil
}

// recordWire is a price record in responses. The fields are in the vendor's order.
type recordWire struct {
	PriceListID     int64          `json:"price_list_id"`
	VariantID       int64          `json:"variant_id"`
	SKU             *string        `json:"sku,omitempty"`
	Price           optionalAmount `json:"price"`
	SalePrice       optionalAmount `json:"sale_price"`
	RetailPrice     optionalAmount `json:"retail_price"`
	MAPPrice        optionalAmount `json:"map_price"`
	CalculatedPrice optionalAmount `json:"calculated_price"`
	DateCreated     string         `json:"date_created"`
	DateModified    string         `json:"date_modified"`
	Currency        string         `json:"currency"`
	ProductID       int64          `json:"product_id"`
	BulkTiers       *[]tierWire    `json:"bulk_pricing_tiers,omitempty"`
}

func (p recordParts) toWire(r cohort.PriceRecord) recordWire {
	wire := recordWire{
		PriceListID: r.PriceListID, VariantID: r.VariantID,
		Price: optionalAmount(r.Price), SalePrice: optionalAmount(r.SalePrice),
		RetailPrice: optionalAmount(r.RetailPrice), MAPPrice: optionalAmount(r.MAPPrice),
		CalculatedPrice: optionalAmount(r.CalculatedPrice()),
		DateCreated:     dateText(r.DateCreated), DateModified: dateText(r.DateModified),
		Currency: strings.ToLower(r.Currency), ProductID: r.ProductID,
	}
	if p.sku {
		wire.SKU = &r.SKU
	}
	if p.tiers {
		tiers := tiersToWire(r.BulkTiers)
		wire.BulkTiers = &tiers
	}
	return wire
}

// recordKey returns the sort key of a record.
func recordKey(r cohort.PriceRecord) string {
	return strconv.FormatInt(r.VariantID, 10) + "/" + r.Currency
}

func (h *handler) listPriceRecords(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, recordFilters)
	if err != nil {
		return err
	}
	return h.writeRecords(w, r, query, page)
}

func (h *handler) listPriceRecordsOfVariant(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, includeOnly)
	if err != nil {
		return err
	}
	variant, err := r.ID("variant_id")
	if err != nil {
		return err
	}
	query.VariantIDs = []int64{variant}
	return h.writeRecords(w, r, query, page)
}

func (h *handler) writeRecords(w http.ResponseWriter, r *api.Request, query recordQuery, page paging) error {
	list, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.PriceRecord]) (int64, error) {
		return h.svc.ReadPriceRecords(ctx, r.Store.Key, list, query.PriceRecordFilter, p, to)
	}
	return writeCollection(w, r, page, read, query.include.toWire, recordKey)
}

// createPriceRecords and putPriceRecords write records of the list in the path.

func (h *handler) createPriceRecords(w http.ResponseWriter, r *api.Request) error {
	return h.writeRecordsOfList(w, r, cohort.MaxRecordsCreated, h.svc.CreatePriceRecords)
}

func (h *handler) putPriceRecords(w http.ResponseWriter, r *api.Request) error {
	return h.writeRecordsOfList(w, r, cohort.MaxRecordsPut, h.svc.PutPriceRecords)
}

// createRecordsOfLists and putRecordsOfLists write records of several lists; each
// record names its list.

func (h *handler) createRecordsOfLists(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeRecords(r, cohort.MaxRecordsOfLists, "price_list_id", "currency")
	if err != nil {
		return err
	}
	return writeBatch(w, updates, h.svc.CreatePriceRecords(r.Context(), r.Store.Key, updates))
}

func (h *handler) putRecordsOfLists(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeRecords(r, cohort.MaxRecordsOfLists, "price_list_id", "currency")
	if err != nil {
		return err
	}
	return writeBatch(w, updates, h.svc.PutPriceRecords(r.Context(), r.Store.Key, updates))
}

func (h *handler) getPriceRecord(w http.ResponseWriter, r *api.Request) error {
	query, _, err := decodeQuery(r, includeOnly)
	if err != nil {
		return err
	}
	key, err := recordOfPath(r)
	if err != nil {
		return err
	}
	record, err := h.svc.PriceRecord(r.Context(), r.Store.Key, key.PriceListID, key.VariantID, key.Currency)
	if err != nil {
		return err
	}
	return writeSingle(w, query.include.toWire(record))
}

func (h *handler) setPriceRecord(w http.ResponseWriter, r *api.Request) error {
	key, err := recordOfPath(r)
	if err != nil {
		return err
	}
	update, err := decodeBody(r, recordFields)
	if err != nil {
		return err
	}
	if err := key.complete(&update); err != nil {
		return err
	}
	record, err := h.svc.SetPriceRecord(r.Context(), r.Store.Key, update)
	if err != nil {
		return err
	}
	return writeSingle(w, recordParts{tiers: true}.toWire(record))
}

func (h *handler) deletePriceRecord(w http.ResponseWriter, r *api.Request) error {
	key, err := recordOfPath(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeletePriceRecord(r.Context(), r.Store.Key, key.PriceListID, key.VariantID, key.Currency); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) deletePriceRecords(w http.ResponseWriter, r *api.Request) error {
	query, err := decodeDeletion(r, recordDeletionFilters)
	if err != nil {
		return err
	}
	list, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeletePriceRecords(r.Context(), r.Store.Key, list, query.PriceRecordFilter); err != nil {
		return err
	}
	return noContent(w)
}

// pathRecord is the key of a record as far as the path has it. Zero values are not in
// the path.
type pathRecord struct {
	PriceListID, VariantID int64
	Currency               string
}

func recordOfPath(r *api.Request) (p pathRecord, err error) {
	if p.PriceListID, err = r.ID("price_list_id"); err != nil {
		return p, err
	}
	p.VariantID, err = r.ID("variant_id")
	p.Currency = strings.ToUpper(r.PathValue("currency_code"))
	return p, err
}

// complete adds the key in the path to an update. The body may repeat the key, so that
// a client can change a record that it has read and send it back. A different key is
// an error.
func (p pathRecord) complete(u *cohort.PriceRecordUpdate) error {
	var failed failures
	differs := func(field string) { failed.add(field, cohort.Invalid("", "The value is not that of the path.")) }
	if p.PriceListID != 0 && u.PriceListID != 0 && u.PriceListID != p.PriceListID {
		differs("price_list_id")
	}
	if p.VariantID != 0 && u.VariantID != 0 && u.VariantID != p.VariantID {
		differs("variant_id")
	}
	if p.Currency != "" && u.Currency != "" && !strings.EqualFold(u.Currency, p.Currency) {
		differs("currency")
	}
	u.PriceListID = max(p.PriceListID, u.PriceListID)
	u.VariantID = max(p.VariantID, u.VariantID)
	if p.Currency != "" {
		u.Currency = p.Currency
	}
	return failed.err()
}

// recordBatchError has the errors of one record of a batch.
type recordBatchError struct {
	Data        recordName        `json:"data"`
	FieldErrors map[string]string `json:"field_errors"`
}

// recordName identifies a record by the fields that the client sent.
type recordName struct {
	PriceListID int64  `json:"price_list_id,omitempty"`
	VariantID   int64  `json:"variant_id,omitempty"`
	SKU         string `json:"sku,omitempty"`
	Currency    string `json:"currency,omitempty"`
}

// decodeRecords decodes a batch of at most limit records.
func decodeRecords(r *api.Request, limit int, required ...string) ([]cohort.PriceRecordUpdate, error) {
	updates, err := decodeBatch(r, limit, recordFields, required...)
	return updates, rejectBatch(updates, err)
}

// recordWriter is the service's method that writes a batch.
type recordWriter func(ctx context.Context, storeHash string, us []cohort.PriceRecordUpdate) error

func (h *handler) writeRecordsOfList(w http.ResponseWriter, r *api.Request, limit int, write recordWriter) error {
	list, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	updates, err := decodeRecords(r, limit, "currency")
	if err != nil {
		return err
	}
	var failed failures
	for i := range updates {
		if err := (pathRecord{PriceListID: list}).complete(&updates[i]); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	if len(failed) > 0 {
		return rejectBatch(updates, failed)
	}
	// A list that does not exist is one error, not an error of every record.
	if _, err := h.svc.PriceList(r.Context(), r.Store.Key, list); err != nil {
		return err
	}
	return writeBatch(w, updates, write(r.Context(), r.Store.Key, updates))
}

// writeBatch sends the response for a batch: success, or the errors in err.
func writeBatch(w http.ResponseWriter, updates []cohort.PriceRecordUpdate, err error) error {
	if err != nil {
		return rejectBatch(updates, err)
	}
	return writeSingle(w, struct{}{})
}

// aboutItems reports whether an error is about single items of a batch.
func aboutItems(err error) bool {
	if _, ok := errors.AsType[failures](err); ok {
		return true
	}
	_, ok := errors.AsType[cohort.ItemErrors](err)
	return ok
}

// rejectBatch turns an error about items of a batch into the response that lists the
// records with their errors. It returns other errors as they are.
func rejectBatch(updates []cohort.PriceRecordUpdate, err error) error {
	if !aboutItems(err) {
		return err
	}
	wrong := map[int]map[string]string{}
	for path, reason := range fieldErrors(err) {
		number, field, _ := strings.Cut(path, ".")
		i, _ := strconv.Atoi(number) // cannot fail: the path begins with an index
		if wrong[i] == nil {
			wrong[i] = map[string]string{}
		}
		wrong[i][field] = reason
	}
	var body struct {
		Errors []recordBatchError `json:"batch_errors"`
	}
	for i, u := range updates {
		if wrong[i] != nil {
			body.Errors = append(body.Errors, recordBatchError{recordName{u.PriceListID, u.VariantID, u.SKU, u.Currency}, wrong[i]})
		}
	}
	return &customError{status: http.StatusUnprocessableEntity, body: body, err: err}
}
