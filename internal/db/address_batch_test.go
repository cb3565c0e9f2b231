package db_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// createAddresses adds addresses in one call and returns them with their ids.
func createAddresses(t testing.TB, d *db.DB, store string, addresses ...cohort.Address) (created []cohort.Address) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		created, err = tx.CreateAddresses(store, addresses)
		return err
	})
	return created
}

func TestCreateAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addCustomers(t, d, "b", newCustomer(1, 0))
		given := []cohort.Address{newAddress(0, 1), fullAddress(0, 2), newAddress(0, 1)}
		got := createAddresses(t, d, "a", given...)
		want := []cohort.Address{newAddress(1, 1), fullAddress(2, 2), newAddress(3, 1)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		if given[0].ID != 0 {
			t.Error("the addresses of the caller were changed")
		}
		wantAddresses(t, d, "a", 1, newAddress(1, 1), newAddress(3, 1))
		wantAddresses(t, d, "a", 2, fullAddress(2, 2))
		// A single address continues with the ids.
		update(t, d, func(tx *db.Tx) error {
			a, err := tx.CreateAddress("a", newAddress(0, 2))
			if a.ID != 4 {
				t.Errorf("the next id is %d", a.ID)
			}
			return err
		})
		if got := createAddresses(t, d, "b", newAddress(0, 1)); got[0].ID != 1 {
			t.Errorf("the first id of another store is %d", got[0].ID)
		}
		if got := createAddresses(t, d, "b"); len(got) != 0 {
			t.Errorf("created %v from nothing", got)
		}
		wantAddresses(t, d, "b", 1, newAddress(1, 1))
	})
}

// TestCreateAddressesNeedsCustomers: if one customer does not exist, no address is
// added.
func TestCreateAddressesNeedsCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0))
		addCustomers(t, d, "b", newCustomer(2, 0))
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.CreateAddresses("a", []cohort.Address{newAddress(0, 1), newAddress(0, 2)})
			return err
		})
		if cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("got %v", err)
		}
		wantAddresses(t, d, "a", 1)
		wantAddresses(t, d, "b", 2)
	})
}

func TestAddressesOfCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0), newCustomer(4, 0))
		addCustomers(t, d, "b", newCustomer(1, 0))
		addAddresses(t, d, "a", newAddress(9, 1), newAddress(2, 1), fullAddress(4, 1), newAddress(5, 2), newAddress(3, 4), newAddress(6, 2))
		addAddresses(t, d, "b", newAddress(1, 1))
		for most, want := range map[int]map[int64][]cohort.Address{
			1: {1: {newAddress(2, 1)}, 2: {newAddress(5, 2)}},
			2: {1: {newAddress(2, 1), fullAddress(4, 1)}, 2: {newAddress(5, 2), newAddress(6, 2)}},
			3: {1: {newAddress(2, 1), fullAddress(4, 1), newAddress(9, 1)}, 2: {newAddress(5, 2), newAddress(6, 2)}},
		} {
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.AddressesOfCustomers("a", []int64{2, 1, 3, 77}, most)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("at most %d of each (-want +got):\n%s", most, diff)
				}
				return err
			})
		}
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.AddressesOfCustomers("a", nil, 10)
			if diff := cmp.Diff(map[int64][]cohort.Address{}, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("of no customers (-want +got):\n%s", diff)
			}
			return err
		})
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.AddressCounts("a", []int64{1, 2, 3, 77})
			if diff := cmp.Diff(map[int64]int64{1: 3, 2: 2, 3: 0, 77: 0}, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			return err
		})
	})
}
