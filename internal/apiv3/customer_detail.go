package apiv3

import (
	"encoding/json"
	"strings"

	"cohort.example/cohort"
)

// customerDetailWire is a customer with parts in responses. Parts that the client has not
// requested are nil. The fields are in the vendor's order.
type customerDetailWire struct {
	ID             int64                 `json:"id"`
	AddressCount   *int64                `json:"address_count,omitempty"`
	Addresses      *[]addressWire        `json:"addresses,omitempty"`
	AttributeCount *int64                `json:"attribute_count,omitempty"`
	Attributes     *[]attributeValueWire `json:"attributes,omitempty"`

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
	ChannelIDs            []int64                    `json:"channel_ids"`
	ShopperProfileID      *nullableText              `json:"shopper_profile_id,omitempty"`
	SegmentIDs            *[]string                  `json:"segment_ids,omitempty"`
}

// nullableText is a JSON string, or null if it is empty.
type nullableText string

// MarshalJSON implements json.Marshaler.
func (t nullableText) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// toWire converts a customer with the requested parts.
func (parts includedCustomerParts) toWire(d cohort.CustomerDetail) customerDetailWire {
	c := customerToWire(d.Customer)
	w := customerDetailWire{
		ID: c.ID, Authentication: c.Authentication, Company: c.Company, CustomerGroupID: c.CustomerGroupID, Email: c.Email,
		FirstName: c.FirstName, LastName: c.LastName, Notes: c.Notes, Phone: c.Phone, RegistrationIPAddress: c.RegistrationIPAddress,
		TaxExemptCategory: c.TaxExemptCategory, DateCreated: c.DateCreated, DateModified: c.DateModified,
		AcceptsEmails: c.AcceptsEmails, OriginChannelID: c.OriginChannelID, ChannelIDs: c.ChannelIDs,
	}
	if parts.storeCredit {
		w.StoreCreditAmounts = storeCreditToWire(d.Customer)
	}
	if parts.Addresses {
		w.AddressCount, w.Addresses = &d.AddressCount, new(allToWire(d.Addresses, addressQuery{formFields: parts.FormFields}.toWire))
	}
	if parts.Attributes {
		w.AttributeCount, w.Attributes = &d.AttributeCount, new(allToWire(d.AttributeValues, attributeValueToWire))
	}
	if parts.FormFields {
		w.FormFields = new(allToWire(d.FormFields, formFieldToWire))
	}
	if parts.ShopperProfile {
		w.ShopperProfileID = new(nullableText(d.ShopperProfileID))
	}
	if parts.Segments {
		w.SegmentIDs = new(append([]string{}, d.SegmentIDs...))
	}
	return w
}

// set includes the parts in a value of "include". It returns KindInvalid for a word that
// is no part. An empty value includes nothing.
func (parts *includedCustomerParts) set(value string) error {
	for word := range strings.SplitSeq(value, ",") {
		switch strings.TrimSpace(word) {
		case "addresses":
			parts.Addresses = true
		case "storecredit":
			parts.storeCredit = true
		case "attributes":
			parts.Attributes = true
		case "formfields":
			parts.FormFields = true
		case "shopper_profile_id":
			parts.ShopperProfile = true
		case "segment_ids":
			parts.Segments = true
		case "":
		default:
			return cohort.Invalid("", "The value must be one of addresses, storecredit, attributes, formfields, shopper_profile_id and segment_ids, or several with commas between them.")
		}
	}
	return nil
}
