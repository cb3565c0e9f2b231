package groupsync

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/client"
)

// Action is what a change does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Kind is what is changed.
type Kind string

// The kinds.
const (
	KindCategory   Kind = "category"
	KindProduct    Kind = "product"
	KindList       Kind = "price_list"
	KindGroup      Kind = "customer_group"
	KindRecord     Kind = "price_record"
	KindAssignment Kind = "assignment"
	KindCustomer   Kind = "customer"
)

// Change is a change of a store.
type Change struct {
	Action Action        `json:"action"`
	Kind   Kind          `json:"kind"`
	Name   string        `json:"name"`
	Fields []FieldChange `json:"fields,omitempty"` // of an update
	// Members is how many customers lose the group that is deleted.
	Members int64 `json:"members,omitempty"`

	item any   // of the document, or of the store if it is deleted
	id   int64 // in the store; 0: it is created
	list string
	// conflicts are the assignments that have to go, because the group gets other rules.
	conflicts []Assignment
}

// FieldChange is a field of an update.
type FieldChange struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Plan is what changes a store into what a document says.
type Plan struct {
	// Changes are in the order in which Apply makes them.
	Changes []Change `json:"changes"`
	// Problems are sentences about what Apply cannot create. It changes nothing if there is one.
	Problems []string `json:"problems,omitempty"`
	// Notes are sentences about the store.
	Notes []string `json:"notes,omitempty"`

	want *view
	have *target
}

// Options say how to compare.
type Options struct {
	// Prune is whether what the store has and the document has not is deleted: groups, price
	// lists, records and assignments. Nothing else is ever deleted.
	Prune bool
	// Progress is that of a Reader.
	Progress func(step string, rows int64)
}

// Compare reads a store and returns what has to change for it to be as the document says.
// Categories, products and customers that the store does not have are created. Those that it
// has are found by name; of these only customers are changed. What the document says nothing
// about is left alone.
func Compare(ctx context.Context, c *client.Client, d *Document, o Options) (*Plan, error) {
	want, err := newView(d)
	if err != nil {
		return nil, err
	}
	have, notes, err := readTarget(ctx, &Reader{Client: c, Progress: o.Progress}, want)
	if err != nil {
		return nil, err
	}
	p := &Plan{Changes: []Change{}, Problems: have.problems, Notes: notes, want: want, have: have}
	p.catalog()
	p.lists()
	if o.Prune {
		p.pruneAssignments()
	}
	p.groups()
	p.records()
	p.assignments()
	p.customers()
	if o.Prune {
		p.pruneRecords()
		if err := p.pruneGroups(ctx, c); err != nil {
			return nil, err
		}
		p.pruneLists()
	}
	return p, nil
}

func (p *Plan) add(c Change) { p.Changes = append(p.Changes, c) }

// catalog creates the categories and products that are missing. Parents come first, as the
// document is sorted.
func (p *Plan) catalog() {
	for _, c := range p.want.doc.Categories {
		if _, ok := p.have.ids.categories[p.want.categories[c.ID]]; !ok {
			p.add(Change{Action: Create, Kind: KindCategory, Name: shown(p.want.categories[c.ID]), item: c})
		}
	}
	for _, product := range p.want.doc.Products {
		if _, ok := p.have.ids.products[productKey(product)]; !ok {
			p.add(Change{Action: Create, Kind: KindProduct, Name: product.Name, item: product})
		}
	}
}

// listsByKey returns the price lists of a document by key.
func (v *view) listsByKey() map[string]List {
	all := map[string]List{}
	for _, l := range v.doc.Lists {
		all[v.lists[l.ID]] = l
	}
	return all
}

func (p *Plan) lists() {
	have := p.have.listsByKey()
	for _, l := range p.want.doc.Lists {
		old, ok := have[fold(l.Name)]
		if !ok {
			p.add(Change{Action: Create, Kind: KindList, Name: l.Name, item: l})
			continue
		}
		var f fields
		f.text("name", old.Name, l.Name)
		f.boolean("active", old.Active, l.Active)
		p.update(KindList, l.Name, old.ID, l, f)
	}
}

