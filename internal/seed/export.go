package seed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// exporter reads a store as a seed.
type exporter struct {
	*caller
	svc   *service.Service
	names names
	items int
	// open are the channels that are not deleted, which have settings.
	open []int64
}

// Export returns the content of a store as a seed: a store that Load makes from it has
// the same export. Passwords are left out, and so are the ids of what no other system
// refers to. It returns KindTooLarge for a store with more than MaxItems items.
func Export(ctx context.Context, svc *service.Service, dialects []*api.Dialect, st cohort.Store) (root *Node, err error) {
	err = svc.ReadStore(ctx, func(ctx context.Context) error {
		if st, err = svc.StoreByKey(ctx, st.Key); err != nil {
			return err
		}
		e := &exporter{caller: newCaller(ctx, dialects, st), svc: svc, names: names{}}
		root, err = e.export()
		return err
	})
	return root, err
}

// exports are the functions that read the sections, in the order of sections.
var exports = []func(*exporter) ([]*Node, error){
	(*exporter).channels, (*exporter).attributes, (*exporter).brands, (*exporter).trees, (*exporter).categories,
	(*exporter).products, (*exporter).lists, (*exporter).groups, (*exporter).customers, (*exporter).segments, (*exporter).hooks,
}

func (e *exporter) export() (*Node, error) {
	root := newObject(Field{"store", e.settings()})
	read := make([][]*Node, len(sections))
	for i, s := range sections {
		items, err := exports[i](e)
		if err != nil {
			return nil, err
		}
		e.learn(s.kind, items)
		read[i] = items
	}
	settings, err := e.customerSettings()
	if err != nil {
		return nil, err
	}
	// Names are known only now.
	e.names.abbreviate(settings, settingsReferences)
	for i, s := range sections {
		for _, item := range read[i] {
			item.datesLast()
			e.names.abbreviate(item, s.refs)
		}
		if len(read[i]) > 0 {
			root.set(s.name, newList(read[i]...))
		}
		if s.kind == groups && len(settings.Fields) > 0 {
			root.set("customer_settings", settings)
		}
	}
	return root, nil
}

// learn adds the names of items.
func (e *exporter) learn(k kind, items []*Node) {
	if k == "" {
		return
	}
	for _, item := range items {
		id, _ := item.field("id").int()
		e.names.add(k, id, item.text(nouns[k].by))
		if k != products {
			continue
		}
		base, _ := item.field("base_variant").field("id").int()
		e.names.add(variants, base, item.text("sku"))
		for _, v := range item.field("variants").items() {
			id, _ := v.field("id").int()
			e.names.add(variants, id, v.text("sku"))
		}
	}
	if id := first[k]; id != 0 && (e.names[k] == nil || e.names[k].names[id] == "") {
		e.names.add(k, id, map[kind]string{channels: firstChannelName, trees: firstTreeName}[k])
	}
}

// settings returns the section store. What has its default is left out.
func (e *exporter) settings() *Node {
	st, n := e.store, newObject()
	text := func(name, value string) {
		if value != "" {
			n.set(name, newText(value))
		}
	}
	p := st.Profile
	text("name", p.Name)
	text("domain", p.Domain)
	text("timezone", p.Timezone)
	text("email", p.Email)
	text("first_name", p.FirstName)
	text("last_name", p.LastName)
	text("phone", p.Phone)
	text("address", p.Address)
	text("address_type", string(p.AddressType))
	text("country", p.Country)
	text("language", p.Language)
	text("language_selection", string(p.LanguageSelection))
	text("catalog", string(st.Catalog))
	text("currency", st.Currency)
	return n
}

// pageSize is how many items an operation is asked for at once.
const pageSize = 250

// list calls an operation for all its pages.
func (e *exporter) list(operation string, ids []int64, query string) (all []*Node, err error) {
	for page := 1; ; page++ {
		n, err := e.do(operation, ids, fmt.Sprintf("limit=%d&page=%d%s", pageSize, page, query), nil)
		if err != nil {
			return nil, err
		}
		var items []*Node
		if n != nil { // V2 has no body for an empty list
			if items = n.items(); n.Kind == Object {
				items = n.field("data").items()
			}
		}
		all = append(all, items...)
		if err := e.count(len(items)); err != nil {
			return nil, err
		}
		if len(items) < pageSize {
			return all, nil
		}
	}
}

// count bounds the items of the export.
func (e *exporter) count(items int) error {
	if e.items += items; e.items > MaxItems {
		return &cohort.Error{Kind: cohort.KindTooLarge, Message: fmt.Sprintf(
			"The store has more than %d items. The command cohort copy moves stores of any size.", MaxItems)}
	}
	return nil
}

// dropDefaults removes the fields that have their defaults, which are texts of JSON.
func (n *Node) dropDefaults(defaults map[string]string) {
	n.Fields = slices.DeleteFunc(n.Fields, func(f Field) bool {
		text, ok := defaults[f.Name]
		return ok && string(f.Value.appendJSON(nil)) == text
	})
}

// defaultsOf returns the defaults of fields of details, with more.
func defaultsOf(fields []cohort.DetailField, more map[string]string) map[string]string {
	defaults := map[string]string{}
	for _, f := range fields {
		if f.Default != "" {
			defaults[f.Name] = f.Default
		}
	}
	for name, text := range more {
		defaults[name] = text
	}
	return defaults
}

// lead puts fields that are there first.
func (n *Node) lead(names ...string) {
	var first []Field
	for _, name := range names {
		if v := n.take(name); v != nil {
			first = append(first, Field{name, v})
		}
	}
	n.Fields = append(first, n.Fields...)
}

// datesLast moves the dates to the end. The one of the last change is left out if it is that
// of the creation.
func (n *Node) datesLast() {
	created, modified := n.take("date_created"), n.take("date_modified")
	if created != nil {
		n.set("date_created", created)
	}
	if modified != nil && (created == nil || !modified.equal(created)) {
		n.set("date_modified", modified)
	}
}

// dropPath removes the path of a page on the storefront that the client has not chosen. It
// is under at in the field.
func (n *Node) dropPath(field, at, unset string) {
	v := n.field(field)
	if v == nil || v.text(at) != unset {
		return
	}
	if c := v.field("is_customized"); c != nil && c.Text == "false" {
		n.take(field)
	}
}

// groupDates rewrites the dates of a V2 group as all others are.
func (n *Node) groupDates() {
	for _, name := range []string{"date_created", "date_modified"} {
		if v := n.field(name); v != nil {
			if t, err := time.Parse(time.DateTime, v.Text); err == nil {
				n.set(name, newText(t.Format(time.RFC3339)))
			}
		}
	}
}

func idOf(item *Node) int64 {
	id, _ := strconv.ParseInt(item.field("id").Text, 10, 64)
	return id
}
