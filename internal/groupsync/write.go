package groupsync

import (
	"bytes"
	"io"
	"strconv"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/seed"
)

// recordsAtOnce is how many records are written at a time.
const recordsAtOnce = 500

// Write writes a document as a seed in YAML. Equal documents give equal texts. Names stand for
// ids where they are unambiguous.
func Write(to io.Writer, d *Document) error {
	w := &writer{to: to, names: namesOf(d)}
	for _, c := range d.Channels {
		w.item("channels", w.channel(c))
	}
	for _, t := range d.Trees {
		w.item("category_trees", w.tree(t))
	}
	for _, c := range d.Categories {
		w.item("categories", w.category(c))
	}
	for _, p := range d.Products {
		w.item("products", w.product(p))
	}
	w.empty("price_lists", d.Lists != nil && len(d.Lists) == 0)
	for _, l := range d.Lists {
		w.list(l)
	}
	w.empty("customer_groups", d.Groups != nil && len(d.Groups) == 0)
	for _, g := range d.Groups {
		w.item("customer_groups", w.group(g))
	}
	w.empty("customers", d.Customers != nil && len(d.Customers) == 0)
	for _, c := range d.Customers {
		w.item("customers", w.customer(c))
	}
	return w.err
}

// writer writes sections item by item, so that the text is never in memory as a whole.
type writer struct {
	to      io.Writer
	names   *names
	section string
	err     error
}

func (w *writer) empty(section string, is bool) {
	if is {
		w.lines(object(section, listOf()), "", 0)
	}
}

// item writes an item of a section, after the name of the section if it is the first one.
func (w *writer) item(section string, item *seed.Node) {
	skip := 1
	if w.section != section {
		skip, w.section = 0, section
	}
	w.lines(object(section, listOf(item)), "", skip)
}

// lines writes a value without its first lines, each with some space before it.
func (w *writer) lines(n *seed.Node, space string, skip int) {
	if w.err != nil {
		return
	}
	out, err := seed.Write(n, seed.YAML)
	if err != nil {
		w.err = err
		return
	}
	for ; skip > 0; skip-- {
		_, out, _ = bytes.Cut(out, []byte{'\n'})
	}
	if space != "" {
		out = append([]byte(space), bytes.ReplaceAll(bytes.TrimSuffix(out, []byte{'\n'}), []byte{'\n'}, []byte("\n"+space))...)
		out = append(out, '\n')
	}
	_, w.err = w.to.Write(out)
}

// list writes a price list. Its records come last, some at a time: a list may have very many.
func (w *writer) list(l List) {
	item := object("id", number(l.ID), "name", text(l.Name))
	if !l.Active {
		set(item, "active", boolean(false))
	}
	if l.Assignments != nil {
		set(item, "assignments", listOf())
		for _, a := range l.Assignments {
			assignments := item.Fields[len(item.Fields)-1].Value
			assignments.Items = append(assignments.Items, w.assignment(a))
		}
	}
	if l.Records != nil {
		set(item, "records", w.records(l.Records[:min(recordsAtOnce, len(l.Records))]))
	}
	w.item("price_lists", item)
	for at := recordsAtOnce; at < len(l.Records); at += recordsAtOnce {
		w.lines(object("records", w.records(l.Records[at:min(at+recordsAtOnce, len(l.Records))])), "  ", 1)
	}
}

func (w *writer) records(records []Record) *seed.Node {
	n := listOf()
	for _, r := range records {
		n.Items = append(n.Items, w.record(r))
	}
	return n
}

func (w *writer) record(r Record) *seed.Node {
	n := object("variant_id", w.names.variants.ref(r.VariantID), "currency", text(r.Currency))
	for _, p := range r.prices() {
		if a, ok := p.value.Get(); ok {
			set(n, p.name, amount(a))
		}
	}
	if len(r.Tiers) > 0 {
		tiers := listOf()
		for _, t := range r.Tiers {
			tiers.Items = append(tiers.Items, object("quantity_min", number(t.QuantityMin), "quantity_max", number(t.QuantityMax), "type", text(t.Type), "amount", amount(t.Amount)))
		}
		set(n, "bulk_pricing_tiers", tiers)
	}
	return n
}

