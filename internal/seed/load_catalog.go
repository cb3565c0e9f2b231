package seed

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// settings changes the settings of the store.
func (l *loader) settings() error {
	n := l.root.field("store")
	if n == nil {
		return nil
	}
	var u cohort.StoreUpdate
	for _, f := range n.Fields {
		at := &Error{Line: f.Value.Line, Path: "store." + f.Name}
		field := storeField(&u, f.Name)
		switch {
		case field == nil:
			at.Detail = "There is no such field."
			return at
		case f.Value.Kind != Text:
			at.Detail = "The value must be a text."
			return at
		}
		field(f.Value.Text)
	}
	st, err := l.svc.UpdateStore(l.ctx, l.store.Key, u)
	if err != nil {
		return storeError(n, err)
	}
	l.store = st
	return nil
}

func (l *loader) channels() error {
	for i, c := range l.section("channels") {
		p := place{path: fmt.Sprintf("channels[%d]", i), node: c}
		if l.ids[c] == cohort.FirstChannelID { // it exists, with its type and platform
			if _, err := l.create("updateChannel", []int64{cohort.FirstChannelID}, p, c); err != nil {
				return err
			}
			continue
		}
		if err := l.channel(p); err != nil {
			return err
		}
	}
	return nil
}

// channel creates a channel. The API deletes channels by their status, and creates none that
// is deleted. Customers may be of a deleted channel, so it is deleted at the end, unless
// another one has its name.
func (l *loader) channel(p place) error {
	id, body := l.ids[p.node], p.node.copy()
	dates := takeDates(body)
	deleted := body.text("status") == string(cohort.ChannelDeleted)
	if deleted {
		body.take("status")
	}
	l.use(channels, p.node)
	if _, err := l.create("createChannel", nil, p, body); err != nil {
		return err
	}
	if deleted {
		if _, unique := l.names.name(channels, id); unique {
			l.deleted = append(l.deleted, id)
		} else if err := l.deleteChannel(id); err != nil {
			return err
		}
	}
	return dates.keep(l, channels, p.path, id)
}

func (l *loader) deleteChannel(id int64) error {
	body := newObject(Field{"status", newText(string(cohort.ChannelDeleted))})
	_, err := l.do("updateChannel", []int64{id}, "", body.appendJSON(nil))
	return err
}

