package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// attributeValuesConcurrency limits the concurrent upserts of values per store. Source:
// the vendor's reference.
const attributeValuesConcurrency = 3

func (h *handler) attributeValueRoutes() []api.Route {
	const path = "/customers/attribute-values"
	return []api.Route{
		{Operation: "listAttributeValues", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.listAttributeValues},
		{Operation: "putAttributeValues", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: attributeValuesConcurrency, Handle: h.putAttributeValues},
		{Operation: "deleteAttributeValues", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: h.deleteAttributeValues},
	}
}

// attributeValueFields has the fields of a body. The text is "value" there, and
// "attribute_value" in responses and in the body of a customer. A client may send an id;
// customer and attribute identify the value all the same.
var attributeValueFields = api.Fields[cohort.AttributeValue]{
	"attribute_id": api.Plain(func(v *cohort.AttributeValue) *int64 { return &v.AttributeID }, readShapeInt),
	"customer_id":  api.Plain(func(v *cohort.AttributeValue) *int64 { return &v.CustomerID }, readShapeInt),
	"value":        api.Plain(func(v *cohort.AttributeValue) *string { return &v.Value }, readShapeText[string]),
	"id":           nil,
}

var attributeValueFilters = func() filters[cohort.AttributeValueFilter] {
	type filter = cohort.AttributeValueFilter
	table := filters[filter]{
		"customer_id:in":     idFilter(func(f *filter) *[]int64 { return &f.CustomerIDs }),
		"attribute_id:in":    idFilter(func(f *filter) *[]int64 { return &f.AttributeIDs }),
		"attribute_value":    oneWordFilter(func(f *filter) *[]string { return &f.Values }),
		"attribute_value:in": wordFilter(func(f *filter) *[]string { return &f.Values }),
		"name":               api.TextFilter(func(f *filter) **string { return &f.AttributeName }),
	}
	dateFilters(table, "date_created", func(f *filter) *cohort.TimeRange { return &f.DateCreated })
	dateFilters(table, "date_modified", func(f *filter) *cohort.TimeRange { return &f.DateModified })
	return table
}()

// attributeValueWire is a value in responses. The fields are in the vendor's order.
type attributeValueWire struct {
	ID             int64  `json:"id"`
	CustomerID     int64  `json:"customer_id"`
	AttributeID    int64  `json:"attribute_id"`
	AttributeValue string `json:"attribute_value"`
	DateCreated    string `json:"date_created"`
	DateModified   string `json:"date_modified"`
}

func attributeValueToWire(v cohort.AttributeValue) attributeValueWire {
	return attributeValueWire{v.ID, v.CustomerID, v.AttributeID, v.Value, dateText(v.DateCreated), dateText(v.DateModified)}
}

func (h *handler) listAttributeValues(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, attributeValueFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.AttributeValue]) (int64, error) {
		return h.svc.ReadAttributeValues(ctx, r.Store.Key, filter, p, to)
	}
	key := func(v cohort.AttributeValue) string { return strconv.FormatInt(v.ID, 10) }
	return writeNumberList(w, r, page, read, attributeValueToWire, key)
}

func (h *handler) putAttributeValues(w http.ResponseWriter, r *api.Request) error {
	values, err := decodeShapes(r, cohort.MaxAttributeValues, http.StatusUnprocessableEntity, attributeValueFields,
		"attribute_id", "value", "customer_id")
	if err != nil {
		return err
	}
	stored, err := h.svc.PutAttributeValues(r.Context(), r.Store.Key, values)
	if err != nil {
		return withTitle("Upsert attribute values failed.", err)
	}
	return writeSingle(w, allToWire(stored, attributeValueToWire))
}

// deleteAttributeValues deletes nothing without id:in, as the deletion of customers does.
func (h *handler) deleteAttributeValues(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeDeletedIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteAttributeValues(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}
