package groupsync

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/seed"
)

// The bounds of a file.
const (
	MaxFile      = 256 << 20 // bytes
	maxFileNodes = 12_000_000
)

// Mistake is a mistake in a file.
type Mistake struct {
	Line, Column int    // from 1; 0: none
	Path         string // of the value, such as customer_groups[2].name; "": none
	Detail       string // a sentence
}

func (m *Mistake) Error() string {
	at := ""
	if m.Line > 0 {
		at = fmt.Sprintf("line %d, column %d: ", m.Line, max(m.Column, 1))
	}
	if m.Path != "" {
		at += m.Path + ": "
	}
	return at + m.Detail
}

// Parse reads a file. Other sections and fields of a seed are accepted and not in the
// document. It returns a *Mistake for a file with one.
func Parse(content []byte) (*Document, error) {
	root, err := seed.ParseWithin(content, seed.Bounds{Bytes: MaxFile, Nodes: maxFileNodes})
	if e, ok := errors.AsType[*seed.Error](err); ok {
		return nil, &Mistake{e.Line, e.Column, e.Path, e.Detail}
	}
	if err != nil {
		return nil, err
	}
	p := &parser{doc: &Document{}, ids: map[string]map[string]int64{}, used: map[string]map[int64]bool{}, placed: map[[2]int64]bool{}}
	p.file(root)
	if p.mistake != nil {
		return nil, p.mistake
	}
	p.doc.toAssignments()
	p.doc.dropListRules()
	v, err := newView(p.doc)
	if err != nil {
		return nil, &Mistake{Detail: err.Error()}
	}
	v.sort()
	return p.doc, nil
}

// parser fills a document. It keeps the first mistake, and what follows it counts for nothing.
type parser struct {
	doc     *Document
	items   int
	lastID  int64
	ids     map[string]map[string]int64 // by section and name; 0: several have the name
	used    map[string]map[int64]bool
	placed  map[[2]int64]bool // the groups and channels with a price list
	mistake *Mistake
	// hasDefault and hasGuests are whether a group is the default group, and that of guests.
	hasDefault, hasGuests bool
}

// The sections of a seed that say nothing about groups.
var otherSections = []string{"store", "customer_attributes", "brands", "customer_settings", "segments", "hooks"}

// sections are the sections of a file, by the order in which items refer to each other: each
// needs the ids of all others.
var sections = []struct {
	name, by string
	read     func(*parser, *item)
}{
	{"channels", "name", (*parser).channel},
	{"category_trees", "name", (*parser).tree},
	{"categories", "name", (*parser).category},
	{"products", "name", (*parser).product},
	{"price_lists", "name", (*parser).list},
	{"customer_groups", "name", (*parser).group},
	{"customers", "email", (*parser).customer},
}

const variantSection = "variants"

func (p *parser) file(root *seed.Node) {
	if root.Kind != seed.Object {
		p.fail(root, "", "The file must be an object of sections, such as customer_groups.")
		return
	}
	for _, f := range root.Fields {
		if known := sectionNames(); !slices.Contains(known, f.Name) {
			p.fail(f.Value, f.Name, "There is no such section."+near(f.Name, known))
		}
	}
	p.addID("channels", firstChannel, 1)
	p.addID("category_trees", "Default catalog tree", firstTree)
	for _, s := range sections {
		for i, n := range p.section(root, s.name) {
			p.learn(s.name, s.by, fmt.Sprintf("%s[%d]", s.name, i), n)
		}
	}
	for _, s := range sections {
		for i, n := range p.section(root, s.name) {
			o := p.item(n, fmt.Sprintf("%s[%d]", s.name, i))
			o.take("date_created", "date_modified")
			s.read(p, o)
			o.end()
		}
	}
	if p.doc.Lists == nil && field(root, "price_lists") != nil {
		p.doc.Lists = []List{}
	}
	if p.doc.Groups == nil && field(root, "customer_groups") != nil {
		p.doc.Groups = []Group{}
	}
	if p.doc.Customers == nil && field(root, "customers") != nil {
		p.doc.Customers = []Customer{}
	}
}

