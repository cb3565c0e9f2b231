package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxCustomersInCall is how many customers one request creates or updates.
	maxCustomersInCall = 10
	// maxIDsInCall is how many ids one request names. The URL stays short with it.
	maxIDsInCall = 50
)

// CustomerV3 is a customer as V3 shows it. The fields of parts are absent unless
// [CustomerV3Filter.Include] asks for them.
type CustomerV3 struct {
	ID             int64                    `json:"id"`
	AddressCount   Opt[int64]               `json:"address_count,omitzero"`
	Addresses      Opt[[]AddressV3]         `json:"addresses,omitzero"` // the first 10
	AttributeCount Opt[int64]               `json:"attribute_count,omitzero"`
	Attributes     Opt[[]AttributeValue]    `json:"attributes,omitzero"` // the first 10
	Authentication CustomerV3Authentication `json:"authentication,omitzero"`
	Company        string                   `json:"company"`
	// GroupID is 0 for a customer without a group.
	GroupID               int64            `json:"customer_group_id"`
	Email                 string           `json:"email"`
	FirstName             string           `json:"first_name"`
	FormFields            Opt[[]FormField] `json:"form_fields,omitzero"`
	LastName              string           `json:"last_name"`
	Notes                 string           `json:"notes"`
	Phone                 string           `json:"phone"`
	RegistrationIPAddress string           `json:"registration_ip_address"`
	TaxExemptCategory     string           `json:"tax_exempt_category"`
	DateCreated           Time             `json:"date_created"`
	DateModified          Time             `json:"date_modified"`
	// AcceptsEmails is whether the customer accepts mails about reviews and abandoned carts.
	AcceptsEmails bool `json:"accepts_product_review_abandoned_cart_emails"`
	// StoreCredit has one amount, in the currency of the store.
	StoreCredit     Opt[[]StoreCredit] `json:"store_credit_amounts,omitzero"`
	OriginChannelID int64              `json:"origin_channel_id"`
	// ChannelIDs is null for a customer of all channels.
	ChannelIDs       Opt[[]int64]  `json:"channel_ids,omitzero"`
	ShopperProfileID Opt[string]   `json:"shopper_profile_id,omitzero"` // null: none
	SegmentIDs       Opt[[]string] `json:"segment_ids,omitzero"`
}

// CustomerV3Authentication is what a response says about the password.
type CustomerV3Authentication struct {
	ForcePasswordReset bool `json:"force_password_reset"`
}

// StoreCredit is an amount that a customer may spend in the store.
type StoreCredit struct {
	Amount Amount `json:"amount"`
}

// CustomerV3Create is a new customer. Email, FirstName and LastName are required.
type CustomerV3Create struct {
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	CustomerV3Fields
	// OriginChannelID is the channel where the customer was created (1).
	OriginChannelID Opt[int64] `json:"origin_channel_id,omitzero"`
	// Addresses are at most 10, without CustomerID.
	Addresses Opt[[]AddressV3Create] `json:"addresses,omitzero"`
	// Attributes are at most 10.
	Attributes Opt[[]CustomerAttribute] `json:"attributes,omitzero"`
}

// CustomerAttribute is the value of an attribute of a new customer.
type CustomerAttribute struct {
	AttributeID int64  `json:"attribute_id"`
	Value       string `json:"attribute_value"`
}

// CustomerV3Update has the fields of a customer to set. Absent fields stay as they are.
type CustomerV3Update struct {
	ID        int64       `json:"id"`
	Email     Opt[string] `json:"email,omitzero"`
	FirstName Opt[string] `json:"first_name,omitzero"`
	LastName  Opt[string] `json:"last_name,omitzero"`
	CustomerV3Fields
}

// CustomerV3Fields are the optional fields that a new and a changed customer have.
type CustomerV3Fields struct {
	Company           Opt[string] `json:"company,omitzero"`
	Phone             Opt[string] `json:"phone,omitzero"`
	Notes             Opt[string] `json:"notes,omitzero"`
	TaxExemptCategory Opt[string] `json:"tax_exempt_category,omitzero"`
	// GroupID is 0 for no group. A new customer without it joins the default group.
	GroupID        Opt[int64]                          `json:"customer_group_id,omitzero"`
	AcceptsEmails  Opt[bool]                           `json:"accepts_product_review_abandoned_cart_emails,omitzero"`
	Authentication Opt[CustomerV3AuthenticationUpdate] `json:"authentication,omitzero"`
	// StoreCredit has one amount.
	StoreCredit Opt[[]StoreCredit] `json:"store_credit_amounts,omitzero"`
	// ChannelIDs are the channels in which the customer may log in; null is all channels.
	ChannelIDs Opt[[]int64] `json:"channel_ids,omitzero"`
	// FormFields sets the fields that it names and keeps the others.
	FormFields Opt[[]FormField] `json:"form_fields,omitzero"`
}

// CustomerV3AuthenticationUpdate sets the password of a customer.
type CustomerV3AuthenticationUpdate struct {
	NewPassword        Opt[string] `json:"new_password,omitzero"`
	ForcePasswordReset Opt[bool]   `json:"force_password_reset,omitzero"`
}

