package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// formOwners is a store with customers 1 to n, each with an address of the same id. Those
// for which has returns true have a form field, and so does their address.
func formOwners(t testing.TB, d *db.DB, n int, notes string, has func(id int64) bool) (customers []cohort.CustomerDetail, addresses []cohort.AddressDetail) {
	t.Helper()
	addStores(t, d, "a")
	var fields []cohort.FormField
	for id := range int64(n) {
		id++
		c := cohort.CustomerDetail{Customer: newCustomer(id, 0)}
		c.Notes = notes
		addCustomers(t, d, "a", c.Customer)
		a := cohort.AddressDetail{Address: newAddress(id, 1)}
		if has(id) {
			value := cohort.FormValue{Type: cohort.FormText, Text: fmt.Sprint(id)}
			c.FormFields = []cohort.FormField{newFormField(2*id, id, 0, "x", value)}
			a.FormFields = []cohort.FormField{newFormField(2*id+1, 0, id, "x", value)}
			fields = append(fields, c.FormFields[0], a.FormFields[0])
		}
		customers, addresses = append(customers, c), append(addresses, a)
	}
	for _, a := range addresses {
		addAddresses(t, d, "a", a.Address)
	}
	for chunk := range slices.Chunk(fields, 100) {
		putFormFields(t, d, "a", chunk...)
	}
	return customers, addresses
}

// readUpTo collects what read passes to its function, and stops after most rows.
func readUpTo[T any](most int, read func(fn func(T) bool) error) (rows []T, err error) {
	err = read(func(row T) bool {
		rows = append(rows, row)
		return len(rows) < most
	})
	return rows, err
}

// TestListsWithFormFields checks pages in which some rows have form fields, and readers
// that stop within a page.
func TestListsWithFormFields(t *testing.T) {
	const all = 130
	for name, has := range map[string]func(id int64) bool{
		"none": func(int64) bool { return false }, "all": func(int64) bool { return true },
		"the last": func(id int64) bool { return id == all }, "every third": func(id int64) bool { return id%3 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				customers, addresses := formOwners(t, d, all, strings.Repeat("n", 30_000), has)
				for _, tt := range []struct {
					page        cohort.Page
					from, until int
				}{
					{cohort.Page{Number: 1, Size: 250}, 0, all},
					{cohort.Page{Number: 1, Size: 1}, 0, 1},
					{cohort.Page{Number: 2, Size: 60}, 60, 120},
					{cohort.Page{Number: 3, Size: 60}, 120, all},
					{cohort.Page{Number: 4, Size: 60}, all, all},
					{cohort.Page{Number: 1, Size: 60, After: "65"}, 65, 125},
					{cohort.Page{Number: 1, Size: 60, Before: "100"}, 39, 99},
					{cohort.Page{Number: 1, Size: 60, After: "2", Before: "60"}, 2, 59},
				} {
					for _, most := range []int{1000, 1, 20, 51, 52} {
						view(t, d, func(tx *db.Tx) error {
							got, err := readUpTo(most, func(fn func(cohort.CustomerDetail) bool) error {
								return tx.ReadCustomers("a", cohort.CustomerFilter{}, tt.page, fn)
							})
							want := customers[tt.from:min(tt.until, tt.from+most)]
							if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
								t.Errorf("%+v up to %d rows (-want +got):\n%s", tt.page, most, diff)
							}
							return err
						})
						view(t, d, func(tx *db.Tx) error {
							got, err := readUpTo(most, func(fn func(cohort.AddressDetail) bool) error {
								return tx.ReadAddressDetails("a", cohort.AddressFilter{}, tt.page, fn)
							})
							want := addresses[tt.from:min(tt.until, tt.from+most)]
							if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
								t.Errorf("addresses, %+v up to %d rows (-want +got):\n%s", tt.page, most, diff)
							}
							return err
						})
					}
				}
			})
		})
	}
}

// TestStatementsOfFormFields checks that form fields cost a read that finds none no
// statement, and one for each 50 customers or addresses that have some.
func TestStatementsOfFormFields(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		formOwners(t, d, 220, "", func(id int64) bool { return id > 60 })
		statements := d.CountQueries()
		customers := func(number, size int) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				return tx.ReadCustomers("a", cohort.CustomerFilter{}, cohort.Page{Number: number, Size: size}, func(cohort.CustomerDetail) bool { return true })
			}
		}
		addresses := func(number, size int) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				return tx.ReadAddressDetails("a", addressesOf(1), cohort.Page{Number: number, Size: size}, func(cohort.AddressDetail) bool { return true })
			}
		}
		for name, tt := range map[string]struct {
			want int
			read func(tx *db.Tx) error
		}{
			"a customer without":  {1, func(tx *db.Tx) error { _, err := tx.CustomerDetail("a", 1); return err }},
			"a customer":          {2, func(tx *db.Tx) error { _, err := tx.CustomerDetail("a", 61); return err }},
			"an address without":  {1, func(tx *db.Tx) error { _, err := tx.Address("a", 1, 1); return err }},
			"an address":          {2, func(tx *db.Tx) error { _, err := tx.Address("a", 1, 61); return err }},
			"customers without":   {1, customers(1, 50)},
			"a page of customers": {2, customers(2, 49)},
			"all customers":       {4 * 2, customers(1, 250)},
			"addresses without":   {1, addresses(1, 50)},
			"a page of addresses": {2, addresses(2, 49)},
			"all addresses":       {4 * 2, addresses(1, 250)},
		} {
			before := statements()
			view(t, d, tt.read)
			if n := statements() - before; n != tt.want {
				t.Errorf("%s: %d statements, want %d", name, n, tt.want)
			}
		}
	})
}

// TestFormFieldsSetMeanwhile checks that a transaction that has waited for the row of a
// customer or an address sees the form fields that were set meanwhile.
func TestFormFieldsSetMeanwhile(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, s.URL())
	formOwners(t, d, 1, "", func(int64) bool { return false })
	text := cohort.FormValue{Type: cohort.FormText}
	for name, tt := range map[string]struct {
		set    cohort.FormField
		update func(tx *db.Tx) (has bool, err error)
	}{
		"customer": {newFormField(0, 1, 0, "x", text), func(tx *db.Tx) (bool, error) {
			found, err := tx.CustomersForUpdate("a", []int64{1})
			return found[1].HasForm, err
		}},
		"address": {newFormField(0, 0, 1, "x", text), func(tx *db.Tx) (bool, error) {
			a, err := tx.AddressForUpdate("a", 1, 1)
			return len(a.FormFields) == 1, err
		}},
	} {
		var has bool
		updated := make(chan error, 1)
		update(t, d, func(tx *db.Tx) error {
			if _, err := tx.LockCustomers("a", []int64{1}); err != nil {
				return err
			}
			if _, err := tx.AddressesForUpdate("a", []int64{1}); err != nil {
				return err
			}
			go func() {
				updated <- d.Update(context.Background(), func(tx *db.Tx) (err error) {
					has, err = tt.update(tx)
					return err
				})
			}()
			for s.Count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0 && len(updated) == 0 {
				continue
			}
			return tx.PutFormFields("a", []cohort.FormField{tt.set})
		})
		if err := <-updated; err != nil || !has {
			t.Errorf("the update sees the form field of the %s: %v, error %v", name, has, err)
		}
	}
}
