package service_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// eachWithoutDeadlocks runs a test as eachEngine does. On PostgreSQL a deadlock is an
// error there: the server does not resolve it, and one of the statements times out.
func eachWithoutDeadlocks(t *testing.T, fn func(t *testing.T, s *fixture)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, address string) { fn(t, newFixture(t, dbtest.Open(t, withoutDeadlocks(address)))) })
}

func withoutDeadlocks(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return address
	}
	q := u.Query()
	q.Set("deadlock_timeout", "1h")
	q.Set("lock_timeout", "0")
	q.Set("statement_timeout", "5s")
	// A cascade then deletes rows in the order of an index, as in a large table.
	q.Set("enable_seqscan", "off")
	q.Set("enable_bitmapscan", "off")
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *fixture) attributes(t testing.TB, names ...string) (ids []int64) {
	t.Helper()
	attributes := make([]cohort.Attribute, len(names))
	for i, name := range names {
		attributes[i] = cohort.Attribute{Name: name, Type: cohort.AttributeString}
	}
	created, err := s.CreateAttributes(t.Context(), "a", attributes)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range created {
		ids = append(ids, a.ID)
	}
	return ids
}

func (s *fixture) values(t testing.TB, f cohort.AttributeValueFilter) (values collected[cohort.AttributeValue]) {
	t.Helper()
	n, err := s.ReadAttributeValues(t.Context(), "a", f, cohort.Page{Number: 1, Size: 10_000}, &values)
	if err != nil || n != int64(len(values)) {
		t.Errorf("a list of %d values has the total %d, error %v", len(values), n, err)
	}
	return values
}

// newCustomers creates customers and returns their ids.
func (s *fixture) newCustomers(t testing.TB, n int, prefix string) (ids []int64) {
	t.Helper()
	for i := range n {
		ids = append(ids, s.create(t, ada(fmt.Sprint(prefix, ".", i, "@example.com"))).ID)
	}
	return ids
}

// wantItemErrors fails unless the error is nil or that of items that are invalid.
func wantItemErrors(t testing.TB, err error) {
	t.Helper()
	if _, ok := errors.AsType[cohort.ItemErrors](err); err != nil && (!ok || cohort.KindOf(err) != cohort.KindInvalid) {
		t.Errorf("%v: %v", cohort.KindOf(err), err)
	}
}

// Concurrent creates leave no store with more attributes than it can have.
func TestConcurrentCreatesOfAttributes(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		for range 4 {
			s.attributes(t, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
		}
		const each, callers = 3, 8 // 40 + 3 * 3 = 49
		succeeded := 0
		for _, err := range together(callers, func(i int) error {
			_, err := s.CreateAttributes(t.Context(), "a", slices.Repeat([]cohort.Attribute{{Name: fmt.Sprint("x", i), Type: cohort.AttributeDate}}, each))
			return err
		}) {
			switch {
			case err == nil:
				succeeded++
			case !errors.Is(err, service.ErrTooManyAttributes):
				t.Error(err)
			}
		}
		var all collected[cohort.Attribute]
		n, err := s.ReadAttributes(t.Context(), "a", cohort.AttributeFilter{}, cohort.Page{Number: 1, Size: 100}, &all)
		if succeeded != 3 || n != 49 || len(all) != 49 || err != nil {
			t.Errorf("%d calls succeeded and there are %d attributes, %d in the list, error %v; want 3, 49 and 49", succeeded, n, len(all), err)
		}
	})
}

// Concurrent upserts of one value make one row, and each caller gets a value that was
// stored.
func TestConcurrentUpsertsOfAValue(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		for round := range testenv.Times(10, 3) {
			customer := s.newCustomers(t, 2, fmt.Sprint(round))
			attribute := s.attributes(t, "x", "y")
			const callers = 6
			seen := make([][]cohort.AttributeValue, callers)
			for _, err := range together(callers, func(i int) (err error) {
				value := fmt.Sprint(i)
				put := []cohort.AttributeValue{
					{CustomerID: customer[0], AttributeID: attribute[0], Value: value}, {CustomerID: customer[1], AttributeID: attribute[1], Value: value},
				}
				if i%2 == 1 {
					slices.Reverse(put)
				}
				seen[i], err = s.PutAttributeValues(t.Context(), "a", put)
				if i%2 == 1 {
					slices.Reverse(seen[i])
				}
				return err
			}) {
				if err != nil {
					t.Error(err)
				}
			}
			stored := s.values(t, cohort.AttributeValueFilter{CustomerIDs: customer})
			if len(stored) != 2 || stored[0].Value != stored[1].Value {
				t.Fatalf("stored %v, want two values of one call", stored)
			}
			for i, values := range seen {
				for n, v := range values {
					j := slices.IndexFunc(stored, func(s cohort.AttributeValue) bool { return s.ID == v.ID })
					if v.Value != fmt.Sprint(i) || v.CustomerID != customer[n] || j < 0 || stored[j].CustomerID != v.CustomerID {
						t.Errorf("call %d got %v; stored is %v", i, v, stored)
					}
				}
			}
		}
	})
}

