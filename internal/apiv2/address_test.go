package apiv2

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/country"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecodeAddress decodes and validates bodies of a create. Every error must be a
// client error. The response of an accepted address must decode to the same address,
// including its country.
func FuzzDecodeAddress(f *testing.F) {
	const rest = `"first_name":"J","last_name":"M","phone":"","street_1":"1","city":"A","zip":"1",`
	for _, body := range []string{
		``,
		`{}`,
		`[{"first_name":"Jane"}]`,
		`{` + rest + `"state":"Texas","country":"United States"}`,
		`{` + rest + `"state":" ","country":"côte d'ivoire","company":"<&>\u2028","street_2":"2","address_type":"commercial"}`,
		`{` + rest + `"state":"","country":"UK"}`,
		`{` + rest + `"state":null,"country":"UK"}`,
		`{` + rest + `"state":"x","country":"St. Helena & the rest"}`,
		`{` + rest + `"state":"x","country":"\u0000Türkiye"}`,
		`{` + rest + `"state":"x","country":"US","customer_id":"7"}`,
		`{` + rest + `"state":"x","country":"US","customer_id":8}`,
		`{` + rest + `"state":"x","country":"US","address_type":"Residential"}`,
		`{` + rest + `"state":"x","country":"US","country_iso2":"US"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a, err := decodeNewAddress(body)
		if err != nil {
			mustBeClientError(t, err)
			return
		}
		var again addressBody
		decodeResponse(t, addressToWire(cohort.AddressDetail{Address: a}), &again, addressFields)
		if again.customerID == nil || *again.customerID != fuzzCustomer {
			t.Errorf("the response has customer %v", again.customerID)
		}
		if diff := cmp.Diff(a, again.Apply(cohort.Address{CustomerID: fuzzCustomer})); diff != "" {
			t.Errorf("the response differs from the address (-address +response):\n%s", diff)
		}
		// An update of another field looks up the stored country name again.
		if c, ok := country.Lookup(a.Country); ok {
			if same, _ := country.Lookup(c.Name); same.ISO2 != c.ISO2 {
				t.Errorf("%q is %s, and its name %q is %q", a.Country, c.ISO2, c.Name, same.ISO2)
			}
		}
	})
}

const fuzzCustomer = 7

// decodeNewAddress does what a create does before it looks up the country.
func decodeNewAddress(body string) (cohort.Address, error) {
	update, err := decodeAddress(&api.Request{Body: []byte(body)}, fuzzCustomer, requiredAddressFields...)
	if err != nil {
		return cohort.Address{}, err
	}
	a := update.Apply(cohort.Address{CustomerID: fuzzCustomer, Type: cohort.AddressResidential})
	return a, a.Validate()
}
