package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The limits of concurrent requests per store. Source: the vendor's reference.
const (
	createAddressesConcurrency = 10
	updateAddressesConcurrency = 3
)

func (h *handler) addressRoutes() []api.Route {
	const path = "/customers/addresses"
	return []api.Route{
		{Operation: "listAddressesV3", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.listAddresses},
		{Operation: "createAddressesV3", Method: "POST", Path: path, Scope: cohort.ScopeCustomers, Concurrency: createAddressesConcurrency, Handle: h.createAddresses},
		{Operation: "updateAddressesV3", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: updateAddressesConcurrency, Handle: h.updateAddresses},
		{Operation: "deleteAddressesV3", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: h.deleteAddresses},
	}
}

// addressWire is an address in responses. The fields are in the vendor's order.
type addressWire struct {
	ID              int64              `json:"id"`
	Address1        string             `json:"address1"`
	Address2        string             `json:"address2"`
	AddressType     cohort.AddressType `json:"address_type"`
	City            string             `json:"city"`
	Company         string             `json:"company"`
	Country         string             `json:"country"`
	CountryCode     string             `json:"country_code"`
	CustomerID      int64              `json:"customer_id"`
	FirstName       string             `json:"first_name"`
	LastName        string             `json:"last_name"`
	Phone           string             `json:"phone"`
	PostalCode      string             `json:"postal_code"`
	StateOrProvince string             `json:"state_or_province"`
	// FormFields is nil if the client has not requested them.
	FormFields *[]formFieldWire `json:"form_fields,omitempty"`
}

func addressToWire(a cohort.Address) addressWire {
	return addressWire{
		ID: a.ID, Address1: a.Street1, Address2: a.Street2, AddressType: a.Type, City: a.City, Company: a.Company,
		Country: a.Country, CountryCode: a.CountryISO2, CustomerID: a.CustomerID, FirstName: a.FirstName, LastName: a.LastName,
		Phone: a.Phone, PostalCode: a.Zip, StateOrProvince: a.State,
	}
}

// addressQuery is the query of a list of addresses.
type addressQuery struct {
	cohort.AddressFilter
	formFields bool
}

var addressFilters = filters[addressQuery]{
	"id:in":          idFilter(func(q *addressQuery) *[]int64 { return &q.IDs }),
	"customer_id:in": idFilter(func(q *addressQuery) *[]int64 { return &q.CustomerIDs }),
	"company:in":     wordFilter(func(q *addressQuery) *[]string { return &q.Companies }),
	"name:in":        wordFilter(func(q *addressQuery) *[]string { return &q.Names }),
	"include": func(q *addressQuery, value string) error {
		if q.formFields = value == "formfields"; !q.formFields {
			return cohort.Invalid("", "The value must be formfields.")
		}
		return nil
	},
}

func (h *handler) listAddresses(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeNumberQuery(r, addressFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.AddressDetail]) (int64, error) {
		return h.svc.ReadAllAddresses(ctx, r.Store.Key, query.AddressFilter, query.formFields, p, to)
	}
	key := func(a cohort.AddressDetail) string { return strconv.FormatInt(a.ID, 10) }
	return writeNumberList(w, r, page, read, query.toWire, key)
}

func (q addressQuery) toWire(a cohort.AddressDetail) addressWire {
	w := addressToWire(a.Address)
	if q.formFields {
		w.FormFields = new(allToWire(a.FormFields, formFieldToWire))
	}
	return w
}

func (h *handler) createAddresses(w http.ResponseWriter, r *api.Request) error {
	items, err := decodeNewAddresses(r)
	if err != nil {
		return err
	}
	created, err := h.svc.CreateAddresses(r.Context(), r.Store.Key, items)
	if err != nil {
		return withTitle("Create customer addresses failed.", inV3(err))
	}
	return writeSingle(w, allToWire(created, addressToWire))
}

func (h *handler) updateAddresses(w http.ResponseWriter, r *api.Request) error {
	items, err := decodeAddressUpdates(r)
	if err != nil {
		return err
	}
	updated, err := h.svc.UpdateAddresses(r.Context(), r.Store.Key, items)
	if err != nil {
		return withTitle("Update customer addresses failed.", inV3(err))
	}
	return writeSingle(w, allToWire(updated, addressToWire))
}

// deleteAddresses deletes nothing without id:in, as the deletion of customers does.
func (h *handler) deleteAddresses(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeDeletedIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteAddressesByID(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}

// decodeDeletedIDs reads the ids of a deletion. Without the parameter there are none.
func decodeDeletedIDs(r *api.Request) ([]int64, error) {
	params, err := r.ParseQuery()
	if err != nil || len(params) == 0 {
		return nil, err
	}
	return decodeDeletion(r, deletedIDs)
}

var deletedIDs = filters[[]int64]{"id:in": idFilter(func(ids *[]int64) *[]int64 { return ids })}
