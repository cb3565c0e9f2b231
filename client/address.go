package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// Address is an address of a customer as V2 shows it.
type Address struct {
	ID int64 `json:"id"`
	// CustomerID is 0 in the response of [AddressService.GetOfAny].
	CustomerID int64  `json:"customer_id,omitempty"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	Company    string `json:"company"`
	Street1    string `json:"street_1"`
	Street2    string `json:"street_2"`
	City       string `json:"city"`
	// State is a single space for an address without a state.
	State       string `json:"state"`
	Zip         string `json:"zip"`
	Country     string `json:"country"`
	CountryISO2 string `json:"country_iso2"`
	Phone       string `json:"phone"`
	// AddressType is "residential" or "commercial".
	AddressType string      `json:"address_type"`
	FormFields  []FormField `json:"form_fields"`
}

// AddressUpdate has the fields of an address to set. A new address needs FirstName,
// LastName, Phone, Street1, City, State, Zip and Country.
type AddressUpdate struct {
	FirstName Opt[string] `json:"first_name,omitzero"`
	LastName  Opt[string] `json:"last_name,omitzero"`
	Company   Opt[string] `json:"company,omitzero"`
	Street1   Opt[string] `json:"street_1,omitzero"`
	Street2   Opt[string] `json:"street_2,omitzero"`
	City      Opt[string] `json:"city,omitzero"`
	State     Opt[string] `json:"state,omitzero"`
	Zip       Opt[string] `json:"zip,omitzero"`
	// Country is the English name; Cohort accepts a code too.
	Country     Opt[string] `json:"country,omitzero"`
	Phone       Opt[string] `json:"phone,omitzero"`
	AddressType Opt[string] `json:"address_type,omitzero"`
}

// AddressService has the operations on addresses, of V2. Those of a customer that does not
// exist are an [ErrNotFound].
type AddressService struct{ service }

func addressesPath(customer int64) string { return customerPath(customer) + "/addresses" }

func addressPath(customer, id int64) string {
	return fmt.Sprintf("%s/%d", addressesPath(customer), id)
}

// List returns a page of the addresses of a customer, in the order of their ids.
func (s *AddressService) List(ctx context.Context, customer int64, p Page) ([]Address, error) {
	q, err := p.params()
	if err != nil {
		return nil, err
	}
	return listV2[Address](ctx, s.c, request{method: http.MethodGet, path: addressesPath(customer), query: q})
}

// All yields all addresses of a customer, in the order of their ids.
func (s *AddressService) All(ctx context.Context, customer int64) iter.Seq2[Address, error] {
	r := request{method: http.MethodGet, path: addressesPath(customer), query: url.Values{}}
	return allV2(ctx, s.c, r, func(a Address) int64 { return a.ID }, nil)
}

// Count returns how many addresses a customer has.
func (s *AddressService) Count(ctx context.Context, customer int64) (int, error) {
	return count(ctx, s.c, request{method: http.MethodGet, path: addressesPath(customer) + "/count"})
}

// Get returns an address of a customer. One of another customer is an [ErrNotFound].
func (s *AddressService) Get(ctx context.Context, customer, id int64) (Address, error) {
	return get[Address](ctx, s.c, request{method: http.MethodGet, path: addressPath(customer, id)})
}

// GetOfAny returns the address with an id, whose customer is unknown. The response does not
// say which customer it is either.
func (s *AddressService) GetOfAny(ctx context.Context, id int64) (Address, error) {
	return get[Address](ctx, s.c, request{method: http.MethodGet, path: fmt.Sprintf("%s/addresses/%d", customersPath, id)})
}

// Create creates an address of a customer.
func (s *AddressService) Create(ctx context.Context, customer int64, u AddressUpdate) (Address, error) {
	return get[Address](ctx, s.c, request{method: http.MethodPost, path: addressesPath(customer), body: u, creates: true})
}

// Update changes an address and returns it.
func (s *AddressService) Update(ctx context.Context, customer, id int64, u AddressUpdate) (Address, error) {
	return get[Address](ctx, s.c, request{method: http.MethodPut, path: addressPath(customer, id), body: u})
}

// Delete deletes an address.
func (s *AddressService) Delete(ctx context.Context, customer, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: addressPath(customer, id)})
}

// DeleteAll deletes all addresses of a customer.
func (s *AddressService) DeleteAll(ctx context.Context, customer int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: addressesPath(customer)})
}
