package apiv3

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// customerFields has the fields of a customer that the bodies of creates and updates
// share. text makes the function for the names and the email.
func customerFields[T any](at func(*T) *cohort.CustomerUpdate, text func(func(*T) **string) func(*T, api.Value) error) api.Fields[T] {
	named := func(field func(*cohort.CustomerUpdate) **string) func(*T, api.Value) error {
		return text(func(into *T) **string { return field(at(into)) })
	}
	mayBeNull := func(field func(*cohort.CustomerUpdate) **string) func(*T, api.Value) error {
		return optional(func(into *T) **string { return field(at(into)) }, readShapeText[string])
	}
	return api.Fields[T]{
		"id":                      nil,
		"email":                   named(func(u *cohort.CustomerUpdate) **string { return &u.Email }),
		"first_name":              named(func(u *cohort.CustomerUpdate) **string { return &u.FirstName }),
		"last_name":               named(func(u *cohort.CustomerUpdate) **string { return &u.LastName }),
		"company":                 mayBeNull(func(u *cohort.CustomerUpdate) **string { return &u.Company }),
		"phone":                   mayBeNull(func(u *cohort.CustomerUpdate) **string { return &u.Phone }),
		"notes":                   mayBeNull(func(u *cohort.CustomerUpdate) **string { return &u.Notes }),
		"tax_exempt_category":     mayBeNull(func(u *cohort.CustomerUpdate) **string { return &u.TaxExemptCategory }),
		"registration_ip_address": nil,
		"date_created":            nil,
		"date_modified":           nil,
		"customer_group_id":       optional(func(into *T) **int64 { return &at(into).GroupID }, readShapeInt),
		"accepts_product_review_abandoned_cart_emails": optional(func(into *T) **bool { return &at(into).AcceptsMarketing }, readShapeBool),
		"authentication":       func(into *T, v api.Value) error { return setCustomerAuthentication(at(into), v) },
		"store_credit_amounts": func(into *T, v api.Value) error { return setStoreCredit(at(into), v) },
		"channel_ids":          func(into *T, v api.Value) error { return setChannelIDs(at(into), v) },
	}
}

// newCustomerFields has the fields of a new customer.
var newCustomerFields = func() api.Fields[service.NewCustomer] {
	update := func(c *service.NewCustomer) *cohort.CustomerUpdate { return &c.CustomerUpdate }
	fields := customerFields(update, func(field func(*service.NewCustomer) **string) func(*service.NewCustomer, api.Value) error {
		return api.Optional(field, readShapeText[string])
	})
	fields["form_fields"] = nullable(func(c *service.NewCustomer) *[]cohort.FormField { return &c.FormFields }, readFormFields)
	fields["attributes"] = nullable(func(c *service.NewCustomer) *[]cohort.AttributeValue { return &c.Attributes }, readNewAttributes)
	fields["origin_channel_id"] = optional(func(c *service.NewCustomer) **int64 { return &c.OriginChannelID }, readShapeInt)
	fields["addresses"] = nullable(func(c *service.NewCustomer) *[]service.AddressItem { return &c.Addresses }, readNewAddresses)
	// Cohort sends no mail.
	fields["trigger_account_created_notification"] = func(_ *service.NewCustomer, v api.Value) error {
		if v.IsNull() {
			return nil
		}
		v.Ignore()
		_, err := readShapeBool(v)
		return err
	}
	return fields
}()

// partAttributeFields has the fields of a value of an attribute in the body of a customer.
var partAttributeFields = api.Fields[cohort.AttributeValue]{
	"attribute_id":    attributeValueFields["attribute_id"],
	"attribute_value": attributeValueFields["value"],
}

// readNewAttributes reads the values of attributes in the body of a customer.
func readNewAttributes(v api.Value) ([]cohort.AttributeValue, error) {
	values, err := readShapeArray(v, cohort.MaxAttributeValues)
	if err != nil {
		return nil, err
	}
	if len(values) > cohort.MaxAttributeValues {
		return nil, cohort.Invalid("", fmt.Sprintf("A customer may be created with at most %d attributes.", cohort.MaxAttributeValues))
	}
	return readShapes(values, partAttributeFields, "attribute_id", "attribute_value")
}

// customerChangeFields has the fields of an update of a customer. It has neither addresses
// nor attributes, because the vendor's reference excludes them from updates.
var customerChangeFields = func() api.Fields[service.CustomerChange] {
	update := func(c *service.CustomerChange) *cohort.CustomerUpdate { return &c.CustomerUpdate }
	fields := maps.Clone(customerFields(update, func(field func(*service.CustomerChange) **string) func(*service.CustomerChange, api.Value) error {
		return optional(field, readShapeText[string])
	}))
	fields["id"] = api.Plain(func(c *service.CustomerChange) *int64 { return &c.ID }, readShapeInt)
	fields["origin_channel_id"] = nil
	fields["form_fields"] = nullable(func(c *service.CustomerChange) *[]cohort.FormField { return &c.FormFields }, readFormFields)
	return fields
}()

func decodeNewCustomers(r *api.Request) ([]service.NewCustomer, error) {
	return decodeShapes(r, cohort.MaxCustomerBatch, http.StatusRequestEntityTooLarge, newCustomerFields, "email", "first_name", "last_name")
}

func decodeCustomerChanges(r *api.Request) ([]service.CustomerChange, error) {
	return decodeShapes(r, cohort.MaxCustomerBatch, http.StatusRequestEntityTooLarge, customerChangeFields, "id")
}

var customerAuthenticationFields = api.Fields[cohort.CustomerUpdate]{
	"force_password_reset": optional(func(u *cohort.CustomerUpdate) **bool { return &u.ResetPassOnLogin }, readShapeBool),
	"new_password":         optional(func(u *cohort.CustomerUpdate) **string { return &u.Password }, readShapeText[string]),
}

func setCustomerAuthentication(u *cohort.CustomerUpdate, v api.Value) error {
	if v.IsNull() {
		return nil
	}
	return readShape(v, u, customerAuthenticationFields)
}

var storeCreditFields = api.Fields[decimal.Decimal]{
	"amount": api.Plain(func(d *decimal.Decimal) *decimal.Decimal { return d }, readShapeAmount),
}

// setStoreCredit reads the credit of a customer, which is a list of one amount, because
// a store has one currency. An empty list changes nothing.
func setStoreCredit(u *cohort.CustomerUpdate, v api.Value) error {
	if v.IsNull() {
		return nil
	}
	values, err := readShapeArray(v, 1)
	switch {
	case err != nil || len(values) == 0:
		return err
	case len(values) > 1:
		return cohort.Invalid("", "The list may have one amount.")
	}
	amounts, err := readShapes(values, storeCreditFields, "amount")
	if err != nil {
		return err
	}
	u.StoreCredit = &amounts[0]
	return nil
}

// setChannelIDs reads the channels of a customer. null means all channels. A channel
// that is there twice counts once.
func setChannelIDs(u *cohort.CustomerUpdate, v api.Value) error {
	if v.IsNull() {
		u.ChannelIDs = new([]int64)
		return nil
	}
	values, err := readShapeArray(v, cohort.MaxCustomerChannels)
	if err != nil {
		return err
	}
	ids := make([]int64, 0, len(values))
	for _, value := range values {
		id, err := readShapeInt(value)
		if err != nil {
			return err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(values) > cohort.MaxCustomerChannels {
		return cohort.Invalid("", fmt.Sprintf("The list may have at most %d channels.", cohort.MaxCustomerChannels))
	}
	u.ChannelIDs = &ids
	return nil
}
