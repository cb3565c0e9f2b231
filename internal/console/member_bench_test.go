package console

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// BenchmarkMembers is a page of the list of 100 000 customers, first without a filter, then in
// the middle of a group, and by e-mail address. The goal is less than 50 ms.
func BenchmarkMembers(b *testing.B) {
	f := newFixture(b)
	f.api(b, "POST", "/v2/customer_groups", `{"name":"Wholesale"}`)
	err := f.db.Update(b.Context(), func(tx *db.Tx) error {
		for id := range int64(100_000) {
			c := cohort.Customer{ID: id + 1, Email: fmt.Sprintf("c%d@example.com", id), FirstName: "Ann", LastName: "Lee", GroupID: 1}
			if err := tx.InsertCustomer(f.store.Key, c, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, query := range map[string]string{"first": "", "group": "?group=1&after=50000", "email": "?q=c70000@example.com", "last": "?before=100001"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f.get(b, f.path("members")+query)
			}
		})
	}
}
