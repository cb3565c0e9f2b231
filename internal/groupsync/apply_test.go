package groupsync_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/groupsync"

	"github.com/google/go-cmp/cmp"
)

// apply makes the changes of a plan.
func apply(t testing.TB, c *client.Client, p *groupsync.Plan) {
	t.Helper()
	if _, err := groupsync.Apply(t.Context(), c, p, func(int) {}); err != nil {
		t.Fatalf("%v %v", err, p.Problems)
	}
}

// A store that is applied to an empty one has the same file, and nothing is left to change.
func TestApplyToEmpty(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		from, to := newShop(t, d, "a"), newShop(t, d, "b")
		from.seed(t, everything)
		// Apply creates neither channels nor trees.
		to.seed(t, "channels:\n- {name: Till, type: pos, platform: square}\ncategory_trees:\n- {name: Outlet tree, channels: [Till]}\n")
		file := from.pull(t)
		p := compare(t, to.Client, parse(t, file), false)
		if len(p.Changes) < 15 {
			t.Errorf("%d changes", len(p.Changes))
		}
		apply(t, to.Client, p)
		if diff := cmp.Diff(withoutIDs(t, file), withoutIDs(t, to.pull(t))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if p := compare(t, to.Client, parse(t, file), true); len(p.Changes) > 0 {
			t.Errorf("left to change: %+v", p.Changes)
		}
	})
}

// withoutIDs is a file whose ids count from 1 in each section: they differ between stores.
func withoutIDs(t testing.TB, text string) string {
	t.Helper()
	d := parse(t, text)
	channels, trees, categories, products := numbers{1: 1}, numbers{1: 1}, numbers{}, numbers{}
	variants, lists, groups := numbers{}, numbers{}, numbers{}
	for i, c := range d.Channels {
		d.Channels[i].ID = channels.add(c.ID)
	}
	for i, tree := range d.Trees {
		d.Trees[i].ID = trees.add(tree.ID)
		channels.replace(tree.Channels)
	}
	for _, c := range d.Categories {
		categories.add(c.ID)
	}
	for i, c := range d.Categories {
		d.Categories[i].ID, d.Categories[i].ParentID, d.Categories[i].TreeID = categories.of(c.ID), categories.of(c.ParentID), trees.of(c.TreeID)
	}
	for i, p := range d.Products {
		d.Products[i].ID, d.Products[i].BaseID = products.add(p.ID), variants.add(p.BaseID)
		categories.replace(p.Categories)
		for j, v := range p.Variants {
			p.Variants[j].ID = variants.add(v.ID)
		}
	}
	for i, l := range d.Lists {
		d.Lists[i].ID = lists.add(l.ID)
	}
	for i, g := range d.Groups {
		d.Groups[i].ID = groups.add(g.ID)
		categories.replace(g.Access.Categories)
		for j, r := range g.Rules {
			g.Rules[j].CategoryID, g.Rules[j].ProductID, g.Rules[j].PriceListID = categories.of(r.CategoryID), products.of(r.ProductID), lists.of(r.PriceListID)
		}
	}
	for _, l := range d.Lists {
		for j, r := range l.Records {
			l.Records[j].VariantID = variants.of(r.VariantID)
		}
		for j, a := range l.Assignments {
			l.Assignments[j].Group, l.Assignments[j].Channel = groups.of(a.Group), channels.of(a.Channel)
		}
	}
	for i, c := range d.Customers {
		d.Customers[i].ID, d.Customers[i].Group = int64(i)+1, groups.of(c.Group)
	}
	return write(t, d)
}

// numbers are the new ids of old ones.
type numbers map[int64]int64

func (n numbers) add(id int64) int64 {
	if n[id] == 0 {
		n[id] = int64(len(n)) + 1
	}
	return n[id]
}

// of is the new id of a reference. One to what the file has not stays.
func (n numbers) of(id int64) int64 {
	if known, ok := n[id]; ok {
		return known
	}
	return id
}

func (n numbers) replace(ids []int64) {
	for i, id := range ids {
		ids[i] = n.of(id)
	}
}

// A group has rules or price lists, and an edit turns either into the other.
func TestRulesInsteadOfLists(t *testing.T) {
	t.Parallel()
	const ruled = "customer_groups: [{name: A, discount_rules: [{type: all, method: percent, amount: 1}]}]\nprice_lists: [{name: Trade}, {name: Other}]\n"
	const listed = "customer_groups: [{name: A}]\nprice_lists: [{name: Trade, assignments: [{customer_group_id: A}]}, {name: Other}]\n"
	const other = "customer_groups: [{name: A, discount_rules: [{type: price_list, price_list_id: Other}]}]\nprice_lists: [{name: Trade}, {name: Other}]\n"
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, ruled)
		for _, text := range []string{listed, ruled, other, listed, other, ruled} {
			want := parse(t, text)
			p := compare(t, s.Client, want, false)
			if len(p.Changes) == 0 {
				t.Errorf("nothing to change for\n%s", text)
			}
			apply(t, s.Client, p)
			if p := compare(t, s.Client, want, false); len(p.Changes) > 0 {
				t.Errorf("left to change: %q for\n%s", lines(p), text)
			}
		}
	})
}

