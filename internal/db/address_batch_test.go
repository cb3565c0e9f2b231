package db_test

import (
	"reflect"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"

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

func TestUpdateAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addCustomers(t, d, store, newCustomer(1, 0), newCustomer(2, 0))
			addAddresses(t, d, store, newAddress(1, 1), newAddress(2, 2), newAddress(3, 1))
		}
		update(t, d, func(tx *db.Tx) error {
			// An address stays with its customer.
			return tx.UpdateAddresses("a", nil, []cohort.Address{fullAddress(3, 1), fullAddress(2, 1)})
		})
		update(t, d, func(tx *db.Tx) error { return tx.UpdateAddresses("a", nil, nil) })
		wantAddresses(t, d, "a", 1, newAddress(1, 1), fullAddress(3, 1))
		wantAddresses(t, d, "a", 2, fullAddress(2, 2))
		wantAddresses(t, d, "b", 1, newAddress(1, 1), newAddress(3, 1))
		wantAddresses(t, d, "b", 2, newAddress(2, 2))
	})
}

func TestDeleteAddressesByID(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addCustomers(t, d, store, newCustomer(1, 0), newCustomer(2, 0))
			addAddresses(t, d, store, newAddress(1, 1), newAddress(2, 2), newAddress(3, 1))
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAddressesByID("a", []int64{3, 77, 2, 3}) })
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAddressesByID("a", []int64{77}) })
		wantAddresses(t, d, "a", 1, newAddress(1, 1))
		wantAddresses(t, d, "a", 2)
		wantAddresses(t, d, "b", 1, newAddress(1, 1), newAddress(3, 1))
		wantAddresses(t, d, "b", 2, newAddress(2, 2))
	})
}

func TestAddressFilter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addCustomers(t, d, "b", newCustomer(1, 0))
		full := fullAddress(4, 1)
		addAddresses(t, d, "a", newAddress(1, 1), newAddress(2, 2), full, newAddress(9, 2))
		addAddresses(t, d, "b", newAddress(1, 1))
		for name, tt := range map[string]struct {
			filter cohort.AddressFilter
			want   []int64
		}{
			"none":       {cohort.AddressFilter{}, []int64{1, 2, 4, 9}},
			"ids":        {cohort.AddressFilter{IDs: []int64{9, 1, 77}}, []int64{1, 9}},
			"customers":  {addressesOf(2), []int64{2, 9}},
			"companies":  {cohort.AddressFilter{Companies: []string{"x", full.Company}}, []int64{4}},
			"no company": {cohort.AddressFilter{Companies: []string{""}}, []int64{1, 2, 9}},
			"names":      {cohort.AddressFilter{Names: []string{full.FirstName + " " + full.LastName, "Ada"}}, []int64{4}},
			"all":        {cohort.AddressFilter{IDs: []int64{1, 2}, CustomerIDs: []int64{2}, Names: []string{"Ada Lovelace"}}, []int64{2}},
			"empty list": {cohort.AddressFilter{IDs: []int64{}}, nil},
		} {
			view(t, d, func(tx *db.Tx) error {
				list, err := tx.ListAddresses("a", tt.filter, onePage)
				var got []int64
				for _, a := range list {
					got = append(got, a.ID)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				return err
			})
			view(t, d, func(tx *db.Tx) error {
				n, err := tx.CountAddresses("a", tt.filter)
				if n != int64(len(tt.want)) {
					t.Errorf("%s: counted %d", name, n)
				}
				return err
			})
		}
	})
}

func TestAddressesExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addCustomers(t, d, "b", newCustomer(1, 0))
		addAddresses(t, d, "a", newAddress(1, 1), fullAddress(2, 2), newAddress(3, 2))
		addAddresses(t, d, "b", fullAddress(1, 1))
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.AddressesExist("a", []cohort.Address{fullAddress(0, 1), newAddress(0, 1), fullAddress(0, 2), newAddress(0, 77)}, nil)
			if diff := cmp.Diff([]bool{false, true, true, false}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
		// Addresses that are left out do not count.
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.AddressesExist("a", []cohort.Address{newAddress(9, 1), fullAddress(9, 2), newAddress(9, 2)}, []int64{1, 2, 77})
			if diff := cmp.Diff([]bool{false, false, true}, got); diff != "" {
				t.Errorf("apart from two (-want +got):\n%s", diff)
			}
			return err
		})
		// Each field of the core counts.
		for field := range reflect.TypeFor[cohort.Address]().Fields() {
			other := newAddress(0, 1)
			switch v := reflect.ValueOf(&other).Elem().FieldByName(field.Name); v.Kind() {
			case reflect.String:
				v.SetString("another")
			default:
				v.SetInt(2)
			}
			if other.CustomerID != 1 { // customer 2 has the address too
				continue
			}
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.AddressesExist("a", []cohort.Address{other}, nil)
				if same := other.Core() == newAddress(0, 1).Core(); err == nil && got[0] != same {
					t.Errorf("another %s: exists is %v", field.Name, got[0])
				}
				return err
			})
		}
	})
}

// TestAddressesExistIsBounded: the address that is equal is older than those that are
// compared.
func TestAddressesExistIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0))
		fill := func(n int) {
			for left := n; left > 0; left -= min(left, 100) {
				others := make([]cohort.Address, min(left, 100))
				for i := range others {
					others[i] = fullAddress(0, 1)
				}
				createAddresses(t, d, "a", others...)
			}
		}
		createAddresses(t, d, "a", newAddress(0, 1))
		for _, step := range []struct {
			more int
			want bool
		}{{db.MaxCompared - 1, true}, {1, false}} {
			fill(step.more)
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.AddressesExist("a", []cohort.Address{newAddress(0, 1)}, nil)
				if err == nil && got[0] != step.want {
					t.Errorf("exists is %v, want %v", got[0], step.want)
				}
				return err
			})
		}
	})
}

// TestAddressesOfCustomersUseTheIndex: without statistics about the rows, too, no list of
// the addresses of some customers reads those of all customers.
func TestAddressesOfCustomersUseTheIndex(t *testing.T) {
	d := dbtest.SQLite(t)
	addStores(t, d, "a")
	for _, f := range []cohort.AddressFilter{addressesOf(1), {CustomerIDs: []int64{1, 2}}} {
		var query string
		view(t, d, func(tx *db.Tx) error {
			tx.Trace(func(q string, _ []any) { query = q })
			_, err := tx.ListAddresses("a", f, onePage)
			return err
		})
		var plan []string
		view(t, d, func(tx *db.Tx) error {
			rows, err := tx.Query("EXPLAIN QUERY PLAN "+query, append([]any{"a"}, make([]any, strings.Count(query, "$")-1)...)...)
			if err != nil {
				return err
			}
			plan, err = txn.Collect(rows, func(row txn.Scanner) (step string, err error) {
				var id, parent, unused int
				return step, row.Scan(&id, &parent, &unused, &step)
			})
			return err
		})
		if !strings.Contains(strings.Join(plan, "; "), "INDEX customer_addresses_by_customer (store_hash=? AND customer_id=?") {
			t.Errorf("%d customers: %v", len(f.CustomerIDs), plan)
		}
	}
}
