package client

import (
	"context"
	"iter"
	"net/http"
)

// maxAddressesInCall is how many addresses one request creates or updates.
const maxAddressesInCall = 10

// AddressV3 is an address as V3 shows it. It is the same as an [Address] with its id.
type AddressV3 struct {
	ID       int64  `json:"id"`
	Address1 string `json:"address1"`
	Address2 string `json:"address2"`
	// AddressType is "residential" or "commercial".
	AddressType     string           `json:"address_type"`
	City            string           `json:"city"`
	Company         string           `json:"company"`
	Country         string           `json:"country"`
	CountryCode     string           `json:"country_code"`
	CustomerID      int64            `json:"customer_id"`
	FirstName       string           `json:"first_name"`
	LastName        string           `json:"last_name"`
	Phone           string           `json:"phone"`
	PostalCode      string           `json:"postal_code"`
	StateOrProvince string           `json:"state_or_province"`
	FormFields      Opt[[]FormField] `json:"form_fields,omitzero"` // with Include
}

// AddressV3Create is a new address. FirstName, LastName, Address1, City and CountryCode are
// required, and StateOrProvince and PostalCode where the country has them.
type AddressV3Create struct {
	// CustomerID is required, except in [CustomerV3Create].
	CustomerID  int64  `json:"customer_id,omitempty"`
	FirstName   string `json:"first_name"`
	LastName    string `json:"last_name"`
	Address1    string `json:"address1"`
	City        string `json:"city"`
	CountryCode string `json:"country_code"`
	AddressV3Fields
}

// AddressV3Update has the fields of an address to set. Absent fields stay as they are.
type AddressV3Update struct {
	ID          int64       `json:"id"`
	FirstName   Opt[string] `json:"first_name,omitzero"`
	LastName    Opt[string] `json:"last_name,omitzero"`
	Address1    Opt[string] `json:"address1,omitzero"`
	City        Opt[string] `json:"city,omitzero"`
	CountryCode Opt[string] `json:"country_code,omitzero"`
	AddressV3Fields
}

// AddressV3Fields are the optional fields that a new and a changed address have.
type AddressV3Fields struct {
	Address2    Opt[string] `json:"address2,omitzero"`
	AddressType Opt[string] `json:"address_type,omitzero"`
	Company     Opt[string] `json:"company,omitzero"`
	Phone       Opt[string] `json:"phone,omitzero"`
	PostalCode  Opt[string] `json:"postal_code,omitzero"`
	// StateOrProvince is written in full: "Texas", not "TX".
	StateOrProvince Opt[string] `json:"state_or_province,omitzero"`
	// FormFields sets the fields that it names and keeps the others.
	FormFields Opt[[]FormField] `json:"form_fields,omitzero"`
}

// AddressV3Filter selects addresses. All fields that are set must match. An empty list does
// not filter.
type AddressV3Filter struct {
	IDs         []int64  `query:"id:in"`
	CustomerIDs []int64  `query:"customer_id:in"`
	Companies   []string `query:"company:in"`
	Names       []string `query:"name:in"`
	// Include may have "formfields".
	Include []string `query:"include"`
}

// AddressV3Service has the operations on the addresses of all customers, of V3.
type AddressV3Service struct{ service }

const addressesV3Path = customersV3Path + "/addresses"

// List returns a page of addresses.
func (s *AddressV3Service) List(ctx context.Context, f AddressV3Filter, p Page) ([]AddressV3, error) {
	return pageOf[AddressV3](ctx, s.c, addressesV3Path, f, p)
}

// All yields all addresses that match. Pages are read by number.
func (s *AddressV3Service) All(ctx context.Context, f AddressV3Filter) iter.Seq2[AddressV3, error] {
	return allOf(ctx, s.c, addressesV3Path, f, func(a AddressV3) int64 { return a.ID })
}

// Create creates 1 to 10 addresses: all of them, or none with a [*BatchError]. An address
// that its customer has already is not created again, and is missing from the result.
func (s *AddressV3Service) Create(ctx context.Context, addresses []AddressV3Create) ([]AddressV3, error) {
	r := request{method: http.MethodPost, path: addressesV3Path, body: addresses, gate: gateCreateAddresses, creates: true}
	return writeBatch[AddressV3](ctx, s.c, r, len(addresses), maxAddressesInCall)
}

// Update changes 1 to 10 addresses: all of them, or none with a [*BatchError]. An address
// that would be the same as another one of its customer stays as it is, and is missing from
// the result.
func (s *AddressV3Service) Update(ctx context.Context, addresses []AddressV3Update) ([]AddressV3, error) {
	r := request{method: http.MethodPut, path: addressesV3Path, body: addresses, gate: gateUpdateAddresses}
	return writeBatch[AddressV3](ctx, s.c, r, len(addresses), maxAddressesInCall)
}

// Delete deletes addresses, 50 in a request. Ids without an address are skipped.
func (s *AddressV3Service) Delete(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, addressesV3Path, ids)
}
