package service_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

func newMetafield(customer int64, key string) cohort.MetafieldUpdate {
	return cohort.MetafieldUpdate{CustomerID: customer, Namespace: new("n"), Key: &key, Value: new("v"), PermissionSet: new(cohort.Readable)}
}

// TestMetafieldsTogether creates the same keys several times at once, in both orders of
// the customers: each exists once afterwards, and no call fails as a whole.
func TestMetafieldsTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ctx := t.Context()
		dbtest.AddCustomers(t, d, "a", dbtest.NewCustomer(1, 0), dbtest.NewCustomer(2, 0))
		const calls = 8
		created, conflicts := make([]int, calls), make([]int, calls)
		for _, err := range together(calls, func(i int) error {
			list, wrong, err := svc.CreateMetafields(ctx, "a", "token", []cohort.MetafieldUpdate{
				newMetafield(int64(1+i%2), "k"), newMetafield(int64(2-i%2), "k"),
			})
			created[i] = len(list)
			for _, e := range wrong {
				if cohort.KindOf(e) == cohort.KindConflict {
					conflicts[i]++
				}
			}
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		all := 0
		for i := range calls {
			all += created[i]
			if created[i]+conflicts[i] != 2 {
				t.Errorf("call %d: %d created, %d conflicts", i, created[i], conflicts[i])
			}
		}
		if all != 2 {
			t.Errorf("%d created, want 2", all)
		}
	})
}

// TestMaxMetafieldsTogether checks that concurrent creates stop at the maximum.
func TestMaxMetafieldsTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		dbtest.AddCustomers(t, d, "a", dbtest.NewCustomer(1, 0))
		fill := func(call, size int) int {
			var us []cohort.MetafieldUpdate
			for n := range size {
				us = append(us, newMetafield(1, fmt.Sprint(call, "/", n)))
			}
			list, _, err := svc.CreateMetafields(t.Context(), "a", "token", us)
			if err != nil {
				t.Error(err)
			}
			return len(list)
		}
		if n := fill(0, cohort.MaxMetafields-15); n != cohort.MaxMetafields-15 {
			t.Fatalf("%d created", n)
		}
		counts := make([]int, 4)
		together(len(counts), func(i int) error { counts[i] = fill(i+1, 10); return nil })
		if all := counts[0] + counts[1] + counts[2] + counts[3]; all != 15 {
			t.Errorf("%v created, want 15 together", counts)
		}
	})
}
