package apiv3

import (
	"encoding/json"
	"errors"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecodeAddresses sends bodies of creates. Every error must be a client error. An
// accepted address has its required fields, and the response to it decodes as an update
// to the same address.
func FuzzDecodeAddresses(f *testing.F) {
	const rest = `"customer_id":1,"first_name":"J","last_name":"M","address1":"1","city":"A","country_code":"US"`
	for _, body := range []string{
		``, `[]`, `{}`, `[{}]`, `[1,null]`,
		`[{` + rest + `}]`,
		`[{` + rest + `,"id":"x","country":7,"company":null,"phone":null,"address_type":"commercial","state_or_province":"Texas","postal_code":"1"}]`,
		`[{` + rest + `,"address2":"<&>\u2028","address_type":null},{` + rest + `,"customer_id":2}]`,
		`[{` + rest + `,"customer_id":"1"},{` + rest + `,"customer_id":1.5},{` + rest + `,"customer_id":null}]`,
		`[{` + rest + `,"street_1":"V2","first_name":["x"]}]`,
		`[{` + rest + `,"country_code":"\ud800"}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		items, err := decodeNewAddresses(post(body))
		if err != nil {
			mustBeClientError(t, body, err)
			return
		}
		if len(items) == 0 || len(items) > maxAddresses {
			t.Errorf("%q: %d addresses", body, len(items))
		}
		for _, item := range items {
			u := item.AddressUpdate
			if u.FirstName == nil || u.LastName == nil || u.Street1 == nil || u.City == nil || u.CountryISO2 == nil {
				t.Errorf("%q: a required field is missing from %+v", body, u)
			}
			want := u.Apply(cohort.Address{ID: 7, CustomerID: item.CustomerID})
			if diff := cmp.Diff(want, sentBack(t, want)); diff != "" {
				t.Errorf("%q: the response differs from the address (-address +response):\n%s", body, diff)
			}
		}
	})
}

// sentBack returns the address of an update that has the response to a.
func sentBack(t *testing.T, a cohort.Address) cohort.Address {
	t.Helper()
	body, err := json.Marshal([]addressWire{addressToWire(a)})
	if err != nil {
		t.Fatal(err)
	}
	items, err := decodeAddressUpdates(post(string(body)))
	if err != nil || len(items) != 1 {
		t.Fatalf("%s: %d items, error %v", body, len(items), err)
	}
	return items[0].Apply(cohort.Address{ID: items[0].ID, CustomerID: items[0].CustomerID})
}

// Every field of the domain that a dialect names otherwise has its V3 name in an error.
func TestAddressErrorsInV3(t *testing.T) {
	for field, want := range map[string]string{
		"street_1": "address1", "street_2": "address2", "state": "state_or_province", "zip": "postal_code",
		"country_iso2": "country_code", "city": "city", "id": "id",
	} {
		err := inV3(cohort.ItemErrors{3: cohort.Invalid(field, "reason")})
		wantError(t, field, withTitle("Title", err), 422, "Title", `"3.`+want+`":"reason"`)
	}
	internal := errors.New("internal")
	if err := inV3(internal); err != internal { //nolint:errorlint // it must be the same error
		t.Errorf("got %v", err)
	}
}

func TestReadNewAddresses(t *testing.T) {
	const one = `{"first_name":"J","last_name":"M","address1":"1","city":"A","country_code":"US","customer_id":9}`
	read := func(text string) ([]int64, error) {
		v, err := parseBody(post(text))
		if err != nil {
			t.Fatal(err)
		}
		items, err := readNewAddresses(v)
		var customers []int64
		for _, item := range items {
			customers = append(customers, item.CustomerID)
		}
		return customers, err
	}
	// The customer is new, so an id of a customer is ignored.
	if got, err := read(`[` + one + `,` + one + `]`); err != nil || !cmp.Equal(got, []int64{0, 0}) {
		t.Errorf("got %v, error %v", got, err)
	}
	if got, err := read(`[]`); err != nil || len(got) != 0 {
		t.Errorf("got %v, error %v", got, err)
	}
	eleven := `[` + one
	for range maxAddresses {
		eleven += `,` + one
	}
	for text, want := range map[string]string{
		`{}`:         `"":"error.expected.jsarray"`,
		eleven + `]`: `"":"A customer may be created with at most 10 addresses."`,
		`[{},` + one + `]`: `"address1":"error.path.missing","city":"error.path.missing","country_code":"error.path.missing",` +
			`"first_name":"error.path.missing","last_name":"error.path.missing"`,
	} {
		_, err := read(text)
		var failed failures
		failed.add("addresses", err)
		_, body, _ := written(failed.err())
		if want := prefixed(want); !cmp.Equal(body, want) {
			t.Errorf("%.60s: %s\nwant %s", text, body, want)
		}
	}
}

// prefixed returns the response to errors in the addresses of a customer.
func prefixed(reasons string) string {
	var paths map[string]string
	if err := json.Unmarshal([]byte("{"+reasons+"}"), &paths); err != nil {
		panic(err) // the reasons are constants
	}
	in := map[string]string{}
	for path, reason := range paths {
		in[join("addresses", path)] = reason
	}
	text, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return `{"status":422,"title":"` + titleInvalid + `","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":` + string(text) + `}`
}