// Every edit of a file is applied, and what it removes goes with prune only.
func TestApplyEdits(t *testing.T) {
	t.Parallel()
	const after = `
categories: [{name: Clothing}, {name: Hats, parent_id: Clothing}]
products:
- {name: Linen shirt, type: physical, sku: LINEN, weight: 0.2, price: 29.95}
- {name: Hat, type: physical, weight: 1, price: 30, categories: [Hats]}
price_lists:
- name: Trade
  records: [{variant_id: LINEN, currency: usd, price: 21}]
  assignments: [{customer_group_id: Staff}]
- {name: New, records: [{variant_id: LINEN, currency: eur, sale_price: 3}], assignments: []}
customer_groups:
- {name: DEALERS, discount_rules: [{type: product, product_id: Hat, method: fixed, amount: 2}], is_default: true}
- {name: Staff, category_access: {type: specific, categories: [Hats]}}
- {name: Fresh, is_group_for_guests: true}
customers:
- {first_name: Ann, last_name: Lee, email: Ann@example.com, customer_group_id: Staff}
- {first_name: New, last_name: One, email: new@example.com, customer_group_id: Fresh, company: Co}
`
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		s.seed(t, everything)
		apply(t, s.Client, compare(t, s.Client, parse(t, after), false))
		if got := s.pull(t); !strings.Contains(got, "name: Listed") || !strings.Contains(got, "TEE-S") {
			t.Errorf("something was deleted without prune:\n%s", got)
		}
		p := compare(t, s.Client, parse(t, after), true)
		for _, c := range p.Changes {
			if c.Action != groupsync.Delete {
				t.Errorf("left to change: %q", lines(p))
			}
		}
		apply(t, s.Client, p)
		if p := compare(t, s.Client, parse(t, after), true); len(p.Changes) > 0 {
			t.Errorf("left to change after prune: %q", lines(p))
		}
		if got := s.pull(t); strings.Contains(got, "name: Listed") || strings.Contains(got, "TEE-S") || !strings.Contains(got, "no@example.com") {
			t.Errorf("after prune:\n%s", got)
		}
	})
}

// A change of a database is all or nothing.
func TestApplyInOneTransaction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d, "a")
		before := s.pull(t)
		// The product does not exist, which only the store knows.
		want := parse(t, "categories: [{name: New}]\ncustomer_groups: [{name: A}, {name: B, discount_rules: [{type: product, product_id: 999, method: fixed, amount: 2}]}]\n")
		change := func(want *groupsync.Document) error {
			return s.svc.ChangeStore(t.Context(), s.store.Key, func(ctx context.Context) error {
				p, err := groupsync.Compare(ctx, s.Client, want, groupsync.Options{})
				if err != nil {
					return err
				}
				_, err = groupsync.Apply(ctx, s.Client, p, func(int) {})
				return err
			})
		}
		stopped, ok := errors.AsType[*groupsync.Stopped](change(want))
		if !ok || stopped.Done != 2 || len(stopped.Left) != 1 || stopped.Failed.Name != "B" {
			t.Errorf("the error is %+v", stopped)
		}
		if after := s.pull(t); after != before {
			t.Errorf("the store is now\n%s", after)
		}
		if err := change(parse(t, everythingButTrees)); err != nil {
			t.Fatal(err)
		}
		if p := compare(t, s.Client, parse(t, everythingButTrees), true); len(p.Changes) > 0 {
			t.Errorf("left to change: %q", lines(p))
		}
	})
}

// everythingButTrees is a file that can be applied to a new store.
var everythingButTrees = strings.NewReplacer(
	"channels:\n- {id: 7, name: Till, type: pos, platform: square}\ncategory_trees:\n- {id: 4, name: Outlet tree, channels: [Till]}\n", "",
	", tree_id: Outlet tree", "", "  - {customer_group_id: Listed, channel_id: Till}\n", "", "  - {channel_id: Till}\n", "",
).Replace(everything)

