package cohort_test

import (
	"testing"

	"cohort.example/cohort"
)

var address = cohort.Address{
	FirstName: "Ada", LastName: "Lovelace", Street1: "12 St James's Square", City: "London", State: "London",
	Zip: "SW1Y 4JH", Country: "United Kingdom", Type: cohort.AddressResidential,
}

// A state may be a single space, although it must not be empty. checkTextRules tries a
// space in every text.
func TestAddressTexts(t *testing.T) {
	type a = cohort.Address
	checkTextRules(t, address, []textRule[a]{
		{"first_name", func(a *a) *string { return &a.FirstName }, 1, 255},
		{"last_name", func(a *a) *string { return &a.LastName }, 1, 255},
		{"company", func(a *a) *string { return &a.Company }, 0, 255},
		{"street_1", func(a *a) *string { return &a.Street1 }, 1, 255},
		{"street_2", func(a *a) *string { return &a.Street2 }, 0, 255},
		{"city", func(a *a) *string { return &a.City }, 1, 255},
		{"state", func(a *a) *string { return &a.State }, 1, 255},
		{"zip", func(a *a) *string { return &a.Zip }, 1, 255},
		{"country", func(a *a) *string { return &a.Country }, 1, 255},
		{"phone", func(a *a) *string { return &a.Phone }, 0, 50},
	})
}

func TestAddressType(t *testing.T) {
	for kind, valid := range map[cohort.AddressType]bool{
		"residential": true, "commercial": true,
		"": false, "Residential": false, "office": false, "home": false,
	} {
		a := address
		a.Type = kind
		if err := a.Validate(); !valid {
			wantInvalid(t, err, "address_type")
		} else if err != nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

func TestAddressUpdateApply(t *testing.T) {
	checkApply(t, cohort.AddressUpdate.Apply, cohort.AddressUpdate.IsEmpty)
}
