package groupsync_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"cohort.example/cohort/internal/groupsync"
)

// A mistake in a file is found with its line and column.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"section", "customer_groups: []\ncustomer_gruops:\n- {name: A}", "line 3, column 1: customer_gruops: There is no such section. Did you mean customer_groups?"},
		{"field of a group", "customer_groups:\n- name: A\n  discount_rule: []", "line 3, column 18: customer_groups[0].discount_rule: There is no such field. Did you mean discount_rules?"},
		{"field of a rule", "customer_groups:\n- {name: A, discount_rules: [{type: all, methd: percent, amount: 5}]}", "line 2, column 49: customer_groups[0].discount_rules[0].methd: There is no such field. Did you mean method?"},
		{"value", "customer_groups:\n- {name: A, discount_rules: [{type: all, method: percnt, amount: 5}]}", "line 2, column 50: customer_groups[0].discount_rules[0].method: The value must be one of percent, price, fixed. Did you mean percent?"},
		{"reference", "price_lists:\n- name: Trade\ncustomer_groups:\n- {name: A, discount_rules: [{type: price_list, price_list_id: Trode}]}", "line 4, column 64: customer_groups[0].discount_rules[0].price_list_id: The file has no price list \"Trode\". Did you mean Trade?"},
		{"ambiguous reference", "categories: [{name: A}, {name: B}, {name: A, parent_id: B}, {name: C, parent_id: A}]", "The file has more than one category \"A\"; give the id."},
		{"number", "customer_groups:\n- {name: A, discount_rules: [{type: all, method: percent, amount: five}]}", "amount: The value must be a number."},
		{"name twice", "customer_groups: [{name: A}, {name: a}]", `two customer groups have the name "a"`},
		{"no name", "customer_groups: [{id: 3}]", "customer_groups[0].name: The field is required."},
		{"id twice", "customer_groups: [{id: 3, name: A}, {id: 3, name: B}]", "The id 3 is there twice."},
		{"id of the tool", "customer_groups: [{id: -1, name: A}]", "An id is a whole number from 1 on."},
		{"two default groups", "customer_groups: [{name: A, is_default: true}, {name: B, is_default: true}]", "Another group is the default group"},
		{"record twice", "price_lists: [{name: A, records: [{variant_id: 4, currency: usd}, {variant_id: 4, currency: USD}]}]", "Another record of the list has this variant and currency."},
		{"record of nothing", "price_lists: [{name: A, records: [{currency: usd}]}]", "variant_id: The field is required."},
		{"assignment of nothing", "price_lists: [{name: A, assignments: [{}]}]", "An assignment needs a group, a channel or both."},
		{"assignment twice", "customer_groups: [{name: G}]\nprice_lists: [{name: A, assignments: [{customer_group_id: G}]}, {name: B, assignments: [{customer_group_id: G}]}]", "price_lists[1].assignments[0]: Another assignment has this group and channel."},
		{"category below itself", "categories: [{name: A, parent_id: B}, {name: B, parent_id: A}]", "is below itself"},
		{"YAML", "customer_groups:\n- name: [A\nb: c", "line 3"},
		{"text", "hello", "The file must be an object of sections"},
		{"list", "customer_groups: {}", "The section must be a list."},
		{"item", "customer_groups: [A]", "The item must be an object."},
		{"part", "products: [{name: A, type: physical, variants: [B]}]", "The item must be an object."},
	} {
		_, err := groupsync.Parse([]byte(tt.text))
		if _, ok := errors.AsType[*groupsync.Mistake](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// What is read is written, and what is written is read as the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(`{"price_lists":[{"name":"A","records":[{"variant_id":4,"currency":"usd","price":"1e3"}]}]}`))
	f.Add([]byte("customer_groups: &a [{name: A, discount_rules: *a}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := groupsync.Parse(text)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := groupsync.Write(&first, d); err != nil {
			t.Fatal(err)
		}
		again, err := groupsync.Parse(first.Bytes())
		if err != nil {
			return // ids that a file without ids does not have are the tool's own
		}
		if err := groupsync.Write(&second, again); err != nil {
			t.Fatal(err)
		}
		if first.String() != second.String() {
			t.Errorf("written, read and written:\n%s\nbefore:\n%s", second.String(), first.String())
		}
	})
}