// An apply that is cut off at any request, before or after the server has got it, ends in the
// same state when it is run again.
func TestApplyThatIsCutOff(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(map[bool]string{false: "before", true: "after"}[after], func(t *testing.T) {
			t.Parallel()
			s := httpShop(t, "customer_groups: [{name: Old}]\nprice_lists: [{name: Gone}]\n")
			want := parse(t, everythingButTrees)
			writes, failAt := 0, 0
			c := s.client(t, func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/0") {
					return http.DefaultTransport.RoundTrip(r)
				}
				writes++
				if writes != failAt {
					return http.DefaultTransport.RoundTrip(r)
				}
				if after {
					res, err := http.DefaultTransport.RoundTrip(r)
					if err != nil {
						return nil, err
					}
					res.Body.Close()
				}
				return nil, errors.New("the line is cut")
			})
			runs := 0
			for done := false; !done; runs++ {
				writes, failAt = 0, 1+runs%3
				p := compare(t, c, want, true)
				_, err := groupsync.Apply(t.Context(), c, p, func(int) {})
				if stopped, ok := errors.AsType[*groupsync.Stopped](err); ok && stopped.Done+len(stopped.Left) != len(p.Changes) {
					t.Errorf("%d done and %d left of %d", stopped.Done, len(stopped.Left), len(p.Changes))
				}
				done = err == nil
				if runs > 100 {
					t.Fatalf("after 100 runs: %v, left %q", err, lines(p))
				}
			}
			if runs < 4 {
				t.Errorf("only %d runs", runs)
			}
			if p := compare(t, c, want, true); len(p.Changes) > 0 {
				t.Errorf("left to change: %q", lines(p))
			}
			whole := httpShop(t, everythingButTrees)
			if diff := cmp.Diff(withoutIDs(t, pullFrom(t, whole.client(t, http.DefaultTransport.RoundTrip))), withoutIDs(t, pullFrom(t, c))); diff != "" {
				// What only the seed has, such as a product that no group names, is not pulled.
				t.Errorf("(-seed +applied):\n%s", diff)
			}
		})
	}
}

// A token that may not write is found before anything is changed.
func TestApplyWithoutScope(t *testing.T) {
	t.Parallel()
	s := httpShop(t, "")
	for _, scopes := range [][]cohort.Scope{
		{cohort.ScopeCustomers, cohort.ScopeProductsRead}, {cohort.ScopeCustomersRead, cohort.ScopeProducts}, {cohort.ScopeCustomersRead, cohort.ScopeProductsRead},
	} {
		c := newClient(t, s.Server, s.hash, s.NewToken(t, s.hash, scopes...))
		p := compare(t, c, parse(t, "price_lists: [{name: Trade}]\ncustomer_groups: [{name: A}]"), false)
		_, err := groupsync.Apply(t.Context(), c, p, func(int) {})
		if !errors.Is(err, client.ErrForbidden) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%v: the error is %v", scopes, err)
		}
		if n := len(parse(t, pullFrom(t, c)).Groups); n != 0 {
			t.Errorf("%v: the store has %d groups", scopes, n)
		}
	}
}

// A plan with a problem changes nothing.
func TestApplyWithProblem(t *testing.T) {
	t.Parallel()
	s := httpShop(t, "")
	c := s.client(t, http.DefaultTransport.RoundTrip)
	p := compare(t, c, parse(t, "channels: [{name: Till}]\ncustomer_groups: [{name: A}]"), false)
	if _, err := groupsync.Apply(t.Context(), c, p, func(int) {}); !errors.Is(err, groupsync.ErrProblems) {
		t.Errorf("the error is %v", err)
	}
	if p := compare(t, c, parse(t, "customer_groups: []"), true); len(p.Changes) != 0 {
		t.Errorf("the store has %q", lines(p))
	}
}

// The server says 500 in the middle: the changes before are made, and the others are left.
func TestApplyWith500(t *testing.T) {
	t.Parallel()
	s := httpShop(t, "")
	c := s.client(t, http.DefaultTransport.RoundTrip)
	s.Faults(s.hash).Set(t, `{"operation":"createGroup","skip":1,"times":1,"action":{"status":500}}`)
	want := parse(t, "price_lists: [{name: Trade, assignments: [{customer_group_id: B}]}]\ncustomer_groups: [{name: A}, {name: B}]")
	_, err := groupsync.Apply(t.Context(), c, compare(t, c, want, false), func(int) {})
	stopped, ok := errors.AsType[*groupsync.Stopped](err)
	if !ok || stopped.Done != 2 || len(stopped.Left) != 2 || !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	apply(t, c, compare(t, c, want, false))
	if p := compare(t, c, want, true); len(p.Changes) > 0 {
		t.Errorf("left to change: %q", lines(p))
	}
}
