package apiv3

import (
	"encoding/json"
	"strings"

	"cohort.example/cohort"
)

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
func (parts includedCustomerParts) toWire(d cohort.CustomerDetail) customerWire {
	w := customerToWire(d.Customer)
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
