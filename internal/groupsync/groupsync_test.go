package groupsync_test

import (
	"bytes"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/groupsync"
	"cohort.example/cohort/internal/seed"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// shop is a store in a database.
type shop struct {
	*client.Client
	svc      *service.Service
	dialects []*api.Dialect
	store    cohort.Store
}

func newShop(t testing.TB, d *db.DB, hash string) *shop {
	t.Helper()
	svc := service.New(d)
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash, Catalog: cohort.CatalogManaged})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{svc: svc, dialects: server.Dialects(svc), store: st}
	if s.Client, err = groupsync.Direct(s.dialects, st); err != nil {
		t.Fatal(err)
	}
	return s
}

// seed replaces what the store has.
func (s *shop) seed(t testing.TB, text string) {
	t.Helper()
	root, err := seed.Parse([]byte(text))
	if err == nil {
		_, err = seed.Load(t.Context(), s.svc, s.dialects, s.store, root)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// pull returns the file of the store.
func (s *shop) pull(t testing.TB) string {
	t.Helper()
	return pullFrom(t, s.Client)
}

func pullFrom(t testing.TB, c *client.Client) string {
	t.Helper()
	d, notes, err := (&groupsync.Reader{Client: c, Customers: true}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notes {
		t.Log(n)
	}
	return write(t, d)
}

func write(t testing.TB, d *groupsync.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := groupsync.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func parse(t testing.TB, text string) *groupsync.Document {
	t.Helper()
	d, err := groupsync.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

const everything = `
channels:
- {id: 7, name: Till, type: pos, platform: square}
category_trees:
- {id: 4, name: Outlet tree, channels: [Till]}
categories:
- {id: 18, name: Clothing}
- {id: 19, name: Shirts, parent_id: Clothing}
- {id: 20, name: Women, parent_id: Clothing}
- {id: 21, name: Shirts, parent_id: Women}
- {id: 22, name: Rest, tree_id: Outlet tree}
- {name: Unused}
products:
- {id: 5, name: Linen shirt, type: physical, sku: LINEN, weight: 0.2, price: 29.95, categories: [19, 21]}
- {id: 6, name: No SKU, type: digital, weight: 0, price: 5}
- name: Tee
  type: physical
  sku: TEE
  weight: 1
  price: 10
  options: [{display_name: Size, type: rectangles, option_values: [{label: S, sort_order: 0}, {label: M, sort_order: 1}]}]
  variants:
  - {sku: TEE-S, price: 9, option_values: [{option_display_name: Size, label: S}]}
  - {id: 80, option_values: [{option_display_name: Size, label: M}]}
- {name: Unused, type: physical, weight: 1, price: 1, sku: UNUSED}
price_lists:
- name: Trade
  records:
  - {variant_id: LINEN, currency: usd, price: 20, sale_price: 18.5, bulk_pricing_tiers: [{quantity_min: 2, quantity_max: 0, type: price, amount: 1}]}
  - {variant_id: TEE-S, currency: eur, price: 7, map_price: 6}
  - {variant_id: 80, currency: usd, retail_price: 8}
  assignments:
  - {customer_group_id: Listed}
  - {customer_group_id: Listed, channel_id: Till}
  - {channel_id: Till}
- {name: Other, active: false}
customer_groups:
- {id: 3, name: Dealers, category_access: {type: specific, categories: [Clothing, 21, Rest]}, discount_rules: [{type: category, category_id: 21, method: percent, amount: 5}, {type: product, product_id: No SKU, method: fixed, amount: 1.25}]}
- {name: Staff, is_default: true, discount_rules: [{type: all, method: price, amount: 3}]}
- {name: Listed}
- {name: Guests, is_group_for_guests: true, category_access: {type: none}}
customers:
- {first_name: Ann, last_name: Lee, email: ann@example.com, customer_group_id: Dealers, notes: 'yes'}
- {first_name: No, last_name: Group, email: no@example.com}
`

// A file that is pulled names everything that belongs to the groups, and nothing else.
func TestPull(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, everything)
		got := s.pull(t)
		if strings.Contains(got, "Unused") {
			t.Errorf("the file has what no group names:\n%s", got)
		}
		for _, want := range []string{"variant_id: TEE-S", "customer_group_id: Dealers", "channel_id: Till", "category_id: 21", "- {id: 22, name: Rest, tree_id: Outlet tree}"} {
			if !strings.Contains(got, want) {
				t.Errorf("the file has no %q:\n%s", want, got)
			}
		}
		// The file is a seed, and says the same when it is loaded, read and written again.
		if diff := cmp.Diff(got, write(t, parse(t, got))); diff != "" {
			t.Errorf("the file after it was parsed (-want +got):\n%s", diff)
		}
		other := newShop(t, d, "b")
		other.seed(t, got)
		if diff := cmp.Diff(got, other.pull(t)); diff != "" {
			t.Errorf("a store with this seed (-want +got):\n%s", diff)
		}
	})
}
