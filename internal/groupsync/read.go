package groupsync

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/client"
)

const (
	// pageRows is how many rows of the catalog one request asks for.
	pageRows = 250
	// idsInRequest is how many products one request names.
	idsInRequest = 50
)

// Reader reads what belongs to the groups of a store.
type Reader struct {
	Client *client.Client
	// Customers is whether to read the customers too.
	Customers bool
	// Journal keeps what is read, for a later Read; nil: nothing does.
	Journal *Journal
	// Progress is called with a step, such as "groups", and how many of its rows are read; nil:
	// the caller does not ask.
	Progress func(step string, rows int64)

	items int
}

// Read reads a document, in the order of its names, and says in sentences what it names and
// does not have.
//
// Others may change the store meanwhile. What is there from the beginning to the end is in the
// document, with these exceptions: a list by page number, such as that of groups, may miss a
// row if one before it is deleted. An assignment to a group that came after the groups were
// read is left out. A row is as it was when its page was read.
func (r *Reader) Read(ctx context.Context) (*Document, []string, error) {
	if err := r.checkScopes(ctx); err != nil {
		return nil, nil, err
	}
	d := &Document{}
	for _, step := range []func(context.Context, *Document) error{r.groups, r.lists, r.records, r.products, r.categories, r.channels, r.customers} {
		if err := step(ctx, d); err != nil {
			return nil, nil, err
		}
	}
	notes := d.dropUnknownGroups()
	d.dropListRules()
	v, err := newView(d)
	if err != nil {
		return nil, nil, err
	}
	v.sort()
	missing := v.missing()
	for _, what := range slices.Sorted(maps.Keys(missing)) {
		notes = append(notes, fmt.Sprintf("%d references name a %s that the store does not have. They stay ids.", missing[what], what))
	}
	return d, notes, nil
}

// checkScopes reads a row of everything, so that a token without a scope is found first.
func (r *Reader) checkScopes(ctx context.Context) error {
	checks := []struct{ path, what, scope string }{
		{"/v2/customer_groups", "customer groups", "store_v2_customers_read_only"},
		{"/v3/pricelists", "price lists", "store_v2_products_read_only"},
		{"/v3/catalog/trees/categories", "the catalog", "store_v2_products_read_only"},
	}
	for _, c := range checks {
		err := r.Client.Call(ctx, http.MethodGet, c.path, url.Values{"limit": {"1"}}, nil, nil)
		if err := scopeError(err, "read "+c.what, c.scope); err != nil {
			return err
		}
	}
	return nil
}

// scopeError returns a sentence for a token that may not do something.
func scopeError(err error, may, scope string) error {
	switch {
	case errors.Is(err, client.ErrUnauthorized):
		return fmt.Errorf("the store does not accept the token; nothing was changed: %w", err)
	case errors.Is(err, client.ErrForbidden):
		return fmt.Errorf("the token may not %s: it needs the scope %s; nothing was changed: %w", may, scope, err)
	}
	return err
}

func (r *Reader) groups(ctx context.Context, d *Document) (err error) {
	d.Groups, err = read(r, "groups", func(yield func(Group, error) bool) {
		for g, err := range r.Client.Groups.All(ctx, client.GroupFilter{}) {
			if !yield(Group{g.ID, g.Name, g.CategoryAccess, g.DiscountRules, g.IsGroupForGuests, g.IsDefault}, err) || err != nil {
				return
			}
		}
	}, func(g Group) any { return g.ID })
	return err
}

func (r *Reader) lists(ctx context.Context, d *Document) error {
	lists, err := read(r, "price lists", func(yield func(List, error) bool) {
		for l, err := range r.Client.PriceLists.All(ctx, client.PriceListFilter{}) {
			if !yield(List{ID: l.ID, Name: l.Name, Active: l.Active}, err) || err != nil {
				return
			}
		}
	}, func(l List) any { return l.ID })
	if err != nil {
		return err
	}
	assignments, err := read(r, "assignments", func(yield func(Assignment, error) bool) {
		for a, err := range r.Client.Assignments.All(ctx, client.AssignmentFilter{}) {
			if !yield(Assignment{a.ID, a.PriceListID, a.GroupID, a.ChannelID}, err) || err != nil {
				return
			}
		}
	}, func(a Assignment) any { return a.ID })
	if err != nil {
		return err
	}
	d.Lists = lists
	at := map[int64]int{}
	for i, l := range lists {
		d.Lists[i].Records, d.Lists[i].Assignments = []Record{}, []Assignment{}
		at[l.ID] = i
	}
	for _, a := range assignments {
		if i, ok := at[a.ListID]; ok { // a list that came later is not in the document
			d.Lists[i].Assignments = append(d.Lists[i].Assignments, a)
		}
	}
	return nil
}

