package server_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// customerConcurrencyLimits are the concurrency limits of operations of V3 on customers
// and their addresses in the vendor's reference.
var customerConcurrencyLimits = []limitedOperation{
	{"POST", "/customers", `[{"email":"#@example.com","first_name":"A","last_name":"B"}]`, 0},
	{"PUT", "/customers", `[{"id":1,"company":"#"}]`, 3},
	{"POST", "/customers/addresses", `[{"customer_id":1,"first_name":"A","last_name":"B","address1":"# Main St","city":"Austin","state_or_province":"Texas","postal_code":"73301","country_code":"US"}]`, 10},
	{"PUT", "/customers/addresses", `[{"id":1,"company":"#"}]`, 3},
}

// Each operation admits as many concurrent requests as the reference says.
func TestConcurrencyLimitsOfCustomers(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		_, err := f.Service.CreateCustomer(t.Context(), f.vars["store"], cohort.CustomerUpdate{
			FirstName: new("A"), LastName: new("B"), Email: new("a@example.com"),
		})
		if err != nil {
			t.Fatal(err)
		}
		token := f.Token(t, f.vars["store"], cohort.ScopeCustomers)
		for _, g := range customerConcurrencyLimits {
			t.Run(g.method+" "+g.path, func(t *testing.T) { g.check(t, f, token) })
		}
	})
}
