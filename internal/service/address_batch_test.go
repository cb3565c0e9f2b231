package service_test

import (
	"context"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// newItem returns an item of a create with the required fields.
func newItem(customerID int64, street string) service.AddressItem {
	return service.AddressItem{CustomerID: customerID, AddressUpdate: cohort.AddressUpdate{
		FirstName: new("Ada"), LastName: new("Lovelace"), Street1: new(street), City: new("London"),
		Zip: new("SW1Y 4JH"), CountryISO2: new("gb"),
	}}
}

func (s *fixture) addAddresses(t testing.TB, items ...service.AddressItem) []cohort.Address {
	t.Helper()
	created, err := s.CreateAddresses(t.Context(), "a", items)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func TestAddressBatch(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		s.create(t, ada("ada@example.com"))
		s.create(t, ada("grace@example.com"))
		one := cohort.Address{
			ID: 1, CustomerID: 1, FirstName: "Ada", LastName: "Lovelace", Street1: "1", City: "London",
			Zip: "SW1Y 4JH", Country: "United Kingdom", CountryISO2: "GB", Type: cohort.AddressResidential,
		}
		two := one
		two.ID, two.Street1 = 2, "2"
		other := one
		other.ID, other.CustomerID = 3, 2
		got := s.addAddresses(t, newItem(1, "1"), newItem(1, "2"), newItem(1, "1"), newItem(2, "1"))
		if diff := cmp.Diff([]cohort.Address{one, two, other}, got); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		if got := s.addAddresses(t, newItem(1, "2")); len(got) != 0 {
			t.Errorf("created a duplicate: %v", got)
		}
		got, err := s.UpdateAddresses(t.Context(), "a", []service.AddressItem{
			{ID: 2, AddressUpdate: cohort.AddressUpdate{Street1: new("1")}}, // a duplicate
			{ID: 3, AddressUpdate: cohort.AddressUpdate{CountryISO2: new("HK"), Zip: new("")}},
		})
		other.Country, other.CountryISO2, other.Zip = "Hong Kong", "HK", ""
		if diff := cmp.Diff([]cohort.Address{other}, got); diff != "" || err != nil {
			t.Errorf("updated, error %v (-want +got):\n%s", err, diff)
		}
		s.wantAddresses(t, 1, one, two)
		s.wantAddresses(t, 2, other)
		for range 2 {
			if err := s.DeleteAddressesByID(t.Context(), "a", []int64{2, 3, 77}); err != nil {
				t.Error(err)
			}
		}
		s.wantAddresses(t, 1, one)
		s.wantAddresses(t, 2)
	})
}

// A batch with an error changes nothing, and the addresses of another store cannot be
// reached.
func TestAddressBatchRejects(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		s.create(t, ada("ada@example.com"))
		if _, err := s.CreateCustomer(t.Context(), "b", ada("ada@example.com")); err != nil {
			t.Fatal(err)
		}
		one := s.addAddresses(t, newItem(1, "1"))[0]
		ctx := t.Context()
		change := func(ids ...int64) (items []service.AddressItem) {
			for _, id := range ids {
				items = append(items, service.AddressItem{ID: id, AddressUpdate: cohort.AddressUpdate{City: new("Refused")}})
			}
			return items
		}
		for want, call := range map[string]func() error{
			"1 items are refused, the first of them at 1: invalid: customer_id: invalid customer ID": func() error {
				_, err := s.CreateAddresses(ctx, "a", []service.AddressItem{newItem(1, "2"), newItem(2, "3")})
				return err
			},
			"1 items are refused, the first of them at 0: invalid: street_1: The value must not be empty.": func() error {
				_, err := s.CreateAddresses(ctx, "a", []service.AddressItem{newItem(1, ""), newItem(1, "2")})
				return err
			},
			"2 items are refused, the first of them at 1: invalid: id: invalid address ID": func() error {
				_, err := s.UpdateAddresses(ctx, "a", change(1, 77, 78))
				return err
			},
			"1 items are refused, the first of them at 0: invalid: id: invalid address ID": func() error {
				_, err := s.UpdateAddresses(ctx, "b", change(1))
				return err
			},
			"1 items are refused, the first of them at 1: invalid: id: There is another item with this id in the request.": func() error {
				_, err := s.UpdateAddresses(ctx, "a", change(1, 1))
				return err
			},
		} {
			wantError(t, call(), want)
		}
		if err := s.DeleteAddressesByID(ctx, "b", []int64{1}); err != nil {
			t.Error(err)
		}
		s.wantAddresses(t, 1, one)
	})
}

// Of several concurrent creates of the same address, one adds it. Updates of different
// addresses to the same one change one of them.
func TestConcurrentDuplicateAddresses(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		const callers = 8
		s.create(t, ada("ada@example.com"))
		together := func(call func(ctx context.Context, i int) ([]cohort.Address, error)) (changed []cohort.Address) {
			var all sync.WaitGroup
			var mu sync.Mutex
			for i := range callers {
				all.Go(func() {
					addresses, err := call(t.Context(), i)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					changed = append(changed, addresses...)
				})
			}
			all.Wait()
			return changed
		}
		created := together(func(ctx context.Context, _ int) ([]cohort.Address, error) {
			return s.CreateAddresses(ctx, "a", []service.AddressItem{newItem(1, "1")})
		})
		if len(created) != 1 {
			t.Errorf("created %d addresses: %v", len(created), created)
		}
		s.wantAddresses(t, 1, created...)

		var ids []int64
		for i := range callers {
			ids = append(ids, s.addAddresses(t, newItem(1, string(rune('A'+i))))[0].ID)
		}
		updated := together(func(ctx context.Context, i int) ([]cohort.Address, error) {
			return s.UpdateAddresses(ctx, "a", []service.AddressItem{{ID: ids[i], AddressUpdate: cohort.AddressUpdate{Street1: new("Z")}}})
		})
		if len(updated) != 1 {
			t.Errorf("updated %d addresses: %v", len(updated), updated)
		}
	})
}
