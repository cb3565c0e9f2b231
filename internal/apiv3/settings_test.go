package apiv3

import (
	"errors"
	"testing"

	"cohort.example/cohort"
)

// FuzzDecodeSettings sends bodies to the decoders of the settings. Every error must be a
// client error, and what is decoded must be valid or be rejected with a field.
func FuzzDecodeSettings(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `{"store_name":"Shop","store_email":"a@example.com","store_phone":"","store_address":"1 Main Street\nAustin","store_address_type":"Retail"}`,
		`{"default_shopper_language":"en","shopper_language_selection_method":"browser","store_country":"Germany"}`,
		`{"store_name":null}`, `{"store_name":" "}`, `{"store_name":"\u0000"}`, `{"store_phone":7}`, `{"store_country":"\ud800","default_shopper_language":""}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		profile, err := decodeBody(post(body), storeProfileFields)
		mustBeClientError(t, body, err)
		if err == nil {
			mustHaveWireName(t, body, profile)
		}
		locale, err := decodeBody(post(body), storeLocaleFields, "default_shopper_language")
		mustBeClientError(t, body, err)
		if err == nil {
			mustHaveWireName(t, body, locale)
		}
		_, err = decodeBody(post(body), noOverrides)
		mustBeClientError(t, body, err)
	})
}

// mustHaveWireName fails if the update is invalid in a field without a wire name.
func mustHaveWireName(t *testing.T, body string, u profileUpdate) {
	t.Helper()
	err := u.Apply(cohort.StoreProfile{}).Validate()
	if e, ok := errors.AsType[*cohort.Error](err); ok && settingNames[e.Field] == "" {
		t.Errorf("%q: the field %q has no wire name", body, e.Field)
	}
}
