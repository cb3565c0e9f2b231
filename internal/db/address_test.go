package db_test

import (
	"math"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func newAddress(id, customerID int64) cohort.Address {
	return cohort.Address{
		ID: id, CustomerID: customerID, FirstName: "Ada", LastName: "Lovelace", Street1: "12 St James's Square",
		City: "London", State: " ", Zip: "SW1Y 4JH", Country: "United Kingdom", CountryISO2: "GB", Type: cohort.AddressResidential,
	}
}

// fullAddress returns an address with an unusual value in every field.
func fullAddress(id, customerID int64) cohort.Address {
	return cohort.Address{
		ID: id, CustomerID: customerID, FirstName: "Zoë $1 ?", LastName: `O'Neil "x"`, Company: strings.Repeat("🛒", 255),
		Street1: "\t\x01", Street2: "Hinterhof", City: "Köln", State: "NRW", Zip: "50667", Country: "Germany", CountryISO2: "DE",
		Phone: "+49 221", Type: cohort.AddressCommercial,
	}
}

func addAddresses(t testing.TB, d *db.DB, store string, addresses ...cohort.Address) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for _, a := range addresses {
			if err := tx.InsertAddress(store, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// addressesOf selects the addresses of a customer.
func addressesOf(customerID int64) cohort.AddressFilter {
	return cohort.AddressFilter{CustomerIDs: []int64{customerID}}
}

// wantAddresses fails unless the customer has exactly these addresses in the list,
// by the count, and read one by one with and without the customer's id.
func wantAddresses(t testing.TB, d *db.DB, store string, customerID int64, want ...cohort.Address) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.ListAddresses(store, addressesOf(customerID), onePage)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("addresses of customer %d of %s (-want +got):\n%s", customerID, store, diff)
		}
		return err
	})
	view(t, d, func(tx *db.Tx) error {
		n, err := tx.CountAddresses(store, addressesOf(customerID))
		if n != int64(len(want)) {
			t.Errorf("customer %d of %s has %d addresses by the count, want %d", customerID, store, n, len(want))
		}
		return err
	})
	for _, a := range want {
		for _, owner := range []int64{customerID, 0} {
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.Address(store, owner, a.ID)
				if diff := cmp.Diff(cohort.AddressDetail{Address: a}, got); diff != "" {
					t.Errorf("address %d of customer %d (-want +got):\n%s", a.ID, owner, diff)
				}
				return err
			})
		}
	}
}

func TestAddressRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		wantAddresses(t, d, "a", 1)
		addAddresses(t, d, "a", newAddress(math.MaxInt64, 1), fullAddress(5, 1), newAddress(7, 2))
		wantAddresses(t, d, "a", 1, fullAddress(5, 1), newAddress(math.MaxInt64, 1))
		wantAddresses(t, d, "a", 2, newAddress(7, 2))
	})
}

func TestListAddressesByPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addAddresses(t, d, "a", newAddress(1, 1), newAddress(2, 2), newAddress(3, 1), newAddress(4, 1))
		for number, want := range map[int][]int64{1: {1, 3}, 2: {4}, 3: nil} {
			view(t, d, func(tx *db.Tx) error {
				var got []int64
				list, err := tx.ListAddresses("a", addressesOf(1), cohort.Page{Number: number, Size: 2})
				for _, a := range list {
					got = append(got, a.ID)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("page %d (-want +got):\n%s", number, diff)
				}
				return err
			})
		}
	})
}

func TestUpdateAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addAddresses(t, d, "a", newAddress(1, 1), newAddress(2, 1))
		// An address stays with its customer.
		update(t, d, func(tx *db.Tx) error { return tx.UpdateAddress("a", cohort.Address{}, fullAddress(1, 2)) })
		wantAddresses(t, d, "a", 1, fullAddress(1, 1), newAddress(2, 1))
		wantAddresses(t, d, "a", 2)
	})
}

// TestAddressNotFound also covers addresses of other customers and stores.
func TestAddressNotFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addCustomers(t, d, store, newCustomer(1, 0), newCustomer(2, 0))
		}
		addAddresses(t, d, "a", newAddress(1, 1))
		addAddresses(t, d, "b", newAddress(5, 2))
		for name, fn := range map[string]func(tx *db.Tx) error{
			"get by another customer":    func(tx *db.Tx) error { _, err := tx.Address("a", 2, 1); return err },
			"get in another store":       func(tx *db.Tx) error { _, err := tx.Address("a", 0, 5); return err },
			"update in another store":    func(tx *db.Tx) error { return tx.UpdateAddress("a", cohort.Address{}, fullAddress(5, 2)) },
			"delete by another customer": func(tx *db.Tx) error { return tx.DeleteAddress("a", 2, 1) },
			"delete by no customer":      func(tx *db.Tx) error { return tx.DeleteAddress("a", 0, 1) },
			"delete in another store":    func(tx *db.Tx) error { return tx.DeleteAddress("a", 2, 5) },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAddresses("a", 2) })
		wantAddresses(t, d, "a", 1, newAddress(1, 1))
		wantAddresses(t, d, "b", 2, newAddress(5, 2))
	})
}

// TestInsertAddressNeedsCustomer: an address without a customer would never be
// deleted.
func TestInsertAddressNeedsCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "b", newCustomer(1, 0))
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertAddress("a", newAddress(1, 1)) }); err == nil {
			t.Error("inserted an address of another store's customer")
		}
		wantAddresses(t, d, "a", 1)
	})
}

func TestDeleteAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0))
		addCustomers(t, d, "b", newCustomer(1, 0))
		for id, owner := range map[int64]int64{1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3} {
			addAddresses(t, d, "a", newAddress(id, owner))
		}
		addAddresses(t, d, "b", newAddress(1, 1))

		update(t, d, func(tx *db.Tx) error { return tx.DeleteAddress("a", 1, 2) })
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAddresses("a", 2) })
		// Deleting a customer deletes its addresses, so a later customer with the
		// same id would not have them.
		update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", 3) })
		addCustomers(t, d, "a", newCustomer(3, 0))

		wantAddresses(t, d, "a", 1, newAddress(1, 1))
		wantAddresses(t, d, "a", 2)
		wantAddresses(t, d, "a", 3)
		wantAddresses(t, d, "b", 1, newAddress(1, 1))
	})
}
