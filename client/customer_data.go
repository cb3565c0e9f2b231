package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// maxFormFieldsInCall is how many values of form fields one request writes.
const maxFormFieldsInCall = 50

// The purposes to which a shopper consents or not.
const (
	ConsentEssential  = "essential"
	ConsentFunctional = "functional"
	ConsentAnalytics  = "analytics"
	ConsentTargeting  = "targeting"
)

// Consent says for which purposes a customer may be tracked. A purpose is in one of the lists
// or in none; a customer who has not been asked has two empty lists.
type Consent struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny"`
	// UpdatedAt is the time of the response.
	UpdatedAt Time `json:"updated_at"`
}

// ConsentService has the operations on the consent of customers, of V3.
type ConsentService struct{ service }

func consentPath(customer int64) string {
	return fmt.Sprintf("%s/%d/consent", customersV3Path, customer)
}

// Get returns the consent of a customer. A customer that does not exist is an [ErrNotFound].
func (s *ConsentService) Get(ctx context.Context, customer int64) (Consent, error) {
	return get[Consent](ctx, s.c, request{method: http.MethodGet, path: consentPath(customer)})
}

// Set replaces both lists of a customer. nil is an empty list.
func (s *ConsentService) Set(ctx context.Context, customer int64, allow, deny []string) (Consent, error) {
	body := map[string][]string{"allow": append([]string{}, allow...), "deny": append([]string{}, deny...)}
	return get[Consent](ctx, s.c, request{method: http.MethodPut, path: consentPath(customer), body: body})
}

// CustomerSettings are the settings of a store for its customers. In a change, absent fields
// and fields that are null stay as they are.
type CustomerSettings struct {
	Privacy PrivacySettings       `json:"privacy_settings,omitzero"`
	Groups  CustomerGroupSettings `json:"customer_group_settings,omitzero"`
}

// PrivacySettings say how shoppers are asked for consent.
type PrivacySettings struct {
	AskConsent           Opt[bool] `json:"ask_shopper_for_tracking_consent,omitzero"`
	AskConsentOnCheckout Opt[bool] `json:"ask_shopper_for_tracking_consent_on_checkout,omitzero"`
	// PolicyURL begins with "https://" or "http://", or is empty.
	PolicyURL Opt[string] `json:"policy_url,omitzero"`
}

// CustomerGroupSettings are the groups of guests and of new customers; 0 is no group.
type CustomerGroupSettings struct {
	GuestGroupID   Opt[int64] `json:"guest_customer_group_id,omitzero"`
	DefaultGroupID Opt[int64] `json:"default_customer_group_id,omitzero"`
}

// ChannelCustomerSettings are the settings of a channel. A setting that is null is that of the
// store. In a change, null removes the setting of the channel, and an absent field stays as
// it is.
type ChannelCustomerSettings struct {
	CustomerSettings
	// AllowGlobalLogins is whether customers of all channels may log in.
	AllowGlobalLogins Opt[bool] `json:"allow_global_logins,omitzero"`
}

// CustomerSettingsService has the operations on the settings for customers, of V3.
type CustomerSettingsService struct{ service }

const customerSettingsPath = customersV3Path + "/settings"

func channelSettingsPath(channel int64) string {
	return fmt.Sprintf("%s/channels/%d", customerSettingsPath, channel)
}

// Get returns the settings of the store.
func (s *CustomerSettingsService) Get(ctx context.Context) (CustomerSettings, error) {
	return getData[CustomerSettings](ctx, s.c, request{method: http.MethodGet, path: customerSettingsPath})
}

// Update changes settings of the store and returns all of them.
func (s *CustomerSettingsService) Update(ctx context.Context, u CustomerSettings) (CustomerSettings, error) {
	return getData[CustomerSettings](ctx, s.c, request{method: http.MethodPut, path: customerSettingsPath, body: u})
}

// GetOfChannel returns the settings of a channel.
func (s *CustomerSettingsService) GetOfChannel(ctx context.Context, channel int64) (ChannelCustomerSettings, error) {
	return getData[ChannelCustomerSettings](ctx, s.c, request{method: http.MethodGet, path: channelSettingsPath(channel)})
}

// UpdateOfChannel changes settings of a channel and returns all of them.
func (s *CustomerSettingsService) UpdateOfChannel(ctx context.Context, channel int64, u ChannelCustomerSettings) (ChannelCustomerSettings, error) {
	return getData[ChannelCustomerSettings](ctx, s.c, request{method: http.MethodPut, path: channelSettingsPath(channel), body: u})
}

// FormFieldFilter selects values of form fields. All fields that are set must match.
type FormFieldFilter struct {
	CustomerID int64       `query:"customer_id"`
	AddressID  int64       `query:"address_id"`
	Name       Opt[string] `query:"field_name"`
	// Type is that of the form field, such as "text", "numbers" or "checkboxes".
	Type string `query:"field_type"`
}

// FormFieldService has the operations on the values of form fields, of V3.
type FormFieldService struct{ service }

const formFieldsPath = customersV3Path + "/form-field-values"

// List returns a page of values.
func (s *FormFieldService) List(ctx context.Context, f FormFieldFilter, p Page) ([]FormField, error) {
	return pageOf[FormField](ctx, s.c, formFieldsPath, f, p)
}

// All yields all values that match. Pages are read by cursor.
func (s *FormFieldService) All(ctx context.Context, f FormFieldFilter) iter.Seq2[FormField, error] {
	type key struct {
		customer, address int64
		name              string
	}
	return allOf(ctx, s.c, formFieldsPath, f, func(v FormField) key { return key{v.CustomerID, v.AddressID, v.Name} })
}

// Put sets 1 to 50 values, each of a customer or of an address: all of them, or none with a
// [*BatchError].
func (s *FormFieldService) Put(ctx context.Context, values []FormField) ([]FormField, error) {
	r := request{method: http.MethodPut, path: formFieldsPath, body: values, gate: gatePutFormFields}
	return writeBatch[FormField](ctx, s.c, r, len(values), maxFormFieldsInCall)
}

// PutAll sets any number of values, fifty in a request, and yields the outcome of each.
func (s *FormFieldService) PutAll(ctx context.Context, values []FormField) iter.Seq[Result[FormField]] {
	return inBatches(ctx, values, maxFormFieldsInCall, s.Put)
}
