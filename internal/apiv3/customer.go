package apiv3

import (
	"cohort.example/cohort"
)

// customerWire is a customer in responses. The fields are in the vendor's order.
// Missing texts are empty, never null. Parts that a response does not have are nil.
type customerWire struct {
	ID                    int64                      `json:"id"`
	Authentication        customerAuthenticationWire `json:"authentication"`
	Company               string                     `json:"company"`
	CustomerGroupID       int64                      `json:"customer_group_id"`
	Email                 string                     `json:"email"`
	FirstName             string                     `json:"first_name"`
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

// storeCreditToWire returns the credit of a customer, which is in one currency.
func storeCreditToWire(c cohort.Customer) []storeCreditWire {
	return []storeCreditWire{{amount(c.StoreCredit)}}
}