func (l *loader) deleteChannels() error {
	for _, id := range l.deleted {
		if err := l.deleteChannel(id); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) brands() error { return l.plain("brands", brands, "createBrand") }

// plain creates the items of a section one by one.
func (l *loader) plain(name string, k kind, operation string) error {
	for i, item := range l.section(name) {
		l.use(k, item)
		p := place{path: fmt.Sprintf("%s[%d]", name, i), node: item}
		if _, err := l.create(operation, nil, p, item); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) trees() error {
	for i, t := range l.section("category_trees") {
		p := place{path: fmt.Sprintf("category_trees[%d]", i), node: t, inBatch: true}
		body := t.copy()
		if id := l.ids[t]; id == cohort.FirstTreeID { // it exists
			body.set("id", newInt(id))
		} else {
			l.use(trees, t)
		}
		if _, err := l.create("putCategoryTrees", nil, p, body); err != nil {
			return err
		}
	}
	return nil
}

// categories creates categories, each after its parent.
func (l *loader) categories() error {
	items := l.section("categories")
	paths := map[*Node]string{}
	of := map[int64]*Node{}
	for i, c := range items {
		paths[c] = fmt.Sprintf("categories[%d]", i)
		of[l.ids[c]] = c
	}
	done := map[*Node]bool{}
	for _, c := range items {
		var chain []*Node // from the category up to the first parent that exists
		for n := c; n != nil && !done[n]; {
			if slices.Contains(chain, n) {
				return &Error{Line: n.Line, Path: paths[n] + ".parent_id", Detail: "The category is below itself."}
			}
			chain = append(chain, n)
			parent, _ := n.field("parent_id").int()
			n = of[parent]
		}
		for _, n := range slices.Backward(chain) {
			if err := l.category(paths[n], n); err != nil {
				return err
			}
			done[n] = true
		}
	}
	return nil
}

func (l *loader) category(path string, c *Node) error {
	body := c.copy()
	body.take("product_order")
	if body.field("parent_id") == nil {
		body.set("parent_id", newInt(0))
	}
	if parent, _ := body.field("parent_id").int(); parent == 0 && body.field("tree_id") == nil {
		body.set("tree_id", newInt(cohort.FirstTreeID))
	}
	l.use(categories, c)
	_, err := l.create("createCategoriesInTrees", nil, place{path: path, node: c, inBatch: true}, body)
	return err
}

// products creates products with their options and variants, and then puts them in the
// order of their categories.
func (l *loader) products() error {
	for i, product := range l.section("products") {
		if err := l.product(place{path: fmt.Sprintf("products[%d]", i), node: product}); err != nil {
			return err
		}
	}
	for i, c := range l.section("categories") {
		order := c.field("product_order")
		if len(order.items()) == 0 {
			continue
		}
		p := place{path: fmt.Sprintf("categories[%d].product_order", i), node: order}
		if _, err := l.create("putProductPlaces", []int64{l.ids[c]}, p, order); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) product(p place) error {
	id, base := l.ids[p.node], l.bases[p.node]
	body := p.node.copy()
	dates := takeDates(body)
	body.take("options", "modifiers", "variants", "channels")
	l.use(products, p.node)
	l.use(variants, base)
	if _, err := l.create("createProduct", nil, p, body); err != nil {
		return err
	}
	for _, part := range []struct{ name, operation string }{{"options", "createOption"}, {"modifiers", "createModifier"}} {
		if err := l.eachIn(p, part.name, func(p place) error { return l.created(part.operation, id, p) }); err != nil {
			return err
		}
	}
	if len(base.Fields) > 0 {
		at := place{path: p.path + ".base_variant", node: base}
		if _, err := l.create("updateVariant", []int64{id, l.ids[base]}, at, base); err != nil {
			return err
		}
	}
	err := l.eachIn(p, "variants", func(p place) error {
		l.use(variants, p.node)
		return l.created("createVariant", id, p)
	})
	if err != nil {
		return err
	}
	if err := l.productChannels(p); err != nil {
		return err
	}
	return dates.keep(l, products, p.path, id)
}

func (l *loader) created(operation string, id int64, p place) error {
	_, err := l.create(operation, []int64{id}, p, p.node)
	return err
}

// eachIn calls fn with the items of a list in an item.
func (l *loader) eachIn(p place, name string, fn func(place) error) error {
	for i, item := range p.node.field(name).items() {
		if err := fn(place{path: fmt.Sprintf("%s.%s[%d]", p.path, name, i), node: item}); err != nil {
			return err
		}
	}
	return nil
}

// productChannels assigns a product to channels. A product without a list is in all that
// a new product is in.
func (l *loader) productChannels(p place) error {
	list := p.node.field("channels")
	for i, c := range list.items() {
		if id, ok := c.int(); ok && id == cohort.FirstChannelID {
			continue // every product is in it
		}
		assignment := newObject(Field{"product_id", newInt(l.ids[p.node])}, Field{"channel_id", c})
		at := place{path: fmt.Sprintf("%s.channels[%d]", p.path, i), node: c, inBatch: true}
		if _, err := l.create("putProductChannels", nil, at, assignment); err != nil {
			return err
		}
	}
	return nil
}

// storeField returns the function that sets a field of the section store, or nil.
func storeField(u *cohort.StoreUpdate, name string) func(string) {
	text := func(into **string) func(string) { return func(s string) { *into = &s } }
	p := &u.Profile
	switch name {
	case "name":
		return text(&p.Name)
	case "domain":
		return text(&p.Domain)
	case "timezone":
		return text(&p.Timezone)
	case "email":
		return text(&p.Email)
	case "first_name":
		return text(&p.FirstName)
	case "last_name":
		return text(&p.LastName)
	case "phone":
		return text(&p.Phone)
	case "address":
		return text(&p.Address)
	case "address_type":
		return func(s string) { p.AddressType = new(cohort.StoreAddressType(s)) }
	case "country":
		return text(&p.Country)
	case "language":
		return text(&p.Language)
	case "language_selection":
		return func(s string) { p.LanguageSelection = new(cohort.LanguageSelection(s)) }
	case "catalog":
		return func(s string) { u.Catalog = new(cohort.CatalogMode(s)) }
	case "currency":
		return text(&u.Currency)
	}
	return nil
}

// storeError returns the mistake in the section store.
func storeError(n *Node, err error) error {
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || e.Kind != cohort.KindInvalid {
		return err
	}
	at := &Error{Line: n.Line, Path: strings.TrimSuffix("store."+e.Field, "."), Detail: cmp.Or(e.Reason, e.Message)}
	if v := n.field(e.Field); v != nil {
		at.Line = v.Line
	}
	return at
}
