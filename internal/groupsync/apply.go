package groupsync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/client"
)

const (
	recordsInRequest     = 1000
	assignmentsInRequest = 25
	customersInRequest   = 10
)

// Stopped is an Apply that has ended before its end.
type Stopped struct {
	Cause error
	// Done is how many changes are made.
	Done int
	// Failed is the change at which it ended, the first one of a request with several. Whether
	// that request had an effect is not known if the connection broke.
	Failed Change
	// Left are the changes that are not made, with Failed at the beginning.
	Left []Change
}

func (s *Stopped) Error() string {
	return fmt.Sprintf("%s %s %q: %v", s.Failed.Action, s.Failed.Kind, s.Failed.Name, s.Cause)
}

func (s *Stopped) Unwrap() error { return s.Cause }

// ErrProblems is a plan with problems.
var ErrProblems = errors.New("the store lacks something that cannot be created; nothing was changed")

// Apply makes the changes of a plan, in their order, and ends at the first error with a
// *Stopped. Compare and Apply can then be called again: what is done is no change any more.
// progress is called after each request with the number of changes that are made.
func Apply(ctx context.Context, c *client.Client, p *Plan, progress func(done int)) (notes []string, err error) {
	if len(p.Problems) > 0 {
		return nil, ErrProblems
	}
	if err := checkWrites(ctx, c, p.Changes); err != nil {
		return nil, err
	}
	a := &applier{Client: c, want: p.want, ids: p.have.ids, has: p.have}
	for done := 0; done < len(p.Changes); {
		n := together(p.Changes[done:])
		if err := a.make(ctx, p.Changes[done:done+n]); err != nil {
			return a.notes, &Stopped{err, done, p.Changes[done], p.Changes[done:]}
		}
		done += n
		progress(done)
	}
	return a.notes, nil
}

// checkWrites finds a token that may not write, with requests that change nothing: no resource
// has the id 0.
func checkWrites(ctx context.Context, c *client.Client, changes []Change) error {
	checks := []struct {
		kinds             []Kind
		path, what, scope string
	}{
		{[]Kind{KindGroup, KindCustomer}, "/v2/customer_groups/0", "change customer groups", "store_v2_customers"},
		{[]Kind{KindCategory, KindProduct, KindList, KindRecord, KindAssignment}, "/v3/pricelists/0", "change price lists and the catalog", "store_v2_products"},
	}
	for _, check := range checks {
		if !slices.ContainsFunc(changes, func(c Change) bool { return slices.Contains(check.kinds, c.Kind) }) {
			continue
		}
		err := c.Call(ctx, http.MethodPut, check.path, nil, map[string]any{}, nil)
		if errors.Is(err, client.ErrUnauthorized) || errors.Is(err, client.ErrForbidden) {
			return scopeError(err, check.what, check.scope)
		}
	}
	return ctx.Err()
}

// together returns how many of the next changes one request makes.
func together(changes []Change) int {
	first, most := changes[0], 1
	switch {
	case first.Kind == KindRecord && first.Action == Delete:
		most = idsInRequest
	case first.Kind == KindRecord:
		most = recordsInRequest
	case first.Kind == KindAssignment && first.Action == Create:
		most = assignmentsInRequest
	case first.Kind == KindCustomer:
		most = customersInRequest
	}
	n := 1
	for n < min(most, len(changes)) && sameRequest(first, changes[n]) {
		n++
	}
	return n
}

func sameRequest(a, b Change) bool {
	if a.Kind != b.Kind || a.list != b.list || a.Kind != KindRecord && a.Action != b.Action {
		return false
	}
	if a.Kind == KindRecord && a.Action == Delete { // one currency at a time
		ra, _ := a.item.(Record)
		rb, ok := b.item.(Record)
		return ok && ra.Currency == rb.Currency
	}
	return a.Kind != KindRecord || b.Action != Delete
}

// applier makes changes.
type applier struct {
	*client.Client
	want  *view
	has   *target
	ids   ids
	notes []string
}

func (a *applier) make(ctx context.Context, changes []Change) error {
	c := changes[0]
	if c.Action == Delete {
		return a.delete(ctx, changes)
	}
	switch item := c.item.(type) {
	case Category:
		return a.category(ctx, item)
	case Product:
		return a.product(ctx, item)
	case List:
		return a.list(ctx, c, item)
	case Group:
		return a.group(ctx, c, item)
	case recordChange:
		return a.records(ctx, changes)
	case Assignment:
		return a.assign(ctx, changes)
	case Customer:
		return a.customers(ctx, changes)
	}
	return fmt.Errorf("a change of %T", c.item)
}

// of returns the id that the store has for what the document refers to.
func (a *applier) of(keys map[int64]string, ids map[string]int64, id int64) (int64, error) {
	key := keyOf(keys, id)
	switch known, ok := ids[key]; {
	case id == 0:
		return 0, nil
	case ok:
		return known, nil
	case strings.HasPrefix(key, literal):
		return id, nil
	}
	return 0, fmt.Errorf("the store has no %q", shown(key))
}

