package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// waitingTransactions counts the transactions on PostgreSQL that wait for the end of
// another one of the same database.
const waitingTransactions = `SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND pid IN
	(SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))`

// Two batches write the same emails in opposite orders, while a third transaction has one
// in the middle. They do not wait for each other in a circle when it ends.
func TestBatchesOfTheSameEmails(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.MigratedPostgresURL(t))
	addStores(t, d, "a")
	const size = 8
	for _, updates := range []bool{false, true} {
		var batches [2][]db.CustomerWrite
		for i := range batches {
			for n := range int64(size) {
				w := db.CustomerWrite{Customer: newCustomer(int64(i)*size+n+1, 0), PasswordHash: "hash"}
				if w.Before = w.Customer; updates {
					addCustomers(t, d, "a", w.Customer)
				}
				if i == 1 {
					n = size - 1 - n
				}
				w.Email = fmt.Sprint(n, "@example.com")
				batches[i] = append(batches[i], w)
			}
		}
		var attempts [2]int
		write := func(i int) error {
			return d.Update(context.Background(), func(tx *db.Tx) error {
				attempts[i]++
				do := tx.InsertCustomers
				if updates {
					do = tx.UpdateCustomers
				}
				if err := do("a", batches[i]); err != nil {
					return err
				}
				return errors.Join(flush(tx), errTest) // rolls back, so that the other one succeeds too
			})
		}
		errs := make(chan error, len(batches))
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			other := newCustomer(99, 0)
			other.Email = "4@example.com"
			if err := tx.InsertCustomer("a", other, "hash"); err != nil {
				return err
			}
			for i := range batches {
				go func() { errs <- write(i) }()
			}
			for waiting := 0; waiting < len(batches) && len(errs) == 0; {
				if err := tx.QueryRow(waitingTransactions).Scan(&waiting); err != nil {
					return err
				}
			}
			return errTest
		})
		for range batches {
			if err := <-errs; !errors.Is(err, errTest) {
				t.Error(err)
			}
		}
		if !errors.Is(err, errTest) || attempts != [2]int{1, 1} {
			t.Errorf("updates: %v, %v attempts, want one of each batch; error %v", updates, attempts, err)
		}
	}
}

// TestStatementsOfCustomers checks that the number of statements of a batch does not
// depend on the number of its customers.
func TestStatementsOfCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: fmt.Sprint(i), IsDefault: i == 0}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := svc.CreateAttributes(t.Context(), "a", []cohort.Attribute{{Name: "x", Type: cohort.AttributeString}}); err != nil {
			t.Fatal(err)
		}
		ctx := withoutEvents(t, svc, "a")
		statements := d.CountQueries()
		count := func(do func() error) int {
			t.Helper()
			before := statements()
			if err := do(); err != nil {
				t.Fatal(err)
			}
			return statements() - before
		}
		var ids []int64
		made := 0
		create := func(n int) int {
			return count(func() error {
				items := make([]service.NewCustomer, n)
				for i := range items {
					made++
					items[i] = newBatchCustomer(made)
				}
				created, err := svc.CreateCustomers(ctx, "a", items)
				for _, c := range created {
					ids = append(ids, c.ID)
				}
				return err
			})
		}
		update := func(n int) int {
			return count(func() error {
				items := make([]service.CustomerChange, n)
				for i := range items {
					group := int64(3) // that none of them is in
					items[i] = service.CustomerChange{ID: ids[i], FormFields: newBatchCustomer(0).FormFields, CustomerUpdate: cohort.CustomerUpdate{
						GroupID: &group, Email: new(fmt.Sprintf("u%d.%d@example.com", n, ids[i])),
					}}
				}
				_, err := svc.UpdateCustomers(ctx, "a", items)
				return err
			})
		}
		remove := func(n int) int {
			return count(func() error {
				gone := ids[:n]
				ids = ids[n:]
				return svc.DeleteCustomersByID(ctx, "a", gone)
			})
		}
		create(1) // the first create of a store reads its counter
		for _, c := range []struct {
			name string
			do   func(n int) int
			most int
		}{{"create", create, 15}, {"update", update, 11}, {"delete", remove, 5}} {
			create(10)
			create(10)
			one, five, ten := c.do(1), c.do(5), c.do(10)
			if one > five || five != ten || ten > c.most {
				t.Errorf("%s: %d statements for one customer, %d for five and %d for ten, want at most %d, and as many for five as for ten",
					c.name, one, five, ten, c.most)
			}
		}
	})
}

// newBatchCustomer returns a customer in the default group or, if n is odd, in group 2,
// with all parts.
func newBatchCustomer(n int) service.NewCustomer {
	c := service.NewCustomer{CustomerUpdate: cohort.CustomerUpdate{
		FirstName: new("A"), LastName: new("B"), Email: new(fmt.Sprint(n, "@example.com")),
	}}
	if n%2 == 1 {
		c.GroupID = new(int64(2))
	}
	c.Addresses = []service.AddressItem{{AddressUpdate: cohort.AddressUpdate{
		FirstName: new("A"), LastName: new("B"), Street1: new("1 Main St"), City: new("Austin"), State: new("Texas"), Zip: new("73301"), CountryISO2: new("US"),
	}}}
	c.Attributes = []cohort.AttributeValue{{AttributeID: 1, Value: "x"}}
	c.FormFields = []cohort.FormField{{Name: "x", Value: cohort.FormValue{Type: cohort.FormText, Text: "x"}}}
	return c
}
