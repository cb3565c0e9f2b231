package apiv3

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecodeCustomers checks that every body of a create or update of customers is decoded
// or refused as the client's fault, and that an update reads what a create reads.
func FuzzDecodeCustomers(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `[7]`,
		`[{"email":"a@example.com","first_name":"A","last_name":"B"}]`,
		`[{"id":1,"email":"a@example.com","first_name":"A","last_name":"B","company":null,"customer_group_id":9223372036854775808}]`,
		`[{"email":"a","first_name":"","last_name":"\ud800","authentication":{"force_password_reset":true,"new_password":"x"}}]`,
		`[{"email":"a","first_name":"A","last_name":"B","store_credit_amounts":[{"amount":1e64}],"channel_ids":[1,1,2]}]`,
		`[{"email":"a","first_name":"A","last_name":"B","store_credit_amounts":[],"channel_ids":[],"channel_ids":null}]`,
		`[{"email":"a","first_name":"A","last_name":"B","addresses":[{"first_name":"A","last_name":"B","address1":"1","city":"C","country_code":"US"}]}]`,
		`[{"email":"a","first_name":"A","last_name":"B","attributes":[{"attribute_id":1,"attribute_value":"x"}],"form_fields":[{"name":"n","value":["a"]}]}]`,
		`[{},{},{},{},{},{},{},{},{},{},{}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		created, err := decodeNewCustomers(post(body))
		mustBeClientError(t, body, err)
		changed, updateErr := decodeCustomerChanges(post(body))
		mustBeClientError(t, body, updateErr)
		if err != nil || updateErr != nil {
			return
		}
		for i := range created {
			want := created[i].CustomerUpdate
			want.OriginChannelID = nil // an update ignores it
			if diff := cmp.Diff(want, changed[i].CustomerUpdate); diff != "" {
				t.Errorf("%q is read differently in an update (-create +update):\n%s", body, diff)
			}
		}
	})
}
