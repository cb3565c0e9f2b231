package db_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// fullCustomer returns a customer with something in every field.
func fullCustomer(id int64) cohort.Customer {
	return cohort.Customer{
		ID: id, Company: `O'Neil & "Söhne" $1 ?`, FirstName: strings.Repeat("🛒", 100), LastName: "\t\x01 ",
		Email: "Jörg@Bücher.example", Phone: "+49 (0)30 1", StoreCredit: decimal.RequireFromString("9999999999999999.9999"),
		RegistrationIPAddress: "2001:db8::1", GroupID: math.MaxInt64, Notes: strings.Repeat("ü", 65_535),
		TaxExemptCategory: "A%", ResetPassOnLogin: true, AcceptsMarketing: true,
		DateCreated: time.UnixMilli(-1).UTC(), DateModified: t0.Add(time.Millisecond),
	}
}

// dropCustomer is what deleting a customer comes to.
func dropCustomer(tx *db.Tx, store string, id int64) error {
	c, err := tx.Customer(store, id)
	if err != nil {
		return err
	}
	return tx.DeleteCustomer(store, c)
}

// wantCustomers fails unless the store has exactly these customers, in the list
// and one by one.
func wantCustomers(t testing.TB, d *db.DB, store string, want ...cohort.Customer) {
	t.Helper()
	if diff := cmp.Diff(want, listCustomers(t, d, store, everybody), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("customers of %s (-want +got):\n%s", store, diff)
	}
	for _, c := range want {
		view(t, d, func(tx *db.Tx) error {
			got, err := tx.Customer(store, c.ID)
			if diff := cmp.Diff(c, got); diff != "" {
				t.Errorf("customer %d of %s (-want +got):\n%s", c.ID, store, diff)
			}
			return err
		})
	}
}

func wantPasswordHash(t testing.TB, d *db.DB, store string, id int64, want string) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.PasswordHash(store, id)
		if got != want {
			t.Errorf("customer %d of %s has the password hash %q, want %q", id, store, got, want)
		}
		return err
	})
}

func TestCustomerRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		customers := []cohort.Customer{newCustomer(1, 0), fullCustomer(2), newCustomer(math.MaxInt64, 5)}
		addCustomers(t, d, "a", customers...)
		wantCustomers(t, d, "a", customers...)
		wantPasswordHash(t, d, "a", 2, "hash")
	})
}

func TestUpdateCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		first, second := newCustomer(1, 3), newCustomer(2, 3)
		addCustomers(t, d, "a", first, second)

		changed := fullCustomer(1)
		update(t, d, func(tx *db.Tx) error { return tx.UpdateCustomer("a", first, changed, "") })
		changed.DateCreated = first.DateCreated // stays
		wantCustomers(t, d, "a", changed, second)
		wantPasswordHash(t, d, "a", 1, "hash")

		update(t, d, func(tx *db.Tx) error { return tx.UpdateCustomer("a", changed, changed, "new") })
		wantCustomers(t, d, "a", changed, second)
		wantPasswordHash(t, d, "a", 1, "new")
		wantPasswordHash(t, d, "a", 2, "hash")
	})
}

func TestCustomerThatDoesNotExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "b", newCustomer(1, 0))
		for name, fn := range map[string]func(tx *db.Tx) error{
			"get":    func(tx *db.Tx) error { _, err := tx.Customer("a", 1); return err },
			"delete": func(tx *db.Tx) error { return tx.DeleteCustomer("a", newCustomer(1, 0)) },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
		wantPasswordHash(t, d, "a", 1, "")
		wantCustomers(t, d, "b", newCustomer(1, 0))
	})
}

func TestDeleteCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0))
		update(t, d, func(tx *db.Tx) error { return dropCustomer(tx, "a", 2) })
		wantCustomers(t, d, "a", newCustomer(1, 0), newCustomer(3, 0))
		wantPasswordHash(t, d, "a", 2, "")
	})
}

// fillStore makes a store with two groups, three customers and an address.
func fillStore(t *testing.T, d *db.DB, store string) {
	t.Helper()
	addStores(t, d, store)
	byDefault := newGroup(2, "default")
	byDefault.IsDefault = true
	addGroups(t, d, store, newGroup(1, "first"), byDefault)
	for group := range int64(3) {
		update(t, d, func(tx *db.Tx) error {
			id, err := tx.NextCustomerID(store)
			if err != nil {
				return err
			}
			return tx.InsertCustomer(store, newCustomer(id, group), "hash of "+store)
		})
	}
	update(t, d, func(tx *db.Tx) error {
		id, err := tx.NextAddressID(store)
		if err != nil {
			return err
		}
		return tx.InsertAddress(store, newAddress(id, 1))
	})
}

// wantFilled fails unless the store is as fillStore left it.
func wantFilled(t *testing.T, d *db.DB, store string) {
	t.Helper()
	wantCustomers(t, d, store, newCustomer(1, 0), newCustomer(2, 1), newCustomer(3, 2))
	wantPasswordHash(t, d, store, 1, "hash of "+store)
	wantAddresses(t, d, store, 1, newAddress(1, 1))
	wantMembers(t, d, store, map[int64]int64{1: 1, 2: 1})
	view(t, d, func(tx *db.Tx) error {
		id, err := tx.CustomerIDByEmail(store, newCustomer(1, 0).Email)
		if id != 1 || err != nil {
			t.Errorf("the email of customer 1 of %s belongs to %d (%v)", store, id, err)
		}
		return err
	})
	// These two lock what they find, which only who writes can.
	update(t, d, func(tx *db.Tx) error {
		byDefault, err := tx.DefaultGroupID(store)
		if byDefault != 2 || err != nil {
			t.Errorf("the default group of %s is %d (%v)", store, byDefault, err)
		}
		for group, want := range map[int64]bool{0: false, 1: true, 2: true, 3: false} {
			if has, err := tx.HasGroup(store, group); has != want || err != nil {
				t.Errorf("%s has group %d: %v (%v)", store, group, has, err)
			}
		}
		return nil
	})
}

// Two merchants with the same ids, emails and groups: whatever one does, the
// other does not notice.
func TestCustomersOfTwoStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fillStore(t, d, "a")
		fillStore(t, d, "b")
		for i, fn := range []func(*db.Tx) error{
			func(tx *db.Tx) error { return tx.UpdateCustomer("a", newCustomer(1, 0), fullCustomer(1), "new") },
			func(tx *db.Tx) error { return dropCustomer(tx, "a", 2) },
			func(tx *db.Tx) error { return tx.UpdateAddress("a", fullAddress(1, 1)) },
			func(tx *db.Tx) error { return tx.DeleteAddresses("a", 1) },
			func(tx *db.Tx) error { _, err := depart(tx, "a", 2, 1); return err },
		} {
			if err := d.Update(t.Context(), fn); err != nil {
				t.Errorf("change %d: %v", i, err)
			}
			wantFilled(t, d, "b")
		}

		// A store that gets the hash of a deleted one finds nothing of it.
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantFilled(t, d, "b")
		fillStore(t, d, "a")
		wantFilled(t, d, "a")
	})
}
