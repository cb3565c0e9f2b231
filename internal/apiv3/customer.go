package apiv3

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// updateCustomersConcurrency is the limit of concurrent updates per store. Source: the
// vendor's reference, which states none for creates.
const updateCustomersConcurrency = 3

func (h *handler) customerRoutes() []api.Route {
	const path = "/customers"
	return []api.Route{
		{Operation: "listCustomersV3", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.listCustomers},
		{Operation: "createCustomersV3", Method: "POST", Path: path, Scope: cohort.ScopeCustomers, Handle: h.createCustomers},
		{Operation: "updateCustomersV3", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: updateCustomersConcurrency, Handle: h.updateCustomers},
		{Operation: "deleteCustomersV3", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: h.deleteCustomers},
	}
}

// customerWire is a customer in responses. The fields are in the vendor's order.
// Missing texts are empty, never null. Parts that a response does not have are nil.
type customerWire struct {
	ID                    int64                      `json:"id"`
	AddressCount          *int64                     `json:"address_count,omitempty"`
	Addresses             *[]addressWire             `json:"addresses,omitempty"`
	AttributeCount        *int64                     `json:"attribute_count,omitempty"`
	Attributes            *[]attributeValueWire      `json:"attributes,omitempty"`
	Authentication        customerAuthenticationWire `json:"authentication"`
	Company               string                     `json:"company"`
	CustomerGroupID       int64                      `json:"customer_group_id"`
	Email                 string                     `json:"email"`
	FirstName             string                     `json:"first_name"`
	FormFields            *[]formFieldWire           `json:"form_fields,omitempty"`
	LastName              string                     `json:"last_name"`
	Notes                 string                     `json:"notes"`
	Phone                 string                     `json:"phone"`
	RegistrationIPAddress string                     `json:"registration_ip_address"`
	TaxExemptCategory     string                     `json:"tax_exempt_category"`
	DateCreated           string                     `json:"date_created"`
	DateModified          string                     `json:"date_modified"`
	AcceptsEmails         bool                       `json:"accepts_product_review_abandoned_cart_emails"`
	StoreCreditAmounts    []storeCreditWire          `json:"store_credit_amounts,omitempty"`
	OriginChannelID       int64                      `json:"origin_channel_id"`
	ChannelIDs            []int64                    `json:"channel_ids"` // null: all channels
	ShopperProfileID      *nullableText              `json:"shopper_profile_id,omitempty"`
	SegmentIDs            *[]string                  `json:"segment_ids,omitempty"`
}

type customerAuthenticationWire struct {
	ForcePasswordReset bool `json:"force_password_reset"`
}

type storeCreditWire struct {
	Amount amount `json:"amount"`
}

func customerToWire(c cohort.Customer) customerWire {
	return customerWire{
		ID:                    c.ID,
		Authentication:        customerAuthenticationWire{c.ResetPassOnLogin},
		Company:               c.Company,
		CustomerGroupID:       c.GroupID,
		Email:                 c.Email,
		FirstName:             c.FirstName,
		LastName:              c.LastName,
		Notes:                 c.Notes,
		Phone:                 c.Phone,
		RegistrationIPAddress: c.RegistrationIPAddress,
		TaxExemptCategory:     c.TaxExemptCategory,
		DateCreated:           dateText(c.DateCreated),
		DateModified:          dateText(c.DateModified),
		AcceptsEmails:         c.AcceptsMarketing,
		OriginChannelID:       c.OriginChannelID,
		ChannelIDs:            c.ChannelIDs,
	}
}

// writtenCustomersToWire returns customers as the answers to creates and updates have
// them. Source: recordings.
func writtenCustomersToWire(customers []cohort.Customer) []customerWire {
	list := make([]customerWire, len(customers))
	for i, c := range customers {
		list[i] = customerToWire(c)
		list[i].StoreCreditAmounts = storeCreditToWire(c)
	}
	return list
}

// storeCreditToWire returns the credit of a customer, which is in one currency.
func storeCreditToWire(c cohort.Customer) []storeCreditWire {
	return []storeCreditWire{{amount(c.StoreCredit)}}
}

func (h *handler) createCustomers(w http.ResponseWriter, r *api.Request) error {
	items, err := decodeNewCustomers(r)
	if err != nil {
		return err
	}
	created, err := h.svc.CreateCustomers(r.Context(), r.Store.Key, items)
	if err != nil {
		return customersError(err, createCustomersTexts, func(i int) *string { return items[i].Email })
	}
	return writeSingle(w, writtenCustomersToWire(created))
}

func (h *handler) updateCustomers(w http.ResponseWriter, r *api.Request) error {
	items, err := decodeCustomerChanges(r)
	if err != nil {
		return err
	}
	updated, err := h.svc.UpdateCustomers(r.Context(), r.Store.Key, items)
	if err != nil {
		return customersError(err, updateCustomersTexts, func(i int) *string { return items[i].Email })
	}
	return writeSingle(w, writtenCustomersToWire(updated))
}

// deleteCustomers deletes nothing without id:in. Source: the vendor's reference.
func (h *handler) deleteCustomers(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeDeletedIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCustomersByID(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}
