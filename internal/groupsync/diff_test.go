package groupsync_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/groupsync"

	"github.com/google/go-cmp/cmp"
)

// lines are the changes of a plan as texts.
func lines(p *groupsync.Plan) (all []string) {
	for _, c := range p.Changes {
		line := fmt.Sprintf("%s %s %s", c.Action, c.Kind, c.Name)
		for _, f := range c.Fields {
			line += fmt.Sprintf("; %s: %s -> %s", f.Name, f.From, f.To)
		}
		if c.Members > 0 {
			line += fmt.Sprintf("; %d members", c.Members)
		}
		all = append(all, line)
	}
	return all
}

func compare(t testing.TB, c *client.Client, d *groupsync.Document, prune bool) *groupsync.Plan {
	t.Helper()
	p, err := groupsync.Compare(t.Context(), c, d, groupsync.Options{Prune: prune})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What an edit of a file changes, without and with the deletion of what is not in it.
func TestCompare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, now string // a part of the file, and what replaces it
		want, pruned   []string
	}{
		{"nothing", "", "", nil, nil},
		{"an amount", "amount: 1.25", "amount: 1.5", []string{"update customer_group Dealers; discount_rules: 1.25 on product No SKU; 5 % off on category Clothing / Women / Shirts -> 1.5 on product No SKU; 5 % off on category Clothing / Women / Shirts"}, nil},
		{"the spelling of an amount", "amount: 1.25", "amount: '1.2500'", nil, nil},
		{"the order of rules", "- {type: category, category_id: 21, method: percent, amount: 5}\n  - {type: product, product_id: No SKU, method: fixed, amount: 1.25}",
			"- {type: product, product_id: No SKU, method: fixed, amount: 1.25}\n  - {type: category, category_id: 21, method: percent, amount: 5}", nil, nil},
		{"access", "category_access: {type: none}", "category_access: {type: specific, categories: [Rest]}", []string{"update customer_group Guests; category_access: none -> outlet tree: Rest"}, nil},
		{"a name", "name: Staff", "name: Crew", []string{"create customer_group Crew"}, []string{"delete customer_group Staff"}},
		{"the case of a name", "name: Staff", "name: STAFF", []string{"update customer_group STAFF; name: Staff -> STAFF"}, nil},
		{"a flag", "is_default: true", "is_default: false", []string{"update customer_group Staff; is_default: true -> false"}, nil},
		{"a price list", "name: Other\n  active: false\n", "name: Other\n", []string{"update price_list Other; active: false -> true"}, nil},
		{"a price", "price: 20\n    sale_price: 18.5\n", "price: 21\n", []string{"update price_record Trade: LINEN in usd; price: 20 -> 21; sale_price: 18.5 -> none"}, nil},
		{"a record", "  - {variant_id: TEE-S, currency: eur, price: 7, map_price: 6}\n", "", nil, []string{"delete price_record Trade: TEE-S in eur"}},
		{"a currency", "currency: eur", "currency: gbp", []string{"create price_record Trade: TEE-S in gbp"}, []string{"delete price_record Trade: TEE-S in eur"}},
		{"an assignment", "  - {customer_group_id: Listed, channel_id: Till}\n", "", nil, []string{"delete assignment Trade to group Listed in channel till"}},
		{"a customer", "first_name: Ann", "first_name: Anne", []string{"update customer ann@example.com; first_name: Ann -> Anne"}, nil},
		{"the group of a customer", ", customer_group_id: Dealers", "", []string{"update customer ann@example.com; customer_group_id: dealers -> none"}, nil},
	}
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, everything)
		file := s.pull(t)
		for _, tt := range tests {
			if !strings.Contains(file, tt.old) {
				t.Fatalf("%s: the file has no %q:\n%s", tt.name, tt.old, file)
			}
			edited := parse(t, strings.Replace(file, tt.old, tt.now, 1))
			if diff := cmp.Diff(tt.want, lines(compare(t, s.Client, edited, false))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
			both := slices.Concat(tt.want, tt.pruned)
			got := lines(compare(t, s.Client, edited, true))
			slices.Sort(both)
			slices.Sort(got)
			if diff := cmp.Diff(both, got); diff != "" {
				t.Errorf("%s, with prune (-want +got):\n%s", tt.name, diff)
			}
		}
	})
}

// A section, and a field of a price list, that is not in the file is left alone.
func TestAbsentIsNotEmpty(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, everything)
		for text, want := range map[string]int{
			"":                    0,
			"customer_groups: []": 4,
			"price_lists: []":     2,
			"price_lists: [{name: Trade}, {name: Other, active: false}]":                               0,
			"price_lists: [{name: Trade, records: []}, {name: Other, active: false, assignments: []}]": 3,
			"price_lists: [{name: Trade, assignments: []}, {name: Other, active: false}]":              3,
		} {
			if got := lines(compare(t, s.Client, parse(t, text), true)); len(got) != want {
				t.Errorf("%q: %d changes, want %d: %q", text, len(got), want, got)
			}
		}
	})
}

// What the store lacks and Apply does not create is a problem, which is found first.
func TestProblems(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, "products:\n- {name: Twice, type: physical, weight: 1, price: 1}\n- {name: Twice, type: physical, weight: 1, price: 1}\n- {name: Tee, sku: TEE, type: physical, weight: 1, price: 1}\n")
		const file = `
channels: [{id: 9, name: Till, type: pos, platform: square}]
category_trees: [{id: 3, name: Outlet, channels: [Till]}]
products:
- {name: Twice, type: physical, weight: 1, price: 1}
- {name: Tee, sku: TEE, type: physical, weight: 1, price: 1, variants: [{sku: TEE-S, option_values: [{option_display_name: Size, label: S}]}]}
price_lists: [{name: Trade, records: [{variant_id: TEE-S, currency: usd, price: 1}], assignments: [{channel_id: Till}]}]
`
		p := compare(t, s.Client, parse(t, file), false)
		want := []string{
			`The store has no channel "Till". Create it first.`,
			`The store has no category tree "Outlet". Create it first.`,
			`The product "Tee" of the store has no variant TEE-S. Create it first.`,
			`The store has more than one product "Twice", and none of them has a SKU.`,
		}
		slices.Sort(want)
		slices.Sort(p.Problems)
		if diff := cmp.Diff(want, p.Problems); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A comparison changes nothing: it sends GET only.
func TestCompareOnlyReads(t *testing.T) {
	t.Parallel()
	s := httpShop(t, everything)
	var methods []string
	c := s.client(t, func(r *http.Request) (*http.Response, error) {
		methods = append(methods, r.Method)
		return http.DefaultTransport.RoundTrip(r)
	})
	file := strings.ReplaceAll(pullFrom(t, c), "amount: 5", "amount: 6")
	compare(t, c, parse(t, file), true)
	if slices.ContainsFunc(methods, func(m string) bool { return m != "GET" }) {
		t.Errorf("the requests are %v", methods)
	}
}
