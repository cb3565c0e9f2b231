package cohort_test

import (
	"reflect"
	"strings"
	"testing"

	"cohort.example/cohort"
)

var address = cohort.Address{
	FirstName: "Ada", LastName: "Lovelace", Street1: "12 St James's Square", City: "London", State: "London",
	Zip: "SW1Y 4JH", Country: "United Kingdom", Type: cohort.AddressResidential,
}

// An address of V2 without a state has a single space there. checkTextRules tries a space
// in every text.
func TestAddressTexts(t *testing.T) {
	type a = cohort.Address
	checkTextRules(t, address, []textRule[a]{
		{"first_name", func(a *a) *string { return &a.FirstName }, 1, 255},
		{"last_name", func(a *a) *string { return &a.LastName }, 1, 255},
		{"company", func(a *a) *string { return &a.Company }, 0, 255},
		{"street_1", func(a *a) *string { return &a.Street1 }, 1, 255},
		{"street_2", func(a *a) *string { return &a.Street2 }, 0, 255},
		{"city", func(a *a) *string { return &a.City }, 1, 255},
		{"state", func(a *a) *string { return &a.State }, 0, 255},
		{"zip", func(a *a) *string { return &a.Zip }, 0, 255},
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

// V3 has shorter bounds for three texts, but only for those that an update sets.
func TestAddressUpdateLengths(t *testing.T) {
	type u = cohort.AddressUpdate
	for _, r := range []struct {
		field string
		at    func(*u) **string
		most  int
	}{
		{"city", func(u *u) **string { return &u.City }, 100},
		{"state", func(u *u) **string { return &u.State }, 100},
		{"zip", func(u *u) **string { return &u.Zip }, 30},
	} {
		var update u
		if err := update.ValidateLengths(); err != nil {
			t.Errorf("an empty update: %v", err)
		}
		*r.at(&update) = new(strings.Repeat("ö", r.most))
		if err := update.ValidateLengths(); err != nil {
			t.Errorf("%s of %d characters: %v", r.field, r.most, err)
		}
		*r.at(&update) = new(strings.Repeat("ö", r.most+1))
		wantInvalid(t, update.ValidateLengths(), r.field)
	}
}

// Every field except the id and the derived name of the country makes an address differ
// from another.
func TestAddressCore(t *testing.T) {
	base := address
	base.ID, base.CustomerID, base.CountryISO2 = 1, 2, "GB"
	for field := range reflect.TypeFor[cohort.Address]().Fields() {
		other := base
		reflect.ValueOf(&other).Elem().FieldByName(field.Name).Set(someValue(t, field.Type).Elem())
		differs := base.Core() != other.Core()
		if want := field.Name != "ID" && field.Name != "Country"; differs != want {
			t.Errorf("another %s makes another address: %v, want %v", field.Name, differs, want)
		}
	}
}