// fields collects the fields that differ.
type fields []FieldChange

func (f *fields) text(name, from, to string) {
	if from != to {
		*f = append(*f, FieldChange{name, from, to})
	}
}

func (f *fields) boolean(name string, from, to bool) {
	f.text(name, strconv.FormatBool(from), strconv.FormatBool(to))
}

func (f *fields) has(name string) bool {
	return slices.ContainsFunc(*f, func(c FieldChange) bool { return c.Name == name })
}

func (p *Plan) update(kind Kind, name string, id int64, item any, f fields) {
	if len(f) > 0 {
		p.add(Change{Action: Update, Kind: kind, Name: name, Fields: f, id: id, item: item})
	}
}

func (p *Plan) groups() {
	have, assigned := map[string]Group{}, p.have.assignmentsOf()
	for _, g := range p.have.doc.Groups {
		have[p.have.groups[g.ID]] = g
	}
	for _, g := range p.want.doc.Groups {
		old, ok := have[fold(g.Name)]
		if !ok {
			p.add(Change{Action: Create, Kind: KindGroup, Name: g.Name, item: g})
			continue
		}
		var f fields
		f.text("name", old.Name, g.Name)
		if !slices.Equal(p.have.access(old.Access), p.want.access(g.Access)) {
			f = append(f, FieldChange{"category_access", p.have.accessText(old.Access), p.want.accessText(g.Access)})
		}
		var conflicts []Assignment
		if !slices.Equal(p.have.rules(old.Rules), p.want.rules(g.Rules)) {
			from := p.have.rulesText(old.Rules)
			if len(g.Rules) > 0 && len(assigned[old.ID]) > 0 { // a group has rules or price lists
				conflicts = assigned[old.ID]
				from = p.have.listsText(conflicts)
			}
			f = append(f, FieldChange{"discount_rules", from, p.want.rulesText(g.Rules)})
		}
		f.boolean("is_group_for_guests", old.Guests, g.Guests)
		f.boolean("is_default", old.Default, g.Default)
		if len(f) > 0 {
			p.add(Change{Action: Update, Kind: KindGroup, Name: g.Name, Fields: f, id: old.ID, item: g, conflicts: conflicts})
		}
	}
}

// assignmentsOf returns the assignments of a store by group.
func (v *view) assignmentsOf() map[int64][]Assignment {
	all := map[int64][]Assignment{}
	for _, l := range v.doc.Lists {
		for _, a := range l.Assignments {
			all[a.Group] = append(all[a.Group], a)
		}
	}
	return all
}

func (v *view) listsText(assignments []Assignment) string {
	var names []string
	for _, a := range assignments {
		names = append(names, "price list "+v.listName(a.ListID))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "; ")
}

func (v *view) listName(id int64) string {
	for _, l := range v.doc.Lists {
		if l.ID == id {
			return l.Name
		}
	}
	return strconv.FormatInt(id, 10)
}

// recordChange is a record to write.
type recordChange struct {
	want Record
	have Record // its zero value: there is none
}

// recordKey identifies a record in a list, in two stores.
type recordKey struct{ variant, currency string }

func (v *view) recordsByKey(l List) map[recordKey]Record {
	all := make(map[recordKey]Record, len(l.Records))
	for _, r := range l.Records {
		all[recordKey{v.variantOf(r), r.Currency}] = r
	}
	return all
}