// records reads the records of each list. One that was deleted meanwhile has none.
func (r *Reader) records(ctx context.Context, d *Document) error {
	for i := range d.Lists {
		l := &d.Lists[i]
		rows := func(yield func(Record, error) bool) {
			f := client.PriceRecordFilter{Include: []string{"sku", "bulk_pricing_tiers"}}
			for p, err := range r.Client.PriceRecords.All(ctx, l.ID, f) {
				if !yield(recordOf(p), err) || err != nil {
					return
				}
			}
		}
		list, err := read(r, "records of price list "+strconv.FormatInt(l.ID, 10), rows, func(p Record) any { return [2]any{p.VariantID, p.Currency} })
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
		l.Records = append(l.Records, list...)
	}
	return nil
}

func recordOf(p client.PriceRecord) Record {
	return Record{p.VariantID, p.ProductID, p.SKU.Or(""), strings.ToLower(p.Currency), p.Price, p.SalePrice, p.RetailPrice, p.MAPPrice, p.BulkTiers.Or(nil)}
}

// channels reads the channels if an assignment or a tree names one, and keeps those that are
// named.
func (r *Reader) channels(ctx context.Context, d *Document) error {
	named := map[int64]bool{}
	for _, l := range d.Lists {
		for _, a := range l.Assignments {
			if a.Channel != 0 {
				named[a.Channel] = true
			}
		}
	}
	for _, t := range d.Trees {
		for _, id := range t.Channels {
			named[id] = true
		}
	}
	if len(named) == 0 {
		return nil
	}
	all, err := read(r, "channels", allChannels(ctx, r.Client), func(c Channel) any { return c.ID })
	d.Channels = slices.DeleteFunc(all, func(c Channel) bool { return !named[c.ID] || c.ID == 1 && c.Name == firstChannel })
	return scopeError(err, "read channels, which price lists are assigned to", "store_channel_settings_read_only")
}

func allChannels(ctx context.Context, of *client.Client) iter.Seq2[Channel, error] {
	return func(yield func(Channel, error) bool) {
		for c, err := range of.Channels.All(ctx, client.ChannelFilter{}) {
			if err == nil && c.Status == "deleted" {
				continue
			}
			if !yield(Channel{c.ID, c.Name, c.Type, c.Platform}, err) || err != nil {
				return
			}
		}
	}
}

// products reads the products that rules and records name.
func (r *Reader) products(ctx context.Context, d *Document) (err error) {
	named := map[int64]bool{}
	for _, g := range d.Groups {
		for _, rule := range g.Rules {
			named[rule.ProductID] = true
		}
	}
	for _, l := range d.Lists {
		for _, record := range l.Records {
			named[record.ProductID] = true
		}
	}
	delete(named, 0)
	d.Products, err = read(r, "products", productsByID(ctx, r.Client, slices.Sorted(maps.Keys(named))), func(p Product) any { return p.ID })
	return err
}

func productsByID(ctx context.Context, c *client.Client, ids []int64) iter.Seq2[Product, error] {
	return func(yield func(Product, error) bool) {
		for part := range slices.Chunk(ids, idsInRequest) {
			query := url.Values{"id:in": {joinIDs(part)}, "include": {"variants"}}
			for p, err := range list(ctx, c, "/v3/catalog/products", query, func(p productRow) int64 { return p.ID }) {
				if !yield(p.product(), err) || err != nil {
					return
				}
			}
		}
	}
}

// productRow is a product as the API has it.
type productRow struct {
	Product
	BaseVariantID client.Opt[int64] `json:"base_variant_id"` // null: none
	Variants      []variantRow      `json:"variants"`
}

type variantRow struct {
	ID     int64                     `json:"id"`
	SKU    client.Opt[string]        `json:"sku"`
	Price  client.Opt[client.Amount] `json:"price"`
	Values []OptionValue             `json:"option_values"`
}

// product returns the product. A variant without options is the base variant.
func (p productRow) product() Product {
	own := p.Product
	own.BaseID, own.Variants = p.BaseVariantID.Or(0), nil
	for _, v := range p.Variants {
		if v.ID == own.BaseID || len(v.Values) == 0 {
			own.BaseID = v.ID
			continue
		}
		own.Variants = append(own.Variants, Variant{v.ID, v.SKU.Or(""), v.Price, v.Values})
	}
	return own
}

