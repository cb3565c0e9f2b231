package apiv3

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// attributesConcurrency limits the concurrent creates of attributes per store, and as
// many updates. Source: the vendor's reference.
const attributesConcurrency = 3

func (h *handler) attributeRoutes() []api.Route {
	const path = "/customers/attributes"
	return []api.Route{
		{Operation: "listAttributes", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.listAttributes},
		{Operation: "createAttributes", Method: "POST", Path: path, Scope: cohort.ScopeCustomers, Concurrency: attributesConcurrency, Handle: h.createAttributes},
		{Operation: "updateAttributes", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: attributesConcurrency, Handle: h.updateAttributes},
		{Operation: "deleteAttributes", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: h.deleteAttributes},
	}
}

var newAttributeFields = api.Fields[cohort.Attribute]{
	"name":          api.Plain(func(a *cohort.Attribute) *string { return &a.Name }, readShapeText[string]),
	"type":          api.Plain(func(a *cohort.Attribute) *cohort.AttributeType { return &a.Type }, readShapeText[cohort.AttributeType]),
	"id":            nil,
	"date_created":  nil,
	"date_modified": nil,
}

var attributeFields = api.Fields[cohort.AttributeUpdate]{
	"id":            api.Plain(func(u *cohort.AttributeUpdate) *int64 { return &u.ID }, readShapeInt),
	"name":          api.Optional(func(u *cohort.AttributeUpdate) **string { return &u.Name }, readShapeText[string]),
	"type":          api.Optional(func(u *cohort.AttributeUpdate) **cohort.AttributeType { return &u.Type }, readShapeText[cohort.AttributeType]),
	"date_created":  nil,
	"date_modified": nil,
}

// attributeFilters has the filters of attributes. There is none on the id.
var attributeFilters = func() filters[cohort.AttributeFilter] {
	table := filters[cohort.AttributeFilter]{
		"name":      api.TextFilter(func(f *cohort.AttributeFilter) **string { return &f.Name }),
		"name:like": partFilter(func(f *cohort.AttributeFilter) *string { return &f.NameLike }),
		"type": func(f *cohort.AttributeFilter, value string) error {
			f.Types = []cohort.AttributeType{cohort.AttributeType(value)}
			if !f.Types[0].Valid() {
				return cohort.Invalid("", "The value must be string, number or date.")
			}
			return nil
		},
	}
	dateFilters(table, "date_created", func(f *cohort.AttributeFilter) *cohort.TimeRange { return &f.DateCreated })
	dateFilters(table, "date_modified", func(f *cohort.AttributeFilter) *cohort.TimeRange { return &f.DateModified })
	return table
}()

// attributeWire is an attribute in responses. The fields are in the vendor's order.
type attributeWire struct {
	ID           int64                `json:"id"`
	Name         string               `json:"name"`
	Type         cohort.AttributeType `json:"type"`
	DateCreated  string               `json:"date_created"`
	DateModified string               `json:"date_modified"`
}

func attributeToWire(a cohort.Attribute) attributeWire {
	return attributeWire{a.ID, a.Name, a.Type, dateText(a.DateCreated), dateText(a.DateModified)}
}

func (h *handler) listAttributes(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, attributeFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Attribute]) (int64, error) {
		return h.svc.ReadAttributes(ctx, r.Store.Key, filter, p, to)
	}
	key := func(a cohort.Attribute) string { return strconv.FormatInt(a.ID, 10) }
	return writeNumberList(w, r, page, read, attributeToWire, key)
}

func (h *handler) createAttributes(w http.ResponseWriter, r *api.Request) error {
	attributes, err := decodeShapes(r, cohort.MaxAttributesPut, http.StatusUnprocessableEntity, newAttributeFields, "name", "type")
	if err != nil {
		return err
	}
	created, err := h.svc.CreateAttributes(r.Context(), r.Store.Key, attributes)
	if errors.Is(err, service.ErrTooManyAttributes) { // about all items, so its path has no index
		err = cohort.Invalid(".attribute_create", "Error creating attributes: "+service.ErrTooManyAttributes.Reason)
	}
	if err != nil {
		return withTitle("Create attributes failed.", err)
	}
	return writeSingle(w, allToWire(created, attributeToWire))
}

func (h *handler) updateAttributes(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeShapes(r, cohort.MaxAttributesPut, http.StatusUnprocessableEntity, attributeFields, "id")
	if err != nil {
		return err
	}
	after, err := h.svc.UpdateAttributes(r.Context(), r.Store.Key, updates)
	if err != nil {
		return withTitle("Update attributes failed.", err)
	}
	return writeSingle(w, allToWire(after, attributeToWire))
}

// deleteAttributes deletes nothing without id:in, as the deletion of customers does.
func (h *handler) deleteAttributes(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeDeletedIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteAttributes(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}
