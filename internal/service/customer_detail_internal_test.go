package service

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// TestPartsTakeFixedStatements checks that the parts of a batch take as many statements
// as those of one customer.
func TestPartsTakeFixedStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dbtest.AddStores(t, d, "a")
		var customers []cohort.Customer
		for id := range int64(detailBatch) {
			customers = append(customers, dbtest.NewCustomer(id+1, 0))
		}
		dbtest.AddCustomers(t, d, "a", customers...)
		all := CustomerParts{Addresses: true, Attributes: true, FormFields: true, ShopperProfile: true, Segments: true}
		for parts, want := range map[CustomerParts]int{
			{}: 0, {Addresses: true}: 2, {Attributes: true}: 2, {FormFields: true}: 1, {ShopperProfile: true}: 1, {Segments: true}: 1, all: 7,
		} {
			for _, n := range []int{1, detailBatch} {
				dbtest.View(t, d, func(tx *db.Tx) error {
					got := 0
					tx.Trace(func(string, []any) { got++ })
					if _, err := parts.read(tx, "a", customers[:n]); err != nil {
						return err
					}
					if got != want {
						t.Errorf("%+v of %d customers take %d statements, want %d", parts, n, got, want)
					}
					return nil
				})
			}
		}
	})
}

// fillScans takes the places of all lists that may compare all customers or products of a
// store, until the test ends.
func fillScans(t *testing.T, s *Service) {
	t.Helper()
	for range maxScans {
		done, err := s.awaitScan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(done)
	}
}

// TestCustomerScansWaitForEachOther lets the lists that may compare all customers run.
// Another one waits until its request ends, and a list with an index does not wait.
func TestCustomerScansWaitForEachOther(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		dbtest.AddStores(t, d, "a")
		s := New(d)
		fillScans(t, s)
		read := func(ctx context.Context, f cohort.CustomerFilter) error {
			_, err := s.ReadCustomerDetails(ctx, "a", CustomerQuery{CustomerFilter: f}, dbtest.OnePage, &rowSlice[cohort.CustomerDetail]{})
			return err
		}
		ended, end := context.WithCancel(t.Context())
		end()
		for name, f := range map[string]cohort.CustomerFilter{
			"part of a name": {NameParts: []string{"x"}}, "name": {Names: []string{"x"}}, "company": {Companies: []string{"x"}},
			"phone": {Phones: []string{"x"}}, "address": {RegistrationIPAddresses: []string{"x"}},
		} {
			if err := read(ended, f); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
		for name, f := range map[string]cohort.CustomerFilter{
			"all": {}, "id": {IDs: []int64{1}, NameParts: []string{"x"}}, "email": {Emails: []string{"x"}}, "group": {GroupIDs: []int64{1}},
		} {
			if err := read(t.Context(), f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