func sectionNames() (all []string) {
	for _, s := range sections {
		all = append(all, s.name)
	}
	return append(all, otherSections...)
}

// near returns a sentence with the name that was probably meant, or "".
func near(name string, known []string) string {
	for _, k := range known {
		if edits(name, k) <= 2 {
			return fmt.Sprintf(" Did you mean %s?", k)
		}
	}
	return ""
}

// edits is how many characters differ between two short names.
func edits(a, b string) int {
	if max(len(a), len(b)) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// section returns the items of a section.
func (p *parser) section(root *seed.Node, name string) []*seed.Node {
	n := field(root, name)
	if n == nil || n.Kind == seed.Null {
		return nil
	}
	if n.Kind != seed.List {
		p.fail(n, name, "The section must be a list.")
		return nil
	}
	return n.Items
}

// learn gives an item its id, and makes its name known.
func (p *parser) learn(section, by, path string, n *seed.Node) {
	if n.Kind != seed.Object {
		p.fail(n, path, "The item must be an object.")
		return
	}
	id := p.giveID(section, path, n)
	if name := field(n, by); name != nil {
		p.addID(section, name.Text, id)
	}
	if section != "products" {
		return
	}
	sku := ""
	if f := field(n, "sku"); f != nil {
		sku = f.Text
	}
	if base := field(n, "base_variant"); base != nil && base.Kind == seed.Object {
		p.addID(variantSection, sku, p.giveID(variantSection, path+".base_variant", base))
	} else {
		set(n, "base_variant", object("id", number(p.newID())))
		p.addID(variantSection, sku, p.lastID)
	}
	for i, v := range items(field(n, "variants")) {
		at := fmt.Sprintf("%s.variants[%d]", path, i)
		if v.Kind != seed.Object {
			p.fail(v, at, "The item must be an object.")
			return
		}
		own := p.giveID(variantSection, at, v)
		if f := field(v, "sku"); f != nil {
			p.addID(variantSection, f.Text, own)
		}
	}
}

// newID returns an id that no store has.
func (p *parser) newID() int64 {
	p.lastID--
	return p.lastID
}

// giveID returns the id of an item. One without gets an id.
func (p *parser) giveID(section, path string, n *seed.Node) int64 {
	p.items++
	if p.items > MaxItems {
		p.fail(n, path, fmt.Sprintf("A file has at most %d items.", MaxItems))
	}
	f := field(n, "id")
	if f == nil {
		id := p.newID()
		set(n, "id", number(id))
		return id
	}
	id, ok := whole(f)
	if !ok || id < 1 {
		p.fail(f, path+".id", "An id is a whole number from 1 on.")
		return 0
	}
	if p.used[section] == nil {
		p.used[section] = map[int64]bool{}
	}
	if p.used[section][id] {
		p.fail(f, path+".id", fmt.Sprintf("The id %d is there twice.", id))
	}
	p.used[section][id] = true
	return id
}

func (p *parser) addID(section, name string, id int64) {
	if name == "" {
		return
	}
	if p.ids[section] == nil {
		p.ids[section] = map[string]int64{}
	}
	if other, taken := p.ids[section][name]; taken && other != id {
		id = 0
	}
	p.ids[section][name] = id
}

// fail keeps a mistake.
func (p *parser) fail(n *seed.Node, path, detail string) {
	if p.mistake == nil {
		p.mistake = &Mistake{n.Line, n.Column, path, detail}
	}
}

func (p *parser) channel(o *item) {
	p.doc.Channels = append(p.doc.Channels, Channel{ID: o.id(), Name: o.text("name", false), Type: o.text("type", false), Platform: o.text("platform", false)})
	o.take("external_id", "is_listable_from_ui", "is_visible", "status", "currencies")
}

func (p *parser) tree(o *item) {
	t := Tree{ID: o.id(), Name: o.text("name", true)}
	for i, n := range o.list("channels") {
		t.Channels = append(t.Channels, o.refAt(n, fmt.Sprintf("channels[%d]", i), "channels"))
	}
	p.doc.Trees = append(p.doc.Trees, t)
}

func (p *parser) category(o *item) {
	c := Category{ID: o.id(), Name: o.text("name", true), ParentID: o.ref("parent_id", "categories"), TreeID: o.ref("tree_id", "category_trees")}
	o.take("product_order", "url")
	o.takeDetails(cohort.CategoryDetails)
	p.doc.Categories = append(p.doc.Categories, c)
}

func (p *parser) product(o *item) {
	d := Product{ID: o.id(), Name: o.text("name", true), Type: o.text("type", true), SKU: o.text("sku", false)}
	d.Weight, _ = o.amount("weight").Get()
	d.Price, _ = o.amount("price").Get()
	for i, n := range o.list("categories") {
		d.Categories = append(d.Categories, o.refAt(n, fmt.Sprintf("categories[%d]", i), "categories"))
	}
	if base := o.object("base_variant"); base != nil {
		d.BaseID = base.id()
	}
	for i, n := range o.list("variants") {
		d.Variants = append(d.Variants, p.variant(p.item(n, fmt.Sprintf("%s.variants[%d]", o.path, i))))
	}
	o.take("options", "modifiers", "retail_price", "sale_price", "map_price", "brand_id", "channels", "bulk_pricing_rules", "custom_fields", "images", "videos", "custom_url")
	o.takeDetails(cohort.ProductDetails)
	p.doc.Products = append(p.doc.Products, d)
}

func (p *parser) variant(o *item) Variant {
	v := Variant{ID: o.id(), SKU: o.text("sku", false), Price: o.amount("price")}
	for i, n := range o.list("option_values") {
		value := p.item(n, fmt.Sprintf("%s.option_values[%d]", o.path, i))
		v.Values = append(v.Values, OptionValue{value.text("option_display_name", true), value.text("label", true)})
		value.end()
	}
	o.take("sale_price", "retail_price", "map_price")
	o.takeDetails(cohort.VariantDetails)
	o.end()
	return v
}

func (p *parser) list(o *item) {
	l := List{ID: o.id(), Name: o.text("name", true), Active: o.boolean("active", true)}
	if o.has("records") {
		l.Records = []Record{}
	}
	seen := map[[2]any]bool{}
	for i, n := range o.list("records") {
		r := p.record(p.item(n, fmt.Sprintf("%s.records[%d]", o.path, i)))
		if key := [2]any{r.VariantID, r.Currency}; seen[key] {
			p.fail(n, fmt.Sprintf("%s.records[%d]", o.path, i), "Another record of the list has this variant and currency.")
		} else {
			seen[key] = true
		}
		l.Records = append(l.Records, r)
	}
	if o.has("assignments") {
		l.Assignments = []Assignment{}
	}
	for i, n := range o.list("assignments") {
		a := p.item(n, fmt.Sprintf("%s.assignments[%d]", o.path, i))
		one := Assignment{ListID: l.ID, Group: a.ref("customer_group_id", "customer_groups"), Channel: a.ref("channel_id", "channels")}
		if one.Group == 0 && one.Channel == 0 {
			p.fail(n, a.path, "An assignment needs a group, a channel or both.")
		}
		if key := [2]int64{one.Group, one.Channel}; p.placed[key] {
			p.fail(n, a.path, "Another assignment has this group and channel. A group has one price list in each.")
		} else {
			p.placed[key] = true
		}
		a.end()
		l.Assignments = append(l.Assignments, one)
	}
	p.doc.Lists = append(p.doc.Lists, l)
}

func (p *parser) record(o *item) Record {
	if p.items++; p.items > MaxItems {
		p.fail(o.node, o.path, fmt.Sprintf("A file has at most %d items.", MaxItems))
	}
	r := Record{VariantID: o.ref("variant_id", variantSection), Currency: strings.ToLower(o.text("currency", true))}
	if r.VariantID == 0 {
		p.fail(o.node, o.path+".variant_id", "The field is required.")
	}
	r.Price, r.Sale, r.Retail, r.MAP = o.amount("price"), o.amount("sale_price"), o.amount("retail_price"), o.amount("map_price")
	for i, n := range o.list("bulk_pricing_tiers") {
		t := p.item(n, fmt.Sprintf("%s.bulk_pricing_tiers[%d]", o.path, i))
		tier := client.BulkTier{QuantityMin: t.whole("quantity_min"), QuantityMax: t.whole("quantity_max"), Type: t.text("type", true)}
		tier.Amount = t.required("amount")
		t.end()
		r.Tiers = append(r.Tiers, tier)
	}
	o.end()
	return r
}

func (p *parser) group(o *item) {
	g := Group{ID: o.id(), Name: o.text("name", true), Access: client.CategoryAccess{Type: client.AccessAll}}
	if a := o.object("category_access"); a != nil {
		g.Access.Type = a.oneOf("type", client.AccessAll, client.AccessNone, client.AccessSpecific)
		for i, n := range a.list("categories") {
			g.Access.Categories = append(g.Access.Categories, a.refAt(n, fmt.Sprintf("categories[%d]", i), "categories"))
		}
		a.end()
	}
	for i, n := range o.list("discount_rules") {
		g.Rules = append(g.Rules, p.rule(p.item(n, fmt.Sprintf("%s.discount_rules[%d]", o.path, i))))
	}
	g.Guests, g.Default = o.boolean("is_group_for_guests", false), o.boolean("is_default", false)
	if g.Default && p.hasDefault || g.Guests && p.hasGuests {
		p.fail(o.node, o.path, "Another group is the default group, or that of guests, already.")
	}
	p.hasDefault, p.hasGuests = p.hasDefault || g.Default, p.hasGuests || g.Guests
	p.doc.Groups = append(p.doc.Groups, g)
}

func (p *parser) rule(o *item) client.DiscountRule {
	r := client.DiscountRule{Type: o.oneOf("type", client.RuleAll, client.RuleCategory, client.RuleProduct, client.RulePriceList)}
	switch r.Type {
	case client.RulePriceList:
		r.PriceListID = o.reference("price_list_id", "price_lists")
		o.end()
		return r
	case client.RuleCategory:
		r.CategoryID = o.reference("category_id", "categories")
	case client.RuleProduct:
		r.ProductID = o.reference("product_id", "products")
	}
	r.Method = o.oneOf("method", client.MethodPercent, client.MethodPrice, client.MethodFixed)
	r.Amount = o.required("amount")
	o.end()
	return r
}

func (p *parser) customer(o *item) {
	c := Customer{ID: o.id(), Email: o.text("email", true), FirstName: o.text("first_name", true), LastName: o.text("last_name", true)}
	c.Company, c.Phone, c.Notes, c.TaxExemptCategory = o.text("company", false), o.text("phone", false), o.text("notes", false), o.text("tax_exempt_category", false)
	c.Group = o.ref("customer_group_id", "customer_groups")
	o.take("addresses", "attributes", "authentication", "form_fields", "registration_ip_address", "store_credit_amounts", "origin_channel_id",
		"channel_ids", "shopper_profile", "consent", "metafields", "accepts_product_review_abandoned_cart_emails")
	p.doc.Customers = append(p.doc.Customers, c)
}

// toAssignments makes an assignment of each rule of a group with a price list that has none:
// both say the same, and the API shows both.
func (d *Document) toAssignments() {
	at := map[int64]int{}
	assigned := map[int64]bool{}
	for i, l := range d.Lists {
		at[l.ID] = i
		for _, a := range l.Assignments {
			assigned[a.Group] = true
		}
	}
	for _, g := range d.Groups {
		for _, r := range g.Rules {
			if i, ok := at[r.PriceListID]; ok && r.Type == client.RulePriceList && !assigned[g.ID] {
				d.Lists[i].Assignments = append(d.Lists[i].Assignments, Assignment{ListID: r.PriceListID, Group: g.ID})
			}
		}
	}
}
