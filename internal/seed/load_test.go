package seed_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/seed"
)

// A mistake in a seed is an error with its line, and changes nothing.
func TestMistakes(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	tests := []struct{ name, text, want string }{
		{"text", "hello", "Line 1: A seed is an object of sections, such as customer_groups."},
		{"list", "- a", "Line 1: A seed is an object of sections, such as customer_groups."},
		{"bad YAML", "a: [1\nb: 2", "The text is not valid YAML"},
		{"two documents", "store: {}\n---\nstore: {}", "A seed is one YAML document."},
		{"tab", "store:\n\tname: x", "Line 2: The text is not valid YAML"},
		{"section", "customer_groups: []\ngroups: []", "Line 2: groups: There is no such section."},
		{"type of a section", "\ncustomers: {}", "Line 2: customers: The section must be a list."},
		{"type of the store", "store: []", "Line 1: store: The section must be an object."},
		{"item", "customers:\n- x", "Line 2: customers[0]: The item must be an object."},
		{"inner item", "customers:\n- email: a@example.com\n  addresses:\n  - 5", "Line 4: customers[0].addresses[0]: The item must be an object."},
		{"field twice", "customer_groups:\n- name: a\n  name: b", "Line 3"},
		{"section twice in JSON", `{"customers":[],` + "\n" + `"customers":[]}`, "Line 2: customers: The field is there twice."},
		{"merge key", "a: &x {b: 1}\nc:\n  <<: *x", "Line 3: Merge keys (<<) are not supported."},
		{"anchor in itself", "a: &x\n  b: *x", "contains itself"},
		{"too deep", "a: " + deep, "Values are nested at most 32 deep."},
		{"number of YAML", "customer_groups:\n- name: 0x10", "is not a number as JSON has it"},
		{"unknown field", "customer_groups:\n- name: a\n  colour: red", "Line 3: customer_groups[0].colour: The field"},
		{"unknown field of a customer", "customers:\n- {first_name: a, last_name: b, email: a@example.com,\n   middle: c}", "Line 3: customers[0].middle: The field is not supported."},
		{"unknown field of a part", "customers:\n- first_name: a\n  last_name: b\n  email: a@example.com\n  addresses:\n  - {first_name: a, last_name: b, address1: s, city: c, state_or_province: Texas, postal_code: '1', country_code: US, floor: 3}",
			"Line 6: customers[0].addresses[0].floor: The field is not supported."},
		{"unknown field of the store", "store:\n  nam: x", "Line 2: store.nam: There is no such field."},
		{"invalid field of the store", "store:\n  currency: EURO", "Line 2: store.currency: "},
		{"missing field", "customers:\n- {last_name: b, email: a@example.com}", "Line 2: customers[0].first_name: The field is required."},
		{"invalid value", "customer_groups:\n- name: a\n  discount_rules:\n  - {type: all, method: percent, amount: 500}", "Line 4: customer_groups[0].amount: A percentage must not be more than 100."},
		{"no such group", "customers:\n- first_name: a\n  last_name: b\n  email: a@example.com\n  customer_group_id: Dealers",
			`Line 5: customers[0].customer_group_id: The seed has no customer group with the name "Dealers".`},
		{"no such group by id", "customers:\n- first_name: a\n  last_name: b\n  email: a@example.com\n  customer_group_id: 9", "Line 5: customers[0].customer_group_id: "},
		{"ambiguous name", "categories:\n- name: A\n- name: B\n- {name: A, parent_id: B}\n- {name: C, parent_id: A}",
			`Line 5: categories[3].parent_id: The seed has more than one category with the name "A"; give an id.`},
		{"id twice", "customer_groups:\n- {id: 3, name: a}\n- {id: 3, name: b}", "Line 3: customer_groups[1].id: The id 3 is there twice, also in line 2."},
		{"id of an address twice", "customers:\n- {email: a, addresses: [{id: 3}]}\n- {email: b, addresses: [{id: 3}]}", "Line 3: customers[1].addresses[0].id: The id 3 is there twice, also in line 2."},
		{"id 0", "customer_groups:\n- {id: 0, name: a}", "Line 2: customer_groups[0].id: An id is a whole number from 1 on."},
		{"text as an id", "customer_groups:\n- {id: '1', name: a}", "An id is a whole number from 1 on."},
		{"huge id", "customer_groups:\n- {id: 9007199254740993, name: a}", "An id is a whole number from 1 on."},
		{"name twice", "customer_groups:\n- name: Same\n- name: same ", "Line 3: customer_groups[1].name: "},
		{"email twice", "customers:\n- {first_name: a, last_name: b, email: a@example.com}\n- {first_name: a, last_name: b, email: A@example.com}", "Line 3: customers[1]: Error creating customers: email A@example.com already in use"},
		{"category below itself", "categories:\n- {name: A, parent_id: B}\n- {name: B, parent_id: A}", "Line 2: categories[0].parent_id: The category is below itself."},
		{"date", "customer_groups:\n- name: a\n  date_created: yesterday", "Line 3: customer_groups[0].date_created: The value must be a date"},
		{"year 9999", "customer_groups:\n- name: a\n  date_created: 9999-01-01T00:00:00Z", "Line 3: customer_groups[0].date_created: The value must be a date"},
		{"record without a variant", "price_lists:\n- name: a\n  records:\n  - {variant_id: X, currency: usd, price: 1}", `Line 4: price_lists[0].records[0].variant_id: The seed has no variant with the sku "X".`},
		{"member", "segments:\n- name: a\n  members: [true]", "Line 3: segments[0].members[0]: The value must be the id or the email of a customer."},
		{"owner", "hooks:\n- scope: store/sku/*\n  destination: https://a.example/\n  token: nobody", "Line 4: hooks[0].token: The store has no such token"},
		{"scope", "hooks:\n- destination: https://a.example/\n  scope: store/zebra", "Line 3: hooks[0].scope: There is no such scope."},
		{"no scope", "hooks:\n- destination: https://a.example/", "hooks[0].scope: The field is required."},
		{"hook twice", "hooks:\n- {destination: 'https://a.example/', scope: store/sku/*}\n- {destination: 'https://a.example/', scope: store/sku/*}", "Line 3: hooks[1].destination: Another webhook has this scope and this destination."},
		{"too many items", "customer_groups: [" + strings.Repeat("{},", seed.MaxItems) + "{}]", fmt.Sprintf("A seed has at most %d items.", seed.MaxItems)},
		{"too large", strings.Repeat(" ", seed.MaxBytes+1), "A seed has at most 16 MiB."},
	}
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d, "a")
		if _, err := s.load(t, "customer_groups: [{name: Kept}]\ncustomers: [{first_name: a, last_name: b, email: k@example.com}]"); err != nil {
			t.Fatal(err)
		}
		before := s.export(t)
		for _, tt := range tests {
			_, err := s.load(t, tt.text)
			if _, ok := errors.AsType[*seed.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		if after := s.export(t); after != before {
			t.Errorf("the store is now\n%s", after)
		}
	})
}

// An alias may not make a small text a huge seed.
func TestAliasesAreBounded(t *testing.T) {
	text := "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
	for i := 1; i < 9; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	if _, err := seed.Parse([]byte(text)); err == nil {
		t.Error("a text that stands for a thousand million values was read")
	}
}
