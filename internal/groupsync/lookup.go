package groupsync

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"cohort.example/cohort/client"
)

// namesInRequest is how many SKUs or emails one request names. They are longer than ids.
const namesInRequest = 25

// target is a store that is compared with a document, and may be changed.
type target struct {
	*view
	ids ids
	// customers are those of the document that the store has, by their folded emails.
	customers map[string]Customer
	// problems are sentences about what the document needs and the store cannot have.
	problems []string
}

// ids are the ids of a store by their keys.
type ids struct {
	channels, trees, categories, products, variants, lists, groups map[string]int64
}

// readTarget reads a store, and finds in it what a document names.
func readTarget(ctx context.Context, r *Reader, want *view) (*target, []string, error) {
	have, notes, err := r.Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	t := &target{customers: map[string]Customer{}}
	for _, find := range []func(context.Context, *client.Client, *view, *Document) error{findChannels, findCategories, findProducts} {
		if err := find(ctx, r.Client, want, have); err != nil {
			return nil, nil, err
		}
	}
	if t.view, err = newView(have); err != nil {
		return nil, nil, err
	}
	t.ids = ids{
		channels: invert(t.channels), trees: invert(t.trees), categories: invert(t.categories), products: invert(t.products),
		variants: invert(t.variants), lists: invert(t.lists), groups: invert(t.groups),
	}
	t.ids.trees[""] = firstTree
	t.findProblems(want)
	return t, notes, t.findCustomers(ctx, r.Client, want)
}

// invert returns the ids of keys. The lowest one counts if several have a key.
func invert(keys map[int64]string) map[string]int64 {
	ids := make(map[string]int64, len(keys))
	for id, key := range keys {
		if other, ok := ids[key]; !ok || id < other {
			ids[key] = id
		}
	}
	return ids
}

// findChannels adds all channels of a store if a document has channels.
func findChannels(ctx context.Context, c *client.Client, want *view, have *Document) (err error) {
	if len(want.doc.Channels) > 0 {
		have.Channels, err = collect(allChannels(ctx, c))
	}
	return err
}

// findCategories adds all categories of a store if a document has categories.
func findCategories(ctx context.Context, c *client.Client, want *view, have *Document) (err error) {
	if len(want.doc.Categories) == 0 {
		return nil
	}
	if have.Categories, err = collect(allCategories(ctx, c)); err != nil || len(want.doc.Trees) == 0 {
		return err
	}
	have.Trees, err = collect(allTrees(ctx, c))
	return err
}

// findProducts adds the products of a store that a document has, by SKU or else by name.
func findProducts(ctx context.Context, c *client.Client, want *view, have *Document) error {
	known, at := map[string]bool{}, map[int64]bool{}
	for _, p := range have.Products {
		known[productKey(p)], at[p.ID] = true, true
	}
	var skus, names []string
	for _, p := range want.doc.Products {
		switch {
		case known[productKey(p)]:
		case p.SKU != "":
			skus = append(skus, p.SKU)
		default:
			names = append(names, p.Name)
		}
	}
	add := func(query url.Values) error {
		query.Set("include", "variants")
		for p, err := range list(ctx, c, "/v3/catalog/products", query, func(p productRow) int64 { return p.ID }) {
			if err != nil {
				return err
			}
			if !at[p.ID] {
				at[p.ID] = true
				have.Products = append(have.Products, p.product())
			}
		}
		return nil
	}
	for part := range slices.Chunk(skus, namesInRequest) {
		if err := add(url.Values{"sku:in": {strings.Join(part, ",")}}); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := add(url.Values{"name": {name}}); err != nil {
			return err
		}
	}
	return nil
}

func collect[T any](rows iter.Seq2[T, error]) (all []T, err error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// findCustomers finds the customers that a document has.
func (t *target) findCustomers(ctx context.Context, c *client.Client, want *view) error {
	emails := make([]string, len(want.doc.Customers))
	for i, one := range want.doc.Customers {
		emails[i] = one.Email
	}
	for part := range slices.Chunk(emails, namesInRequest) {
		for one, err := range customersOf(ctx, c, client.CustomerV3Filter{Emails: part}) {
			if err != nil {
				return err
			}
			t.customers[fold(one.Email)] = one
		}
	}
	return nil
}

// findProblems finds what the document names and Apply does not create.
func (t *target) findProblems(want *view) {
	problem := func(format string, args ...any) { t.problems = append(t.problems, fmt.Sprintf(format, args...)) }
	for _, c := range want.doc.Channels {
		if _, ok := t.ids.channels[fold(c.Name)]; !ok {
			problem("The store has no channel %q. Create it first.", c.Name)
		}
	}
	for _, tree := range want.doc.Trees {
		if _, ok := t.ids.trees[want.tree(tree.ID)]; !ok {
			problem("The store has no category tree %q. Create it first.", tree.Name)
		}
	}
	count := map[string]int{}
	for _, p := range t.doc.Products {
		count[productKey(p)]++
	}
	for _, p := range want.doc.Products {
		key := productKey(p)
		if count[key] > 1 {
			problem("The store has more than one product %q, and none of them has a SKU.", p.Name)
		}
		if count[key] != 1 {
			continue
		}
		for _, v := range p.Variants {
			variant := want.variants[v.ID]
			if _, ok := t.ids.variants[variant]; !ok {
				problem("The product %q of the store has no variant %s. Create it first.", p.Name, shown(variant))
			}
		}
	}
}