// CustomerV3Filter selects customers. All fields that are set must match. An empty list does
// not filter.
type CustomerV3Filter struct {
	IDs                     []int64  `query:"id:in"`
	GroupIDs                []int64  `query:"customer_group_id:in"`
	Emails                  []string `query:"email:in"`
	Companies               []string `query:"company:in"`
	Phones                  []string `query:"phone:in"`
	RegistrationIPAddresses []string `query:"registration_ip_address:in"`
	// Names are first and last names with a space between; NameParts are parts of them.
	Names     []string  `query:"name:in"`
	NameParts []string  `query:"name:like"`
	Created   TimeRange `query:"date_created"`
	Modified  TimeRange `query:"date_modified"`
	// Include has the parts of customers to read: "addresses", "attributes", "formfields",
	// "storecredit", "shopper_profile_id", "segment_ids".
	Include []string `query:"include"`
	// Sort is "date_created:asc", "last_name:desc" and the like; "" is by id.
	Sort string `query:"sort"`
}

// CustomerV3Service has the operations on customers, of V3.
type CustomerV3Service struct{ service }

const customersV3Path = "/v3/customers"

// List returns a page of customers.
func (s *CustomerV3Service) List(ctx context.Context, f CustomerV3Filter, p Page) ([]CustomerV3, error) {
	return pageOf[CustomerV3](ctx, s.c, customersV3Path, f, p)
}

// All yields all customers that match. Pages are read by cursor where the server has
// cursors: a customer who is there all the time is then yielded once, whatever changes
// meanwhile.
func (s *CustomerV3Service) All(ctx context.Context, f CustomerV3Filter) iter.Seq2[CustomerV3, error] {
	return allOf(ctx, s.c, customersV3Path, f, func(c CustomerV3) int64 { return c.ID })
}

// ByID yields the customers with the ids, of any number, in requests of 50. Ids without a
// customer are left out. Include is that of [CustomerV3Filter].
func (s *CustomerV3Service) ByID(ctx context.Context, ids []int64, include ...string) iter.Seq2[CustomerV3, error] {
	return byID(ids, func(part []int64) iter.Seq2[CustomerV3, error] {
		return s.All(ctx, CustomerV3Filter{IDs: part, Include: include})
	})
}

// Create creates 1 to 10 customers: all of them, or none with a [*BatchError].
func (s *CustomerV3Service) Create(ctx context.Context, customers []CustomerV3Create) ([]CustomerV3, error) {
	r := request{method: http.MethodPost, path: customersV3Path, body: customers, creates: true}
	return writeBatch[CustomerV3](ctx, s.c, r, len(customers), maxCustomersInCall)
}

// CreateAll creates any number of customers, ten in a request, and yields the outcome of each.
func (s *CustomerV3Service) CreateAll(ctx context.Context, customers []CustomerV3Create) iter.Seq[Result[CustomerV3]] {
	return inBatches(ctx, customers, maxCustomersInCall, s.Create)
}

// Update changes 1 to 10 customers: all of them, or none with a [*BatchError].
func (s *CustomerV3Service) Update(ctx context.Context, customers []CustomerV3Update) ([]CustomerV3, error) {
	r := request{method: http.MethodPut, path: customersV3Path, body: customers, gate: gateUpdateCustomers}
	return writeBatch[CustomerV3](ctx, s.c, r, len(customers), maxCustomersInCall)
}

// UpdateAll changes any number of customers, ten in a request, and yields the outcome of each.
func (s *CustomerV3Service) UpdateAll(ctx context.Context, customers []CustomerV3Update) iter.Seq[Result[CustomerV3]] {
	return inBatches(ctx, customers, maxCustomersInCall, s.Update)
}

// Delete deletes customers, 50 in a request. Ids without a customer are skipped. Without ids
// it sends nothing.
func (s *CustomerV3Service) Delete(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, customersV3Path, ids)
}

// CheckCredentials returns the id of the customer with an email and a password who may log
// in to a channel, or false.
func (s *CustomerV3Service) CheckCredentials(ctx context.Context, email, password string, channel int64) (id int64, ok bool, err error) {
	body := map[string]any{"email": email, "password": password, "channel_id": channel}
	checked, err := get[struct {
		IsValid    bool  `json:"is_valid"`
		CustomerID int64 `json:"customer_id"`
	}](ctx, s.c, request{method: http.MethodPost, path: customersV3Path + "/validate-credentials", body: body})
	return checked.CustomerID, checked.IsValid, err
}

// writeBatch sends a batch and returns its items.
func writeBatch[T any](ctx context.Context, c *Client, r request, size, most int) ([]T, error) {
	if size < 1 || size > most {
		return nil, argument("%s %s takes 1 to %d items, not %d", r.method, r.path, most, size)
	}
	items, err := getData[[]T](ctx, c, r)
	return items, batchError(err, size)
}

// deleteIDs deletes what the ids name, in requests of 50.
func deleteIDs(ctx context.Context, c *Client, path string, ids []int64) error {
	return deleteNamed(ctx, c, path, idTexts(ids))
}

// deleteNamed is deleteIDs for ids in the form of a query.
func deleteNamed(ctx context.Context, c *Client, path string, ids []string) error {
	for part := range slices.Chunk(ids, maxIDsInCall) {
		q := url.Values{"id:in": {strings.Join(part, ",")}}
		if err := c.run(ctx, request{method: http.MethodDelete, path: path, query: q}); err != nil {
			return fmt.Errorf("delete from %s: %w", part[0], err)
		}
	}
	return nil
}

// joinIDs returns ids with commas between them.
func joinIDs(ids []int64) string { return strings.Join(idTexts(ids), ",") }

func idTexts(ids []int64) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return texts
}
