package server_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// customerDataConcurrencyLimits are the concurrency limits of operations on attributes,
// their values and form fields in the vendor's reference.
var customerDataConcurrencyLimits = []limitedOperation{
	{"POST", "/customers/attributes", `[{"name":"a#","type":"string"}]`, 3},
	{"PUT", "/customers/attributes", `[{"id":1,"name":"b#"}]`, 3},
	{"PUT", "/customers/attribute-values", `[{"attribute_id":1,"customer_id":1,"value":"#"}]`, 3},
	{"PUT", "/customers/form-field-values", `[{"customer_id":1,"name":"c#","value":"#"}]`, 10},
	{"GET", "/customers/attribute-values", "", 0},
}

// Each operation admits as many concurrent requests as the reference says.
func TestConcurrencyLimitsOfCustomerData(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		dbtest.AddCustomers(t, d, f.vars["store"], dbtest.NewCustomer(1, 0))
		_, err := f.Service.CreateAttributes(t.Context(), f.vars["store"], []cohort.Attribute{{Name: "x", Type: cohort.AttributeString}})
		if err != nil {
			t.Fatal(err)
		}
		token := f.Token(t, f.vars["store"], cohort.ScopeCustomers)
		for _, g := range customerDataConcurrencyLimits {
			t.Run(g.method+" "+g.path, func(t *testing.T) { g.check(t, f, token) })
		}
	})
}
