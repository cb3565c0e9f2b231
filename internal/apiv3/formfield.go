package apiv3

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// formFieldsConcurrency limits the concurrent upserts of form fields per store. Source:
// the vendor's reference.
const formFieldsConcurrency = 10

func (h *handler) formFieldRoutes() []api.Route {
	const path = "/customers/form-field-values"
	return []api.Route{
		{Operation: "listFormFieldValues", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.listFormFields},
		{Operation: "putFormFieldValues", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: formFieldsConcurrency, Handle: h.putFormFields},
	}
}

// customFormFields has the fields of a form field in the body of a customer or address.
// The owner, which responses have, is the customer or address itself.
var customFormFields = api.Fields[cohort.FormField]{
	"customer_id": nil,
	"address_id":  nil,
	"name":        api.Plain(func(f *cohort.FormField) *string { return &f.Name }, readShapeText[string]),
	"value":       api.Plain(func(f *cohort.FormField) *cohort.FormValue { return &f.Value }, readFormValue),
}

var formFieldFields = api.Fields[cohort.FormField]{
	"customer_id": nullable(func(f *cohort.FormField) *int64 { return &f.CustomerID }, readShapeInt),
	"address_id":  nullable(func(f *cohort.FormField) *int64 { return &f.AddressID }, readShapeInt),
	"name":        customFormFields["name"],
	"value":       customFormFields["value"],
}

// readFormFields reads the form fields in the body of a customer or address.
func readFormFields(v api.Value) ([]cohort.FormField, error) {
	values, err := readShapeArray(v, cohort.MaxFormFields)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxFormFields {
		return nil, cohort.Invalid("", "A customer or an address can have at most "+strconv.Itoa(cohort.MaxFormFields)+" form fields.")
	}
	return readShapes(values, customFormFields, "name", "value")
}

// readFormValue reads a string, a number or an array of strings.
func readFormValue(v api.Value) (cohort.FormValue, error) {
	if text, ok := v.Text(); ok {
		return cohort.FormValue{Type: cohort.FormText, Text: text}, nil
	}
	if number, ok := v.Number(); ok {
		return cohort.FormValue{Type: cohort.FormNumbers, Text: strings.Clone(number)}, nil
	}
	values, ok := v.ArrayIn(nil, cohort.MaxFormFieldTexts)
	if !ok {
		return cohort.FormValue{}, cohort.Invalid("", "The value must be a string, a number or an array of strings.")
	}
	list := make([]string, len(values))
	for i, element := range values {
		var err error
		if list[i], err = readShapeText[string](element); err != nil {
			return cohort.FormValue{}, err
		}
	}
	return cohort.FormValue{Type: cohort.FormCheckboxes, List: list}, nil
}

var formFieldFilters = filters[cohort.FormFieldFilter]{
	"customer_id": formOwnerFilter(func(f *cohort.FormFieldFilter) *int64 { return &f.CustomerID }),
	"address_id":  formOwnerFilter(func(f *cohort.FormFieldFilter) *int64 { return &f.AddressID }),
	"field_name":  api.TextFilter(func(f *cohort.FormFieldFilter) **string { return &f.Name }),
	"field_type": func(f *cohort.FormFieldFilter, value string) error {
		f.Type = cohort.FormFieldType(value)
		if !f.Type.Valid() {
			return cohort.Invalid("", "The value must be checkboxes, date, multiline, numbers, password, radiobuttons, text or picklist.")
		}
		return nil
	},
}

// formOwnerFilter returns the entry for the id of a customer or address.
func formOwnerFilter(field func(*cohort.FormFieldFilter) *int64) func(*cohort.FormFieldFilter, string) error {
	return func(into *cohort.FormFieldFilter, value string) error {
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil || id < 1 {
			return cohort.Invalid("", "The value must be an id, which is a whole number from 1.")
		}
		*field(into) = id
		return nil
	}
}

// formFieldWire is a form field in responses. It has the id of its one owner.
type formFieldWire struct {
	CustomerID int64         `json:"customer_id,omitempty"`
	AddressID  int64         `json:"address_id,omitempty"`
	Name       string        `json:"name"`
	Value      api.FormValue `json:"value"`
}

func formFieldToWire(f cohort.FormField) formFieldWire {
	return formFieldWire{f.CustomerID, f.AddressID, f.Name, api.FormValue(f.Value)}
}

func (h *handler) listFormFields(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeCursorQuery(r, formFieldFilters, func(cohort.FormFieldFilter) listOrder { return orderByID })
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.FormField]) (int64, error) {
		return h.svc.ReadFormFields(ctx, r.Store.Key, filter, p, to)
	}
	key := func(f cohort.FormField) string { return strconv.FormatInt(f.ID, 10) }
	return writeCursorList(w, r, page, read, formFieldToWire, key)
}

func (h *handler) putFormFields(w http.ResponseWriter, r *api.Request) error {
	fields, err := decodeShapes(r, cohort.MaxFormFieldsPut, http.StatusUnprocessableEntity, formFieldFields, "name", "value")
	if err != nil {
		return err
	}
	if err := h.svc.PutFormFields(r.Context(), r.Store.Key, fields); err != nil {
		return withTitle("Upsert form field values failed.", err)
	}
	return writeSingle(w, allToWire(fields, formFieldToWire))
}
