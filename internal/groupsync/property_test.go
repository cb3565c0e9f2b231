package groupsync_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/groupsync"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn draws a store, as a seed.
func drawn(t *rapid.T) string {
	word := func(label string) string {
		return rapid.SampledFrom([]string{"a", "Ünï", "x / y", "'q'", "yes", "0x1", "#3", "é: b", "- c", "12"}).Draw(t, label)
	}
	one := func(label string, of int) int { return rapid.IntRange(0, of-1).Draw(t, label) }
	var b strings.Builder
	categories, products, lists, groups := 1+one("categories", 4), 1+one("products", 4), one("lists", 4), 1+one("groups", 5)
	b.WriteString("categories:\n")
	used := map[string]bool{}
	for i := range categories {
		parent := ""
		if i > 0 && rapid.Bool().Draw(t, "child") {
			parent = fmt.Sprintf(", parent_id: %d", 10+one("parent", i))
		}
		name := word("category")
		if used[name+parent] { // categories of one name have different parents
			name = fmt.Sprint(name, i)
		}
		used[name+parent] = true
		fmt.Fprintf(&b, "- {id: %d, name: %q%s}\n", 10+i, name, parent)
	}
	b.WriteString("products:\n")
	for i := range products {
		sku := ""
		if rapid.Bool().Draw(t, "sku") {
			sku = fmt.Sprintf(", sku: 'S%d'", i)
		}
		fmt.Fprintf(&b, "- {id: %d, name: %q, type: physical, weight: 1, price: %d.5, categories: [%d], base_variant: {id: %d}%s}\n",
			30+i, fmt.Sprint(word("product"), i), i, 10+one("category", categories), 80+i, sku)
	}
	free := map[int]bool{} // the groups without rules
	var text strings.Builder
	for i := range groups {
		rule := rapid.SampledFrom([]string{
			"", fmt.Sprintf("{type: category, category_id: %d, method: percent, amount: 7.25}", 10+one("category", categories)),
			fmt.Sprintf("{type: product, product_id: %d, method: fixed, amount: 3}", 30+one("product", products)), "{type: all, method: price, amount: 0.5}",
		}).Draw(t, "rule")
		free[i] = rule == ""
		access := rapid.SampledFrom([]string{"", ", category_access: {type: none}", fmt.Sprintf(", category_access: {type: specific, categories: [%d]}", 10+one("seen", categories))}).Draw(t, "access")
		fmt.Fprintf(&text, "- {id: %d, name: %q, discount_rules: [%s]%s, is_default: %t}\n", 50+i, fmt.Sprint(word("group"), i), rule, access, i == 0)
	}
	if lists > 0 {
		b.WriteString("price_lists:\n")
	}
	for i := range lists {
		var records, assignments []string
		for j := range products {
			if rapid.Bool().Draw(t, "record") {
				records = append(records, fmt.Sprintf("{variant_id: %d, currency: %s, price: %d.25}", 80+j, rapid.SampledFrom([]string{"usd", "eur"}).Draw(t, "currency"), j))
			}
		}
		for j := range groups {
			if free[j] && rapid.Bool().Draw(t, "assigned") {
				free[j] = false
				assignments = append(assignments, fmt.Sprintf("{customer_group_id: %d}", 50+j))
			}
		}
		fmt.Fprintf(&b, "- {name: %q, active: %t, records: [%s], assignments: [%s]}\n", fmt.Sprint(word("list"), i), i != 1, strings.Join(records, ", "), strings.Join(assignments, ", "))
	}
	return b.String() + "customer_groups:\n" + text.String()
}

// A store that is pulled and applied to an empty one, over a connection that breaks at random
// places, has the same file.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		runs, most := 0, testenv.Times(40, 4)
		rapid.Check(t, func(rt *rapid.T) {
			if runs++; runs > most {
				return
			}
			from, to := newShop(t, d, fmt.Sprint("from", runs)), newShop(t, d, fmt.Sprint("to", runs))
			text := drawn(rt)
			from.seed(t, text)
			file := from.pull(t)
			want := parse(t, file)
			broken := breaking(rt, t, to)
			for tries := 0; ; tries++ {
				err := follow(t, broken, want)
				if err == nil {
					break
				}
				if !errors.Is(err, errBroken) || tries > 200 {
					rt.Fatalf("after %d tries: %v\n%s", tries, err, file)
				}
			}
			if diff := cmp.Diff(withoutIDs(t, file), withoutIDs(t, to.pull(t))); diff != "" {
				rt.Fatalf("(-pulled +applied):\n%s", diff)
			}
		})
	})
}

var errBroken = errors.New("the connection broke")

// breaking returns a client for a store whose connection breaks before or after one request
// in twelve.
func breaking(rt *rapid.T, t *testing.T, s *shop) *client.Client {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
	own := groupsync.NewTransport(s.dialects, s.store)
	send := func(r *http.Request) (*http.Response, error) {
		place := random.IntN(24)
		if place == 0 {
			return nil, errBroken
		}
		res, err := own.RoundTrip(r)
		if place == 1 && err == nil {
			res.Body.Close()
			return nil, errBroken
		}
		return res, err
	}
	c, err := client.New(s.store.Hash, "token", client.WithBaseURL("http://cohort.invalid"), client.WithHTTPClient(&http.Client{Transport: transport(send)}),
		client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// follow makes a store what a document says.
func follow(t *testing.T, c *client.Client, want *groupsync.Document) error {
	t.Helper()
	p, err := groupsync.Compare(t.Context(), c, want, groupsync.Options{Prune: true})
	if err != nil {
		return err
	}
	_, err = groupsync.Apply(t.Context(), c, p, func(int) {})
	return err
}