// price is one of the prices of a record.
type price struct {
	name  string
	value client.Opt[client.Amount]
}

func (r Record) prices() []price {
	return []price{{"price", r.Price}, {"sale_price", r.Sale}, {"retail_price", r.Retail}, {"map_price", r.MAP}}
}

func (w *writer) assignment(a Assignment) *seed.Node {
	n := object()
	if a.Group != 0 {
		set(n, "customer_group_id", w.names.groups.ref(a.Group))
	}
	if a.Channel != 0 {
		set(n, "channel_id", w.names.channels.ref(a.Channel))
	}
	return n
}

func (w *writer) channel(c Channel) *seed.Node {
	n := object("id", number(c.ID), "name", text(c.Name))
	if c.ID != 1 { // whose type and platform a seed cannot set
		set(n, "type", text(c.Type))
		set(n, "platform", text(c.Platform))
	}
	return n
}

func (w *writer) tree(t Tree) *seed.Node {
	channels := listOf()
	for _, id := range t.Channels {
		channels.Items = append(channels.Items, w.names.channels.ref(id))
	}
	return object("id", number(t.ID), "name", text(t.Name), "channels", channels)
}

func (w *writer) category(c Category) *seed.Node {
	n := object("id", number(c.ID), "name", text(c.Name))
	if c.ParentID != 0 {
		set(n, "parent_id", w.names.categories.ref(c.ParentID))
	} else if c.TreeID > firstTree {
		set(n, "tree_id", w.names.trees.ref(c.TreeID))
	}
	return n
}

func (w *writer) product(p Product) *seed.Node {
	n := object("id", number(p.ID), "name", text(p.Name), "type", text(p.Type))
	if p.SKU != "" {
		set(n, "sku", text(p.SKU))
	}
	set(n, "weight", amount(p.Weight))
	set(n, "price", amount(p.Price))
	if len(p.Categories) > 0 {
		ids := listOf()
		for _, id := range p.Categories {
			ids.Items = append(ids.Items, w.names.categories.ref(id))
		}
		set(n, "categories", ids)
	}
	if p.BaseID != 0 {
		set(n, "base_variant", object("id", number(p.BaseID)))
	}
	if len(p.Variants) > 0 {
		set(n, "options", options(p))
		variants := listOf()
		for _, v := range p.Variants {
			variants.Items = append(variants.Items, variant(v))
		}
		set(n, "variants", variants)
	}
	return n
}

// options are the options that the variants of a product need, in the form of a seed.
func options(p Product) *seed.Node {
	var order []string
	labels := map[string][]string{}
	seen := map[OptionValue]bool{}
	for _, v := range p.Variants {
		for _, o := range v.Values {
			if labels[o.Option] == nil {
				order = append(order, o.Option)
			}
			if !seen[o] {
				seen[o] = true
				labels[o.Option] = append(labels[o.Option], o.Label)
			}
		}
	}
	all := listOf()
	for _, name := range order {
		values := listOf()
		for i, label := range labels[name] {
			values.Items = append(values.Items, object("label", text(label), "sort_order", number(int64(i))))
		}
		all.Items = append(all.Items, object("display_name", text(name), "type", text("dropdown"), "option_values", values))
	}
	return all
}

func variant(v Variant) *seed.Node {
	n := object("id", number(v.ID))
	if v.SKU != "" {
		set(n, "sku", text(v.SKU))
	}
	if a, ok := v.Price.Get(); ok {
		set(n, "price", amount(a))
	}
	values := listOf()
	for _, o := range v.Values {
		values.Items = append(values.Items, object("option_display_name", text(o.Option), "label", text(o.Label)))
	}
	set(n, "option_values", values)
	return n
}

func (w *writer) group(g Group) *seed.Node {
	n := object("id", number(g.ID), "name", text(g.Name))
	if g.Access.Type != client.AccessAll {
		access := object("type", text(g.Access.Type))
		if g.Access.Type == client.AccessSpecific {
			ids := listOf()
			for _, id := range g.Access.Categories {
				ids.Items = append(ids.Items, w.names.categories.ref(id))
			}
			set(access, "categories", ids)
		}
		set(n, "category_access", access)
	}
	if len(g.Rules) > 0 {
		rules := listOf()
		for _, r := range g.Rules {
			rules.Items = append(rules.Items, w.rule(r))
		}
		set(n, "discount_rules", rules)
	}
	if g.Guests {
		set(n, "is_group_for_guests", boolean(true))
	}
	if g.Default {
		set(n, "is_default", boolean(true))
	}
	return n
}

