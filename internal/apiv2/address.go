package apiv2

import (
	"context"
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// addressWire is an address in responses. The fields are in the vendor's order.
type addressWire struct {
	ID          int64              `json:"id"`
	CustomerID  int64              `json:"customer_id"`
	FirstName   string             `json:"first_name"`
	LastName    string             `json:"last_name"`
	Company     string             `json:"company"`
	Street1     string             `json:"street_1"`
	Street2     string             `json:"street_2"`
	City        string             `json:"city"`
	State       string             `json:"state"`
	Zip         string             `json:"zip"`
	Country     string             `json:"country"`
	CountryISO2 string             `json:"country_iso2"`
	Phone       string             `json:"phone"`
	AddressType cohort.AddressType `json:"address_type"`
	FormFields  []formFieldWire    `json:"form_fields"` // null if there are none
}

func addressToWire(a cohort.AddressDetail) addressWire {
	return addressWire{
		ID: a.ID, CustomerID: a.CustomerID, FirstName: a.FirstName, LastName: a.LastName, Company: a.Company,
		Street1: a.Street1, Street2: a.Street2, City: a.City, State: a.State, Zip: a.Zip,
		Country: a.Country, CountryISO2: a.CountryISO2, Phone: a.Phone, AddressType: a.Type,
		FormFields: formFieldsToWire(a.FormFields),
	}
}

// addressBody is a body of an address. customerID is nil if the body does not name
// the customer.
type addressBody struct {
	cohort.AddressUpdate
	customerID *int64
}

// addressFields has the fields of a body of an address.
var addressFields = api.Fields[addressBody]{
	"id":           nil,
	"customer_id":  api.Optional(func(b *addressBody) **int64 { return &b.customerID }, texts.ReadID),
	"first_name":   api.Optional(func(b *addressBody) **string { return &b.FirstName }, readText),
	"last_name":    api.Optional(func(b *addressBody) **string { return &b.LastName }, readText),
	"company":      api.Optional(func(b *addressBody) **string { return &b.Company }, readText),
	"street_1":     api.Optional(func(b *addressBody) **string { return &b.Street1 }, readText),
	"street_2":     api.Optional(func(b *addressBody) **string { return &b.Street2 }, readText),
	"city":         api.Optional(func(b *addressBody) **string { return &b.City }, readText),
	"state":        api.Optional(func(b *addressBody) **string { return &b.State }, readText),
	"zip":          api.Optional(func(b *addressBody) **string { return &b.Zip }, readText),
	"country":      api.Optional(func(b *addressBody) **string { return &b.Country }, readText),
	"country_iso2": nil,
	"phone":        api.Optional(func(b *addressBody) **string { return &b.Phone }, readText),
	"address_type": api.Optional(func(b *addressBody) **cohort.AddressType { return &b.Type }, readText),
	"form_fields":  nil,
}

// requiredAddressFields are in the order in which a missing one is reported.
var requiredAddressFields = []string{"first_name", "last_name", "phone", "street_1", "city", "state", "zip", "country"}

// decodeAddress decodes a body. The customer in the body, if there is one, must be
// that of the path.
func decodeAddress(r *api.Request, customerID int64, required ...string) (cohort.AddressUpdate, error) {
	body, err := decodeBody(r, addressFields, required...)
	if err == nil && body.customerID != nil && *body.customerID != customerID {
		err = cohort.Invalid("customer_id", "The address belongs to the customer in the path.")
	}
	return body.AddressUpdate, err
}

// noFilters is for lists without filters.
var noFilters = filters[struct{}]{}

func (h *handler) listAddresses(w http.ResponseWriter, r *api.Request) error {
	customerID, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	_, page, err := decodeQuery(r, noFilters, defaultLimit)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.AddressDetail]) error {
		return h.svc.ReadAddresses(ctx, r.Store.Key, customerID, p, to)
	}
	return writeList(w, r, page, read, func(a cohort.AddressDetail) int64 { return a.ID }, addressToWire)
}

func (h *handler) countAddresses(w http.ResponseWriter, r *api.Request) error {
	customerID, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	r.IgnoreParams("page", "limit")
	if _, _, err := decodeQuery(r, noFilters, defaultLimit); err != nil {
		return err
	}
	n, err := h.svc.CountAddresses(r.Context(), r.Store.Key, customerID)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, countWire{n})
}

// getAddress serves two paths, one of them without the customer. Like every GET by
// id it ignores the query string.
func (h *handler) getAddress(w http.ResponseWriter, r *api.Request) error {
	customerID, id, err := addressIDs(r)
	if err != nil {
		return err
	}
	a, err := h.svc.Address(r.Context(), r.Store.Key, customerID, id)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, addressToWire(a))
}

func (h *handler) createAddress(w http.ResponseWriter, r *api.Request) error {
	customerID, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	body, err := decodeAddress(r, customerID, requiredAddressFields...)
	if err != nil {
		return err
	}
	a, err := h.svc.CreateAddress(r.Context(), r.Store.Key, customerID, body)
	if err != nil {
		return err
	}
	setLocation(w, r, fmt.Sprintf("/customers/%d/addresses/%d", customerID, a.ID))
	return api.WriteJSON(w, http.StatusOK, addressToWire(cohort.AddressDetail{Address: a})) // a new one has no form fields
}

func (h *handler) updateAddress(w http.ResponseWriter, r *api.Request) error {
	customerID, id, err := addressIDs(r)
	if err != nil {
		return err
	}
	body, err := decodeAddress(r, customerID)
	if err != nil {
		return err
	}
	a, err := h.svc.UpdateAddress(r.Context(), r.Store.Key, customerID, id, body)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, addressToWire(a))
}

func (h *handler) deleteAddress(w http.ResponseWriter, r *api.Request) error {
	customerID, id, err := addressIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteAddress(r.Context(), r.Store.Key, customerID, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteAddresses deletes all addresses of a customer. It rejects every parameter,
// because a client that sends a limit or a filter expects to delete fewer.
func (h *handler) deleteAddresses(w http.ResponseWriter, r *api.Request) error {
	customerID, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	params, err := r.ParseQuery()
	if err != nil {
		return err
	}
	if len(params) > 0 {
		return unsupported(params[0].Name)
	}
	if err := h.svc.DeleteAddresses(r.Context(), r.Store.Key, customerID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// addressIDs returns the ids in the path. customerID is 0 if the path has none.
func addressIDs(r *api.Request) (customerID, id int64, err error) {
	if r.PathValue("customer_id") != "" {
		if customerID, err = r.ID("customer_id"); err != nil {
			return 0, 0, err
		}
		if customerID == 0 {
			return 0, 0, cohort.NotFound("customer 0")
		}
	}
	id, err = r.ID("id")
	return customerID, id, err
}