func (a *applier) categoryID(id int64) (int64, error) {
	return a.of(a.want.categories, a.ids.categories, id)
}

func (a *applier) all(ids []int64, of func(int64) (int64, error)) ([]int64, error) {
	all := make([]int64, len(ids))
	for i, id := range ids {
		var err error
		if all[i], err = of(id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (a *applier) category(ctx context.Context, c Category) error {
	parent, err := a.categoryID(c.ParentID)
	if err != nil {
		return err
	}
	body := map[string]any{"name": c.Name, "parent_id": parent}
	if parent == 0 {
		body["tree_id"] = a.ids.trees[a.want.tree(c.TreeID)]
	}
	var made struct {
		Data []Category `json:"data"`
	}
	if err := a.Call(ctx, http.MethodPost, "/v3/catalog/trees/categories", nil, []any{body}, &made); err != nil {
		return err
	}
	if len(made.Data) != 1 || made.Data[0].ID == 0 {
		return fmt.Errorf("%w: a category was created, and its id did not come back", client.ErrResponse)
	}
	a.ids.categories[a.want.categories[c.ID]] = made.Data[0].ID
	return nil
}

func (a *applier) product(ctx context.Context, p Product) error {
	categories, err := a.all(p.Categories, a.categoryID)
	if err != nil {
		return err
	}
	body := map[string]any{"name": p.Name, "type": p.Type, "weight": p.Weight, "price": p.Price, "categories": categories}
	if p.SKU != "" {
		body["sku"] = p.SKU
	}
	var variants []any
	for _, v := range p.Variants {
		one := map[string]any{"option_values": v.Values}
		if v.SKU != "" {
			one["sku"] = v.SKU
		}
		if price, ok := v.Price.Get(); ok {
			one["price"] = price
		}
		variants = append(variants, one)
	}
	if variants != nil {
		body["variants"] = variants
	}
	var made struct {
		Data productRow `json:"data"`
	}
	if err := a.Call(ctx, http.MethodPost, "/v3/catalog/products", url.Values{"include": {"variants"}}, body, &made); err != nil {
		return err
	}
	if made.Data.ID == 0 {
		return fmt.Errorf("%w: a product was created, and its id did not come back", client.ErrResponse)
	}
	a.learn(made.Data.product())
	return nil
}

// learn adds the ids of a product.
func (a *applier) learn(p Product) {
	v := &view{products: map[int64]string{}, variants: map[int64]string{}}
	v.addProduct(p)
	for id, key := range v.products {
		a.ids.products[key] = id
	}
	for id, key := range v.variants {
		a.ids.variants[key] = id
	}
}

func (a *applier) list(ctx context.Context, c Change, l List) error {
	u := client.PriceListUpdate{Name: client.Set(l.Name), Active: client.Set(l.Active)}
	if c.Action == Update {
		_, err := a.PriceLists.Update(ctx, c.id, u)
		return err
	}
	made, err := a.PriceLists.Create(ctx, u)
	a.ids.lists[fold(l.Name)] = made.ID
	return err
}

func (a *applier) group(ctx context.Context, c Change, g Group) error {
	f := fields(c.Fields)
	all := c.Action == Create
	var u client.GroupUpdate
	if all || f.has("name") {
		u.Name = client.Set(g.Name)
	}
	if all || f.has("category_access") {
		categories, err := a.all(g.Access.Categories, a.categoryID)
		if err != nil {
			return err
		}
		u.CategoryAccess = client.Set(client.CategoryAccess{Type: g.Access.Type, Categories: categories})
	}
	if all && len(g.Rules) > 0 || f.has("discount_rules") {
		rules, err := a.rules(g.Rules)
		if err != nil {
			return err
		}
		u.DiscountRules = client.Set(rules)
	}
	if all && g.Guests || f.has("is_group_for_guests") {
		u.IsGroupForGuests = client.Set(g.Guests)
	}
	if all && g.Default || f.has("is_default") {
		u.IsDefault = client.Set(g.Default)
	}
	for _, conflict := range c.conflicts {
		if err := a.Assignments.Delete(ctx, client.AssignmentDeletion{ID: conflict.ID}); err != nil {
			return err
		}
	}
	return a.writeGroup(ctx, c, g, u)
}

func (a *applier) writeGroup(ctx context.Context, c Change, g Group, u client.GroupUpdate) (err error) {
	id := c.id
	if c.Action == Create {
		var made client.Group
		made, err = a.Groups.Create(ctx, u)
		id = made.ID
	} else {
		_, err = a.Groups.Update(ctx, id, u)
	}
	if partial, ok := errors.AsType[*client.PartialError](err); ok { // the group is stored
		a.notes = append(a.notes, fmt.Sprintf("The group %q is stored, and the server says: %s", g.Name, partial.Message))
		err = nil
	}
	if err == nil && id == 0 {
		return fmt.Errorf("%w: a group was created, and its id did not come back", client.ErrResponse)
	}
	a.ids.groups[fold(g.Name)] = id
	return err
}

func (a *applier) rules(rules []client.DiscountRule) (all []client.DiscountRule, err error) {
	all = []client.DiscountRule{}
	for _, r := range rules {
		if r.CategoryID, err = a.categoryID(r.CategoryID); err != nil {
			return nil, err
		}
		if r.ProductID, err = a.of(a.want.products, a.ids.products, r.ProductID); err != nil {
			return nil, err
		}
		if r.PriceListID, err = a.of(a.want.lists, a.ids.lists, r.PriceListID); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (a *applier) records(ctx context.Context, changes []Change) error {
	var puts []client.PriceRecordPut
	for _, c := range changes {
		r, _ := c.item.(recordChange)
		put, err := a.put(r)
		if err != nil {
			return err
		}
		puts = append(puts, put)
	}
	return a.PriceRecords.Put(ctx, a.ids.lists[changes[0].list], puts)
}

// put returns what a request says of a record. A price that only the store has is unset.
func (a *applier) put(r recordChange) (client.PriceRecordPut, error) {
	put := client.PriceRecordPut{Currency: r.want.Currency}
	key := a.want.variantOf(r.want)
	if id, ok := a.ids.variants[key]; ok {
		put.VariantID = id
	} else if number, ok := strings.CutPrefix(key, literal); ok {
		put.VariantID, _ = strconv.ParseInt(number, 10, 64)
	} else if !strings.Contains(key, separator) {
		put.SKU = key
	} else {
		return put, fmt.Errorf("the store has no variant %s", shown(key))
	}
	prices := []*client.Opt[client.Amount]{&put.Price, &put.SalePrice, &put.RetailPrice, &put.MAPPrice}
	before := r.have.prices()
	for i, p := range r.want.prices() {
		if v, ok := p.value.Get(); ok {
			*prices[i] = client.Set(v)
		} else if _, had := before[i].value.Get(); had {
			*prices[i] = client.Null[client.Amount]()
		}
	}
	if len(r.want.Tiers) > 0 || len(r.have.Tiers) > 0 {
		put.BulkTiers = client.Set(append([]client.BulkTier{}, r.want.Tiers...))
	}
	return put, nil
}

func (a *applier) assign(ctx context.Context, changes []Change) error {
	var creates []client.AssignmentCreate
	for _, c := range changes {
		item, _ := c.item.(Assignment)
		one, err := a.assignment(item)
		if err != nil {
			return err
		}
		creates = append(creates, one)
	}
	if c := changes[0]; c.Action == Update {
		// The API replaces assignments to a group in a channel only, so the old one goes first.
		if err := a.Assignments.Delete(ctx, client.AssignmentDeletion{ID: c.id}); err != nil {
			return err
		}
	}
	return a.Assignments.Create(ctx, creates)
}

func (a *applier) assignment(item Assignment) (one client.AssignmentCreate, err error) {
	if one.PriceListID, err = a.of(a.want.lists, a.ids.lists, item.ListID); err != nil {
		return one, err
	}
	if one.GroupID, err = a.of(a.want.groups, a.ids.groups, item.Group); err != nil {
		return one, err
	}
	one.ChannelID, err = a.of(a.want.channels, a.ids.channels, item.Channel)
	return one, err
}

func (a *applier) customers(ctx context.Context, changes []Change) error {
	var creates []client.CustomerV3Create
	var updates []client.CustomerV3Update
	for _, c := range changes {
		item, _ := c.item.(Customer)
		group, err := a.of(a.want.groups, a.ids.groups, item.Group)
		if err != nil {
			return err
		}
		f := client.CustomerV3Fields{
			Company: client.Set(item.Company), Phone: client.Set(item.Phone), Notes: client.Set(item.Notes),
			TaxExemptCategory: client.Set(item.TaxExemptCategory), GroupID: client.Set(group),
		}
		if c.Action == Create {
			creates = append(creates, client.CustomerV3Create{Email: item.Email, FirstName: item.FirstName, LastName: item.LastName, CustomerV3Fields: f})
			continue
		}
		updates = append(updates, client.CustomerV3Update{ID: c.id, FirstName: client.Set(item.FirstName), LastName: client.Set(item.LastName), CustomerV3Fields: f})
	}
	if updates != nil {
		_, err := a.CustomersV3.Update(ctx, updates)
		return err
	}
	_, err := a.CustomersV3.Create(ctx, creates)
	return err
}

// delete deletes what one request deletes. What is gone already is no error.
func (a *applier) delete(ctx context.Context, changes []Change) (err error) {
	c := changes[0]
	switch item := c.item.(type) {
	case Assignment:
		err = a.Assignments.Delete(ctx, client.AssignmentDeletion{ID: c.id})
	case Record:
		d := client.PriceRecordDeletion{Currency: item.Currency}
		for _, one := range changes {
			r, _ := one.item.(Record)
			d.VariantIDs = append(d.VariantIDs, r.VariantID)
		}
		err = a.PriceRecords.DeleteMany(ctx, c.id, d)
	case Group:
		err = a.Groups.Delete(ctx, c.id)
	case List:
		err = a.PriceLists.Delete(ctx, c.id)
	}
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	return err
}