// orphans returns how many values the database has whose attribute or customer does
// not exist.
func (s *fixture) orphans(t testing.TB) (n int64) {
	t.Helper()
	err := s.db.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM customer_attribute_values AS v WHERE store_hash = 'a' AND (
			NOT EXISTS (SELECT 1 FROM customers AS c WHERE c.store_hash = v.store_hash AND c.id = v.customer_id) OR
			NOT EXISTS (SELECT 1 FROM customer_attributes AS x WHERE x.store_hash = v.store_hash AND x.id = v.attribute_id AND x.date_deleted = 0))`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sweepOrphans sweeps until no value of deleted customers or attributes is left. On PostgreSQL
// the rollback of a refused request runs in the background, and until it has ended the sweep
// leaves out the attributes that the request has locked.
func (s *fixture) sweepOrphans(t testing.TB) {
	t.Helper()
	const patience = 10_000
	var n int64
	for range patience {
		if _, err := s.SweepAttributes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n = s.orphans(t); n == 0 {
			return
		}
	}
	t.Fatalf("the database has %d values of deleted customers or attributes", n)
}

// Values are set while their attributes and their customers are deleted, and swept. No
// value is left of what is deleted.
func TestUpsertsDuringDeletions(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		for round := range testenv.Times(20, 5) {
			customers := s.newCustomers(t, 4, fmt.Sprint(round))
			kept := s.newCustomers(t, 1, fmt.Sprint(round, "-kept"))
			attributes := s.attributes(t, "x", "y", "z")
			var all []cohort.AttributeValue
			for _, a := range slices.Backward(attributes) {
				if _, err := s.PutAttributeValues(t.Context(), "a", []cohort.AttributeValue{{CustomerID: kept[0], AttributeID: a, Value: "x"}}); err != nil {
					t.Fatal(err)
				}
				for _, c := range slices.Backward(append(customers, kept...)) {
					all = append(all, cohort.AttributeValue{CustomerID: c, AttributeID: a, Value: fmt.Sprint(round)})
				}
			}
			gone := attributes[1:]
			for _, err := range together(7, func(i int) error {
				switch i {
				case 0:
					return s.DeleteAttributes(t.Context(), "a", gone)
				case 1:
					return s.DeleteCustomersByID(t.Context(), "a", customers)
				case 2:
					_, err := s.SweepAttributes(t.Context())
					return err
				case 3:
					item := service.NewCustomer{CustomerUpdate: ada(fmt.Sprint(round, "-new@example.com"))}
					for _, a := range attributes {
						item.Attributes = append(item.Attributes, cohort.AttributeValue{AttributeID: a, Value: "new"})
					}
					_, err := s.CreateCustomers(t.Context(), "a", []service.NewCustomer{item})
					return err
				}
				for chunk := range slices.Chunk(all, 5) {
					if _, err := s.PutAttributeValues(t.Context(), "a", chunk); err != nil {
						wantItemErrors(t, err)
					}
				}
				return nil
			}) {
				wantItemErrors(t, err)
			}
			if left := s.values(t, cohort.AttributeValueFilter{CustomerIDs: customers}); len(left) > 0 {
				t.Fatalf("deleted customers have %v", left)
			}
			if left := s.values(t, cohort.AttributeValueFilter{AttributeIDs: gone}); len(left) > 0 {
				t.Fatalf("deleted attributes have %v", left)
			}
			s.sweepOrphans(t)
			if got := s.values(t, cohort.AttributeValueFilter{CustomerIDs: kept}); len(got) != 1 {
				t.Fatalf("the customer that is left has %v, want one value", got)
			}
		}
	})
}

// Values of attributes, addresses and form fields are deleted and set while their
// customers are deleted. Values have ids in another order than their customers and
// attributes, so that transactions which lock them in a different order would deadlock.
func TestDeletionsOfCustomersAndTheirData(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		attributes := s.attributes(t, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
		for round := range testenv.Times(20, 6) {
			customers := s.newCustomers(t, 8, fmt.Sprint(round))
			var values, addresses []int64
			var fields []cohort.FormField
			for _, c := range slices.Backward(customers) {
				for _, a := range slices.Backward(attributes) {
					put, err := s.PutAttributeValues(t.Context(), "a", []cohort.AttributeValue{{CustomerID: c, AttributeID: a, Value: "x"}})
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, put[0].ID)
				}
				for range 3 {
					addresses = append(addresses, s.addAddress(t, c, atHome()).ID)
				}
				value := cohort.FormValue{Type: cohort.FormText}
				fields = append(fields, cohort.FormField{CustomerID: c, Name: "b", Value: value}, cohort.FormField{CustomerID: c, Name: "a", Value: value},
					cohort.FormField{AddressID: addresses[len(addresses)-1], Name: "a", Value: value})
			}
			for _, err := range together(8, func(i int) error {
				switch i {
				case 0:
					return s.DeleteCustomersByID(t.Context(), "a", customers)
				case 1, 2:
					return s.DeleteAttributeValues(t.Context(), "a", values)
				case 3, 4:
					return s.DeleteAddressesByID(t.Context(), "a", addresses)
				case 5:
					return s.DeleteCustomers(t.Context(), "a", cohort.CustomerFilter{}, 5)
				case 6:
					return s.DeleteAttributes(t.Context(), "a", []int64{attributes[round%len(attributes)]})
				}
				return s.PutFormFields(t.Context(), "a", fields)
			}) {
				wantItemErrors(t, err)
			}
			for more := true; more; {
				var err error
				if more, err = s.SweepAttributes(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.orphans(t); n != 0 {
				t.Fatalf("the database has %d values of deleted customers or attributes", n)
			}
			attributes[round%len(attributes)] = s.attributes(t, "again")[0]
		}
	})
}

// A deletion of customers meets another transaction that holds a row in the middle of
// their data, and a second call that deletes or changes this data in the order of its ids.
// The rows have the ids in the opposite order of the index by which the deletion of the
// customers finds them. If the call locked these rows first, the two would wait for each
// other.
func TestDeletionOfCustomersLocksFirst(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	s := newFixture(t, dbtest.Open(t, withoutDeadlocks(server.URL())))
	for name, tt := range map[string]struct {
		hold string // locks the row $2
		call func(ids []int64) error
	}{
		"DeleteAttributeValues": {
			"SELECT id FROM customer_attribute_values WHERE store_hash = $1 AND id = $2 FOR UPDATE",
			func(ids []int64) error { return s.DeleteAttributeValues(t.Context(), "a", ids) },
		},
		"SweepAttributes": {
			"SELECT id FROM customer_attribute_values WHERE store_hash = $1 AND id = $2 FOR UPDATE",
			func([]int64) error { _, err := s.SweepAttributes(t.Context()); return err },
		},
		"DeleteAddressesByID": {
			"SELECT id FROM customer_addresses WHERE store_hash = $1 AND id = $2 FOR UPDATE",
			func(ids []int64) error { return s.DeleteAddressesByID(t.Context(), "a", ids) },
		},
		"PutFormFields of addresses": {
			"SELECT id FROM customer_addresses WHERE store_hash = $1 AND id = $2 FOR UPDATE",
			func(ids []int64) error {
				var fields []cohort.FormField
				for _, id := range ids {
					fields = append(fields, cohort.FormField{AddressID: id, Name: "x", Value: cohort.FormValue{Type: cohort.FormText}})
				}
				wantItemErrors(t, s.PutFormFields(t.Context(), "a", fields))
				return nil
			},
		},
	} {
		customers := s.newCustomers(t, 3, strings.ReplaceAll(name, " ", "-"))
		attribute := s.attributes(t, "x")[0]
		var ids []int64
		for _, c := range slices.Backward(customers) {
			if strings.Contains(tt.hold, "customer_addresses") {
				ids = append(ids, s.addAddress(t, c, atHome()).ID)
				continue
			}
			put, err := s.PutAttributeValues(t.Context(), "a", []cohort.AttributeValue{{CustomerID: c, AttributeID: attribute, Value: "x"}})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, put[0].ID)
		}
		if name == "SweepAttributes" {
			if err := s.DeleteAttributes(t.Context(), "a", []int64{attribute}); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 2)
		err := s.db.Update(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(tt.hold, "a", ids[1]); err != nil {
				return err
			}
			go func() { ended <- s.DeleteCustomersByID(t.Context(), "a", customers) }()
			for server.Count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") < 1 && len(ended) == 0 {
				continue
			}
			go func() { ended <- tt.call(ids) }()
			for server.Count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") < 2 && len(ended) == 0 {
				continue
			}
			return nil
		})
		for range 2 {
			err = errors.Join(err, <-ended)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