func (p *Plan) records() {
	lists := p.have.listsByKey()
	for _, l := range p.want.doc.Lists {
		have := p.have.recordsByKey(lists[fold(l.Name)])
		for _, r := range l.Records {
			key := recordKey{p.want.variantOf(r), r.Currency}
			old, ok := have[key]
			f := recordFields(old, r)
			c := Change{Action: Create, Kind: KindRecord, Name: recordName(l, key), item: recordChange{r, old}, list: fold(l.Name)}
			if ok {
				c.Action, c.Fields = Update, f
			}
			if !ok || len(f) > 0 {
				p.add(c)
			}
		}
	}
}

func recordName(l List, key recordKey) string {
	return l.Name + ": " + shown(key.variant) + " in " + key.currency
}

func recordFields(old, r Record) (f fields) {
	before := old.prices()
	for i, now := range r.prices() {
		f.text(now.name, priceText(before[i].value), priceText(now.value))
	}
	f.text("bulk_pricing_tiers", tiersText(old.Tiers), tiersText(r.Tiers))
	return f
}

func priceText(a client.Opt[client.Amount]) string {
	if v, ok := a.Get(); ok {
		return plain(v)
	}
	return "none"
}

func tiersText(tiers []client.BulkTier) string {
	tiers = slices.Clone(tiers)
	slices.SortFunc(tiers, func(a, b client.BulkTier) int { return int(a.QuantityMin - b.QuantityMin) })
	var texts []string
	for _, t := range tiers {
		to := "on"
		if t.QuantityMax > 0 {
			to = "to " + strconv.FormatInt(t.QuantityMax, 10)
		}
		texts = append(texts, "from "+strconv.FormatInt(t.QuantityMin, 10)+" "+to+": "+t.Type+" "+plain(t.Amount))
	}
	if texts == nil {
		return "none"
	}
	return strings.Join(texts, "; ")
}

// place is to whom a price list is assigned.
type place struct{ group, channel string }

func (v *view) placeOf(a Assignment) place {
	return place{keyOf(v.groups, a.Group), keyOf(v.channels, a.Channel)}
}

func (v *view) placeText(l string, a Assignment) string {
	text := l
	if a.Group != 0 {
		text += " to group " + shown(v.groupName(a.Group))
	}
	if a.Channel != 0 {
		text += " in channel " + shown(keyOf(v.channels, a.Channel))
	}
	return text
}

func (v *view) groupName(id int64) string {
	for _, g := range v.doc.Groups {
		if g.ID == id {
			return g.Name
		}
	}
	return unknownKey(id)
}

func (p *Plan) assignments() {
	have := map[place]Assignment{}
	for _, l := range p.have.doc.Lists {
		for _, a := range l.Assignments {
			have[p.have.placeOf(a)] = a
		}
	}
	for _, l := range p.want.doc.Lists {
		for _, a := range l.Assignments {
			old, ok := have[p.want.placeOf(a)]
			name := p.want.placeText(l.Name, a)
			switch {
			case !ok:
				p.add(Change{Action: Create, Kind: KindAssignment, Name: name, item: a})
			case p.have.lists[old.ListID] != fold(l.Name):
				f := fields{{"price_list_id", p.have.listName(old.ListID), l.Name}}
				p.add(Change{Action: Update, Kind: KindAssignment, Name: name, Fields: f, id: old.ID, item: a})
			}
		}
	}
}

func (p *Plan) customers() {
	for _, c := range p.want.doc.Customers {
		old, ok := p.have.customers[fold(c.Email)]
		if !ok {
			p.add(Change{Action: Create, Kind: KindCustomer, Name: c.Email, item: c})
			continue
		}
		var f fields
		f.text("first_name", old.FirstName, c.FirstName)
		f.text("last_name", old.LastName, c.LastName)
		before := old.optional()
		for i, now := range c.optional() {
			f.text(now.name, before[i].value, now.value)
		}
		from, to := keyOf(p.have.groups, old.Group), keyOf(p.want.groups, c.Group)
		if from != to {
			f = append(f, FieldChange{"customer_group_id", shown(from), shown(to)})
		}
		p.update(KindCustomer, c.Email, old.ID, c, f)
	}
}