// categories reads the categories that groups and products name, with their parents.
func (r *Reader) categories(ctx context.Context, d *Document) error {
	named := map[int64]bool{}
	for _, g := range d.Groups {
		for _, id := range g.Access.Categories {
			named[id] = true
		}
		for _, rule := range g.Rules {
			named[rule.CategoryID] = true
		}
	}
	for _, p := range d.Products {
		for _, id := range p.Categories {
			named[id] = true
		}
	}
	delete(named, 0)
	if len(named) == 0 {
		return nil
	}
	all, err := read(r, "categories", allCategories(ctx, r.Client), func(c Category) any { return c.ID })
	if err != nil {
		return err
	}
	d.Categories = withParents(all, named)
	known := map[int64]bool{}
	for _, c := range d.Categories {
		known[c.ID] = true
	}
	for i, p := range d.Products { // a category that is deleted meanwhile is in no product
		d.Products[i].Categories = slices.DeleteFunc(p.Categories, func(id int64) bool { return !known[id] })
	}
	return r.trees(ctx, d)
}

func allCategories(ctx context.Context, c *client.Client) iter.Seq2[Category, error] {
	return list(ctx, c, "/v3/catalog/trees/categories", url.Values{}, func(c Category) int64 { return c.ID })
}

// withParents returns the named categories and those above them.
func withParents(all []Category, named map[int64]bool) []Category {
	of := make(map[int64]Category, len(all))
	for _, c := range all {
		of[c.ID] = c
	}
	kept := map[int64]bool{}
	for id := range named {
		for c, ok := of[id]; ok && !kept[c.ID]; c, ok = of[c.ParentID] {
			kept[c.ID] = true
		}
	}
	return slices.DeleteFunc(all, func(c Category) bool { return !kept[c.ID] })
}

// trees reads the trees if a category is in another one than the first.
func (r *Reader) trees(ctx context.Context, d *Document) error {
	named := map[int64]bool{}
	for _, c := range d.Categories {
		if c.TreeID > firstTree {
			named[c.TreeID] = true
		}
	}
	if len(named) == 0 {
		return nil
	}
	all, err := read(r, "category trees", allTrees(ctx, r.Client), func(t Tree) any { return t.ID })
	d.Trees = slices.DeleteFunc(all, func(t Tree) bool { return !named[t.ID] })
	return err
}

func allTrees(ctx context.Context, c *client.Client) iter.Seq2[Tree, error] {
	return list(ctx, c, "/v3/catalog/trees", url.Values{}, func(t Tree) int64 { return t.ID })
}

func (r *Reader) customers(ctx context.Context, d *Document) (err error) {
	if !r.Customers {
		return nil
	}
	d.Customers, err = read(r, "customers", customersOf(ctx, r.Client, client.CustomerV3Filter{}), func(c Customer) any { return c.ID })
	if d.Customers == nil {
		d.Customers = []Customer{}
	}
	return err
}

func customersOf(ctx context.Context, of *client.Client, f client.CustomerV3Filter) iter.Seq2[Customer, error] {
	return func(yield func(Customer, error) bool) {
		for c, err := range of.CustomersV3.All(ctx, f) {
			one := Customer{c.ID, c.Email, c.FirstName, c.LastName, c.Company, c.Phone, c.Notes, c.TaxExemptCategory, c.GroupID}
			if !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// dropUnknownGroups removes the assignments to groups that came after the groups were read,
// and says so.
func (d *Document) dropUnknownGroups() (notes []string) {
	known := map[int64]bool{0: true}
	for _, g := range d.Groups {
		known[g.ID] = true
	}
	dropped := 0
	for i, l := range d.Lists {
		before := len(l.Assignments)
		d.Lists[i].Assignments = slices.DeleteFunc(l.Assignments, func(a Assignment) bool { return !known[a.Group] })
		dropped += before - len(d.Lists[i].Assignments)
	}
	if dropped > 0 {
		notes = append(notes, fmt.Sprintf("%d assignments are left out, because their groups came while the store was read.", dropped))
	}
	return notes
}

// read reads the rows of a step, or takes them from the journal. A row with the key of an
// earlier one is left out: it has moved to a later page.
func read[T any](r *Reader, step string, rows iter.Seq2[T, error], key func(T) any) ([]T, error) {
	kept, done, err := stepRows[T](r.Journal, step)
	if err != nil {
		return nil, err
	}
	if done {
		r.items += len(kept)
		r.report(step, len(kept))
		return kept, nil
	}
	all, seen := []T{}, map[any]bool{}
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", step, err)
		}
		if seen[key(row)] {
			continue
		}
		seen[key(row)] = true
		all = append(all, row)
		if r.items++; r.items > MaxItems {
			return nil, ErrTooLarge
		}
		r.report(step, len(all))
	}
	return all, keep(r.Journal, step, all)
}

func (r *Reader) report(step string, rows int) {
	if r.Progress != nil {
		r.Progress(step, int64(rows))
	}
}
