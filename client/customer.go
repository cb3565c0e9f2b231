package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxCustomersDeleted is how many customers one request deletes by a filter.
const maxCustomersDeleted = 100

// Customer is a customer as V2 shows it. It is the same as a [CustomerV3] with its id.
type Customer struct {
	ID           int64  `json:"id"`
	Company      string `json:"company"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Email        string `json:"email"`
	Phone        string `json:"phone"`
	DateCreated  Time   `json:"date_created"`
	DateModified Time   `json:"date_modified"`
	// StoreCredit is in the currency of the store.
	StoreCredit           Amount `json:"store_credit"`
	RegistrationIPAddress string `json:"registration_ip_address"`
	// GroupID is 0 for a customer without a group.
	GroupID           int64       `json:"customer_group_id"`
	Notes             string      `json:"notes"`
	TaxExemptCategory string      `json:"tax_exempt_category"`
	ResetPassOnLogin  bool        `json:"reset_pass_on_login"`
	AcceptsMarketing  bool        `json:"accepts_marketing"`
	FormFields        []FormField `json:"form_fields"`
}

// FormField is a value of a form that a shopper has filled in.
type FormField struct {
	// CustomerID or AddressID is the owner, in responses of V3.
	CustomerID int64  `json:"customer_id,omitempty"`
	AddressID  int64  `json:"address_id,omitempty"`
	Name       string `json:"name"`
	// Value is a JSON string, a number or an array of strings.
	Value json.RawMessage `json:"value"`
}

// CustomerUpdate has the fields of a customer to set. A new customer needs FirstName,
// LastName and Email. Absent fields stay as they are.
type CustomerUpdate struct {
	Company               Opt[string] `json:"company,omitzero"`
	FirstName             Opt[string] `json:"first_name,omitzero"`
	LastName              Opt[string] `json:"last_name,omitzero"`
	Email                 Opt[string] `json:"email,omitzero"`
	Phone                 Opt[string] `json:"phone,omitzero"`
	StoreCredit           Opt[Amount] `json:"store_credit,omitzero"`
	RegistrationIPAddress Opt[string] `json:"registration_ip_address,omitzero"`
	// GroupID is 0 for no group. A new customer without it joins the default group.
	GroupID           Opt[int64]          `json:"customer_group_id,omitzero"`
	Notes             Opt[string]         `json:"notes,omitzero"`
	TaxExemptCategory Opt[string]         `json:"tax_exempt_category,omitzero"`
	ResetPassOnLogin  Opt[bool]           `json:"reset_pass_on_login,omitzero"`
	Authentication    Opt[Authentication] `json:"_authentication,omitzero"`
}

// Authentication sets the password of a customer. Responses never have it.
type Authentication struct {
	Password             Opt[string] `json:"password,omitzero"`
	PasswordConfirmation Opt[string] `json:"password_confirmation,omitzero"`
	ForceReset           Opt[bool]   `json:"force_reset,omitzero"`
}

// CustomerFilter selects customers. All fields that are set must match.
type CustomerFilter struct {
	FirstName Opt[string] `query:"first_name"`
	LastName  Opt[string] `query:"last_name"`
	Company   Opt[string] `query:"company"`
	// Email is compared without regard to case, the other texts exactly.
	Email             Opt[string] `query:"email"`
	Phone             Opt[string] `query:"phone"`
	TaxExemptCategory Opt[string] `query:"tax_exempt_category"`
	StoreCredit       Opt[Amount] `query:"store_credit"`
	// GroupID is 0 for customers without a group.
	GroupID       Opt[int64] `query:"customer_group_id"`
	MinID         int64      `query:"min_id"`
	MaxID         int64      `query:"max_id"`
	CreatedFrom   time.Time  `query:"min_date_created"`
	CreatedUntil  time.Time  `query:"max_date_created"`
	ModifiedFrom  time.Time  `query:"min_date_modified"`
	ModifiedUntil time.Time  `query:"max_date_modified"`
}

// CustomerService has the operations on customers, of V2.
type CustomerService struct{ service }

const customersPath = "/v2/customers"

func customerPath(id int64) string { return fmt.Sprintf("%s/%d", customersPath, id) }

// List returns a page of customers in the order of their ids.
func (s *CustomerService) List(ctx context.Context, f CustomerFilter, p Page) ([]Customer, error) {
	q, err := listQuery(f, p)
	if err != nil {
		return nil, err
	}
	return listV2[Customer](ctx, s.c, request{method: http.MethodGet, path: customersPath, query: q})
}

// All yields all customers that match, in the order of their ids. It asks for the customers
// after the last one that it has seen, so a customer who is there all the time is never
// missing, whatever changes meanwhile.
func (s *CustomerService) All(ctx context.Context, f CustomerFilter) iter.Seq2[Customer, error] {
	q, err := params(f)
	if err != nil {
		return failed[Customer](err)
	}
	r := request{method: http.MethodGet, path: customersPath, query: q}
	next := func(q url.Values, last Customer) { q.Set("min_id", strconv.FormatInt(last.ID+1, 10)) }
	return allV2(ctx, s.c, r, func(c Customer) int64 { return c.ID }, next)
}

// Count returns how many customers match.
func (s *CustomerService) Count(ctx context.Context, f CustomerFilter) (int, error) {
	q, err := params(f)
	if err != nil {
		return 0, err
	}
	return count(ctx, s.c, request{method: http.MethodGet, path: customersPath + "/count", query: q})
}

// Get returns a customer.
func (s *CustomerService) Get(ctx context.Context, id int64) (Customer, error) {
	return get[Customer](ctx, s.c, request{method: http.MethodGet, path: customerPath(id)})
}

// Create creates a customer. The email of another customer is an [ErrInvalid].
func (s *CustomerService) Create(ctx context.Context, u CustomerUpdate) (Customer, error) {
	return get[Customer](ctx, s.c, request{method: http.MethodPost, path: customersPath, body: u, creates: true})
}

// Update changes a customer and returns it.
func (s *CustomerService) Update(ctx context.Context, id int64, u CustomerUpdate) (Customer, error) {
	return get[Customer](ctx, s.c, request{method: http.MethodPut, path: customerPath(id), body: u})
}

// Delete deletes a customer with its addresses.
func (s *CustomerService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: customerPath(id)})
}

// DeleteMany deletes the customers that match, those with the lowest ids first, and at most
// limit of them, from 1 to 100. An empty filter is an [ErrArgument]. It is never repeated: a
// second request would delete others.
func (s *CustomerService) DeleteMany(ctx context.Context, f CustomerFilter, limit int) error {
	if limit < 1 || limit > maxCustomersDeleted {
		return argument("one call deletes 1 to %d customers, not %d", maxCustomersDeleted, limit)
	}
	q, err := deletionQuery(f)
	if err != nil {
		return err
	}
	q.Set("limit", strconv.Itoa(limit))
	return s.c.run(ctx, request{method: http.MethodDelete, path: customersPath, query: q, once: true})
}

// CheckPassword reports whether a text is the password of a customer. For a customer that
// does not exist it is false. The server allows 10 checks of one customer in a minute.
func (s *CustomerService) CheckPassword(ctx context.Context, id int64, password string) (bool, error) {
	body := map[string]string{"password": password}
	checked, err := get[struct {
		Success looseBool `json:"success"`
	}](ctx, s.c, request{method: http.MethodPost, path: customerPath(id) + "/validate", body: body})
	return bool(checked.Success), err
}

// looseBool is a boolean that may be a string: the reference has "true" and "false".
type looseBool bool

func (b *looseBool) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true", `"true"`:
		*b = true
	case "false", `"false"`:
		*b = false
	default:
		return fmt.Errorf("%.80q is not a boolean", text)
	}
	return nil
}
