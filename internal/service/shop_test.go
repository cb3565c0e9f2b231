package service_test

import (
	"fmt"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// shop is the store "a" of a service.
type shop struct {
	*service.Service
	db    *db.DB
	clock *clock
}

// newShop makes the stores "a" and "b".
func newShop(t *testing.T, d *db.DB) *shop {
	t.Helper()
	c := newClock()
	return &shop{newService(t, d, []string{"a", "b"}, service.WithClock(c.Now)), d, c}
}

// eachShop runs a test on a service with an empty database of each engine.
func eachShop(t *testing.T, fn func(t *testing.T, s *shop)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newShop(t, d)) })
}

// later moves the clock and returns what it shows.
func (s *shop) later(by time.Duration) time.Time {
	s.clock.Set(s.clock.Now().Add(by))
	return s.clock.Now()
}

func (s *shop) group(t testing.TB, g cohort.Group) int64 {
	t.Helper()
	g.Name = "x"
	g, err := s.CreateGroup(t.Context(), "a", g)
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

// ada is what a customer needs at least.
func ada(email string) cohort.CustomerUpdate {
	return cohort.CustomerUpdate{FirstName: new("Ada"), LastName: new("Lovelace"), Email: &email}
}

func (s *shop) create(t testing.TB, u cohort.CustomerUpdate) cohort.Customer {
	t.Helper()
	c, err := s.CreateCustomer(t.Context(), "a", u)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *shop) customers(t testing.TB, f cohort.CustomerFilter) []cohort.Customer {
	t.Helper()
	customers, err := s.ListCustomers(t.Context(), "a", f, cohort.Page{Number: 1, Size: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.CountCustomers(t.Context(), "a", f); n != int64(len(customers)) || err != nil {
		t.Errorf("the count is %d (%v), the list has %d", n, err, len(customers))
	}
	return customers
}

// wantCustomers fails unless the store has exactly these customers.
func (s *shop) wantCustomers(t testing.TB, want ...cohort.Customer) {
	t.Helper()
	if diff := cmp.Diff(want, s.customers(t, cohort.CustomerFilter{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("customers (-want +got):\n%s", diff)
	}
}

// fill adds customers straight to the database, in one transaction, to a group.
func fill(t testing.TB, d *db.DB, store string, group int64, customers int) (ids []int64) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		for range customers {
			id, err := tx.NextCustomerID(store)
			if err != nil {
				return err
			}
			c := ada(fmt.Sprint(id, "@filled.example")).Apply(cohort.Customer{ID: id, GroupID: group, DateCreated: t0, DateModified: t0})
			if err := tx.InsertCustomer(store, c, ""); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
