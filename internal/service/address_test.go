package service_test

import (
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// atHome returns an update with the required fields of an address.
func atHome() cohort.AddressUpdate {
	return cohort.AddressUpdate{
		FirstName: new("Ada"), LastName: new("Lovelace"), Street1: new("12 St James's Square"), City: new("London"),
		State: new(" "), Zip: new("SW1Y 4JH"), Country: new("united  kingdom"),
	}
}

func (s *fixture) addAddress(t testing.TB, customerID int64, u cohort.AddressUpdate) cohort.Address {
	t.Helper()
	a, err := s.CreateAddress(t.Context(), "a", customerID, u)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantAddresses fails unless a customer has exactly these addresses.
func (s *fixture) wantAddresses(t testing.TB, customerID int64, want ...cohort.Address) {
	t.Helper()
	got, err := s.ListAddresses(t.Context(), "a", customerID, cohort.Page{Number: 1, Size: 100})
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("addresses of customer %d, error %v (-want +got):\n%s", customerID, err, diff)
	}
	if n, err := s.CountAddresses(t.Context(), "a", customerID); n != int64(len(want)) || err != nil {
		t.Errorf("the count of customer %d is %d (error %v), want %d", customerID, n, err, len(want))
	}
}

func TestAddresses(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		s.create(t, ada("ada@example.com"))
		s.create(t, ada("grace@example.com"))
		want := cohort.Address{
			ID: 1, CustomerID: 1, FirstName: "Ada", LastName: "Lovelace", Street1: "12 St James's Square", City: "London", State: " ",
			Zip: "SW1Y 4JH", Country: "United Kingdom", CountryISO2: "GB", Type: cohort.AddressResidential,
		}
		if diff := cmp.Diff(want, s.addAddress(t, 1, atHome())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		other := s.addAddress(t, 2, atHome())
		s.wantAddresses(t, 1, want)
		s.wantAddresses(t, 2, other)

		u := cohort.AddressUpdate{Country: new("Deutschland"), City: new("Köln")}
		_, err := s.UpdateAddress(t.Context(), "a", 1, 1, u)
		wantError(t, err, noCountry)
		s.wantAddresses(t, 1, want) // unchanged
		u.Country, u.Type = new("DEU"), new(cohort.AddressCommercial)
		want.City, want.Country, want.CountryISO2, want.Type = "Köln", "Germany", "DE", cohort.AddressCommercial
		for _, u := range []cohort.AddressUpdate{u, {}} {
			got, err := s.UpdateAddress(t.Context(), "a", 1, 1, u)
			if diff := cmp.Diff(want, got.Address); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		}
		s.wantAddresses(t, 1, want)
		for _, owner := range []int64{1, 0} {
			if got, err := s.Address(t.Context(), "a", owner, 1); !cmp.Equal(want, got.Address) || err != nil {
				t.Errorf("Address with customer %d returned %v, error %v", owner, got, err)
			}
		}

		second := s.addAddress(t, 1, atHome())
		if err := s.DeleteAddress(t.Context(), "a", 1, 1); err != nil {
			t.Error(err)
		}
		s.wantAddresses(t, 1, second)
		if err := s.DeleteAddresses(t.Context(), "a", 1); err != nil {
			t.Error(err)
		}
		s.wantAddresses(t, 1)
		s.wantAddresses(t, 2, other)
		if a := s.addAddress(t, 1, atHome()); a.ID != 4 {
			t.Errorf("the id after 3 is %d, want 4", a.ID)
		}
	})
}

const noCountry = "invalid: country: The value is not the English name of a country."

func TestCreateAddressRejects(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		s.create(t, ada("ada@example.com"))
		for want, change := range map[string]func(*cohort.AddressUpdate){
			noCountry: func(u *cohort.AddressUpdate) { u.Country = new("Atlantis") },
			"invalid: state: The value must not be empty.":                        func(u *cohort.AddressUpdate) { u.State = nil },
			"invalid: country: The value must not be empty.":                      func(u *cohort.AddressUpdate) { u.Country = new("") },
			"invalid: address_type: The type must be residential or commercial.":  func(u *cohort.AddressUpdate) { u.Type = new(cohort.AddressType("")) },
			"invalid: phone: The value contains a character that is not allowed.": func(u *cohort.AddressUpdate) { u.Phone = new("\x00") },
		} {
			u := atHome()
			change(&u)
			a, err := s.CreateAddress(t.Context(), "a", 1, u)
			wantError(t, err, want)
			if a.ID != 0 {
				t.Errorf("the rejected address has the id %d", a.ID)
			}
		}
		s.wantAddresses(t, 1)
	})
}

// Calls for an unknown customer, or one of another store, return KindNotFound and not
// an empty list.
func TestAddressesOfUnknownCustomer(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		s.create(t, ada("ada@example.com"))
		s.create(t, ada("grace@example.com"))
		address := s.addAddress(t, 1, atHome())
		if _, err := s.CreateCustomer(t.Context(), "b", ada("ada@example.com")); err != nil {
			t.Fatal(err)
		}
		ctx, page := t.Context(), cohort.Page{Number: 1, Size: 10}
		const noCustomer = "customer 3 does not exist"
		const noAddress = "address 1 does not exist"
		for i, tt := range []struct {
			err  func() error
			want string
		}{
			{func() error { _, err := s.CreateAddress(ctx, "a", 3, atHome()); return err }, noCustomer},
			{func() error { _, err := s.ListAddresses(ctx, "a", 3, page); return err }, noCustomer},
			{func() error { _, err := s.CountAddresses(ctx, "a", 3); return err }, noCustomer},
			{func() error { return s.DeleteAddresses(ctx, "a", 3) }, noCustomer},
			{func() error { _, err := s.Address(ctx, "a", 2, 1); return err }, noAddress},
			{func() error { _, err := s.UpdateAddress(ctx, "a", 2, 1, atHome()); return err }, noAddress},
			{func() error { _, err := s.UpdateAddress(ctx, "a", 2, 1, cohort.AddressUpdate{}); return err }, noAddress},
			{func() error { return s.DeleteAddress(ctx, "a", 2, 1) }, noAddress},
			{func() error { _, err := s.Address(ctx, "b", 0, 1); return err }, noAddress},
			{func() error { _, err := s.UpdateAddress(ctx, "b", 1, 1, atHome()); return err }, noAddress},
			{func() error { return s.DeleteAddress(ctx, "b", 1, 1) }, noAddress},
		} {
			err := tt.err()
			wantError(t, err, tt.want)
			if cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("call %d: kind %v, want KindNotFound", i, cohort.KindOf(err))
			}
		}
		s.wantAddresses(t, 1, address)
	})
}
