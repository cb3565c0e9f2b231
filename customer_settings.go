package cohort

import (
	"net/url"
)

// Limits of customer settings. Source: decided here; the vendor documents none.
const (
	MaxPolicyURL       = 2048 // code points
	MaxChannelSettings = 1000 // channels with settings of their own, per store
)

// CustomerSettings are the settings of a store for its customers, or those of one of its
// channels. In a channel, nil means the store's setting. The settings of a store have no
// nil and no AllowGlobalLogins.
type CustomerSettings struct {
	AskConsent           *bool // a shopper is asked for consent to tracking
	AskConsentOnCheckout *bool
	PolicyURL            *string // of the privacy policy
	GuestGroupID         *int64  // the group of guests; 0: none
	DefaultGroupID       *int64  // the group of new customers that name none; 0: none
	// AllowGlobalLogins says whether customers log in to the channel who are not
	// restricted to certain channels. nil: only to channel 1.
	AllowGlobalLogins *bool
}

// GlobalLogins reports whether customers log in to the channel, which has the settings,
// who are not restricted to certain channels. Source of the default: the vendor's
// reference.
func (s CustomerSettings) GlobalLogins(channelID int64) bool {
	if s.AllowGlobalLogins == nil {
		return channelID == FirstChannelID
	}
	return *s.AllowGlobalLogins
}

// Setting is the new value of a setting in an update.
type Setting[T any] struct {
	Sent  bool // false: unchanged
	Value *T   // nil: not set
}

func (s Setting[T]) apply(to **T) {
	if s.Sent {
		*to = s.Value
	}
}

// CustomerSettingsUpdate is a partial update of settings.
type CustomerSettingsUpdate struct {
	AskConsent           Setting[bool]
	AskConsentOnCheckout Setting[bool]
	PolicyURL            Setting[string]
	GuestGroupID         Setting[int64]
	DefaultGroupID       Setting[int64]
	AllowGlobalLogins    Setting[bool]
}

// IsEmpty reports whether the update changes nothing.
func (u CustomerSettingsUpdate) IsEmpty() bool { return u == CustomerSettingsUpdate{} }

// Apply returns s with the update applied.
func (u CustomerSettingsUpdate) Apply(s CustomerSettings) CustomerSettings {
	u.AskConsent.apply(&s.AskConsent)
	u.AskConsentOnCheckout.apply(&s.AskConsentOnCheckout)
	u.PolicyURL.apply(&s.PolicyURL)
	u.GuestGroupID.apply(&s.GuestGroupID)
	u.DefaultGroupID.apply(&s.DefaultGroupID)
	u.AllowGlobalLogins.apply(&s.AllowGlobalLogins)
	return s
}

// WithoutUnset returns the update without the settings that it would unset, which a store
// cannot have, and without AllowGlobalLogins, which only channels have.
func (u CustomerSettingsUpdate) WithoutUnset() CustomerSettingsUpdate {
	u.AskConsent.Sent = u.AskConsent.Value != nil
	u.AskConsentOnCheckout.Sent = u.AskConsentOnCheckout.Value != nil
	u.PolicyURL.Sent = u.PolicyURL.Value != nil
	u.GuestGroupID.Sent = u.GuestGroupID.Value != nil
	u.DefaultGroupID.Sent = u.DefaultGroupID.Value != nil
	u.AllowGlobalLogins = Setting[bool]{}
	return u
}

// Validate returns a KindInvalid error that names the first invalid field.
func (u CustomerSettingsUpdate) Validate() error {
	for _, g := range []struct {
		field string
		id    *int64
	}{{"guest_customer_group_id", u.GuestGroupID.Value}, {"default_customer_group_id", u.DefaultGroupID.Value}} {
		if g.id != nil && *g.id < 0 {
			return Invalid("customer_group_settings."+g.field, "The value must be an id, or 0 for none.")
		}
	}
	if u.PolicyURL.Value == nil || *u.PolicyURL.Value == "" {
		return nil
	}
	const field = "privacy_settings.policy_url"
	if err := checkText(field, *u.PolicyURL.Value, 0, MaxPolicyURL); err != nil {
		return err
	}
	parsed, err := url.Parse(*u.PolicyURL.Value)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
		return Invalid(field, "The value must be a URL that begins with https:// or http://.")
	}
	return nil
}