func (w *writer) rule(r client.DiscountRule) *seed.Node {
	n := object("type", text(r.Type))
	switch r.Type {
	case client.RulePriceList:
		set(n, "price_list_id", w.names.lists.ref(r.PriceListID))
		return n
	case client.RuleCategory:
		set(n, "category_id", w.names.categories.ref(r.CategoryID))
	case client.RuleProduct:
		set(n, "product_id", w.names.products.ref(r.ProductID))
	}
	set(n, "method", text(r.Method))
	set(n, "amount", amount(r.Amount))
	return n
}

func (w *writer) customer(c Customer) *seed.Node {
	n := object("id", number(c.ID), "email", text(c.Email), "first_name", text(c.FirstName), "last_name", text(c.LastName))
	for _, f := range c.optional() {
		if f.value != "" {
			set(n, f.name, text(f.value))
		}
	}
	if c.Group != 0 {
		set(n, "customer_group_id", w.names.groups.ref(c.Group))
	}
	return n
}

// namedText is a field that is a text.
type namedText struct{ name, value string }

func (c Customer) optional() []namedText {
	return []namedText{{"company", c.Company}, {"phone", c.Phone}, {"notes", c.Notes}, {"tax_exempt_category", c.TaxExemptCategory}}
}

// names are the names by which a file refers to items.
type names struct{ channels, trees, categories, products, variants, lists, groups table }

// table has the names of the items of one kind.
type table struct {
	of    map[int64]string
	count map[string]int
}

func newTable() table { return table{map[int64]string{}, map[string]int{}} }

func (t table) add(id int64, name string) {
	if _, twice := t.of[id]; twice || name == "" {
		return
	}
	t.of[id] = name
	t.count[name]++
}

// ref returns the name of an item if no other one of its kind has it, else the id.
func (t table) ref(id int64) *seed.Node {
	if name, ok := t.of[id]; ok && t.count[name] == 1 {
		return text(name)
	}
	return number(id)
}

func namesOf(d *Document) *names {
	n := &names{newTable(), newTable(), newTable(), newTable(), newTable(), newTable(), newTable()}
	for _, c := range d.Channels {
		n.channels.add(c.ID, c.Name)
	}
	n.channels.add(1, firstChannel)
	for _, t := range d.Trees {
		n.trees.add(t.ID, t.Name)
	}
	for _, c := range d.Categories {
		n.categories.add(c.ID, c.Name)
	}
	for _, p := range d.Products {
		n.products.add(p.ID, p.Name)
		n.variants.add(p.BaseID, p.SKU)
		for _, v := range p.Variants {
			n.variants.add(v.ID, v.SKU)
		}
	}
	for _, l := range d.Lists {
		n.lists.add(l.ID, l.Name)
	}
	for _, g := range d.Groups {
		n.groups.add(g.ID, g.Name)
	}
	return n
}

// The values of a seed.

func text(s string) *seed.Node { return &seed.Node{Kind: seed.Text, Text: s} }

func number(n int64) *seed.Node { return &seed.Node{Kind: seed.Number, Text: strconv.FormatInt(n, 10)} }

func boolean(b bool) *seed.Node { return &seed.Node{Kind: seed.Bool, Text: strconv.FormatBool(b)} }

func amount(a client.Amount) *seed.Node { return &seed.Node{Kind: seed.Number, Text: plain(a)} }

func listOf(items ...*seed.Node) *seed.Node { return &seed.Node{Kind: seed.List, Items: items} }

// object returns an object. The arguments are names and values in turns.
func object(fields ...any) *seed.Node {
	n := &seed.Node{Kind: seed.Object}
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		value, _ := fields[i+1].(*seed.Node)
		set(n, name, value)
	}
	return n
}

func set(n *seed.Node, name string, v *seed.Node) {
	n.Fields = append(n.Fields, seed.Field{Name: name, Value: v})
}
