package groupsync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/seed"
)

// item reads the fields of an object of a file. A field that the reader has not asked
// for is a mistake.
type item struct {
	p     *parser
	node  *seed.Node
	path  string
	asked []string
}

func (p *parser) item(n *seed.Node, path string) *item {
	if n.Kind != seed.Object {
		p.fail(n, path, "The item must be an object.")
		n = &seed.Node{Kind: seed.Object, Line: n.Line, Column: n.Column}
	}
	return &item{p: p, node: n, path: path}
}

// get returns a field, or nil.
func (o *item) get(name string) *seed.Node {
	o.asked = append(o.asked, name)
	n := field(o.node, name)
	if n != nil && n.Kind == seed.Null {
		return nil
	}
	return n
}

func (o *item) fail(n *seed.Node, name, detail string) { o.p.fail(n, o.path+"."+name, detail) }

// missing says that a field is required, or that another one was probably meant to be it.
func (o *item) missing(name string) {
	for _, f := range o.node.Fields {
		if !slices.Contains(o.asked, f.Name) && edits(f.Name, name) <= 2 {
			o.fail(f.Value, f.Name, fmt.Sprintf("There is no such field. Did you mean %s?", name))
		}
	}
	o.fail(o.node, name, "The field is required.")
}

// take accepts fields that the document does not have.
func (o *item) take(names ...string) { o.asked = append(o.asked, names...) }

func (o *item) takeDetails(fields []cohort.DetailField) {
	for _, f := range fields {
		o.take(f.Name)
	}
}

// end finds the fields that the reader has not asked for.
func (o *item) end() {
	for _, f := range o.node.Fields {
		if !slices.Contains(o.asked, f.Name) {
			o.fail(f.Value, f.Name, "There is no such field."+near(f.Name, o.asked))
		}
	}
}

func (o *item) has(name string) bool { return field(o.node, name) != nil }

func (o *item) id() int64 {
	n := o.get("id")
	if n == nil {
		return 0
	}
	id, _ := whole(n) // learn has checked it
	return id
}

func (o *item) text(name string, required bool) string {
	n := o.get(name)
	switch {
	case n == nil && required:
		o.missing(name)
	case n == nil:
	case n.Kind != seed.Text:
		o.fail(n, name, "The value must be a text; put it into quotes.")
	case required && strings.TrimSpace(n.Text) == "":
		o.fail(n, name, "The text is empty.")
	default:
		return n.Text
	}
	return ""
}

func (o *item) oneOf(name string, values ...string) string {
	value := o.text(name, true)
	if value != "" && !slices.Contains(values, value) {
		o.fail(field(o.node, name), name, fmt.Sprintf("The value must be one of %s.%s", strings.Join(values, ", "), near(value, values)))
	}
	return value
}

func (o *item) boolean(name string, absent bool) bool {
	n := o.get(name)
	switch {
	case n == nil:
		return absent
	case n.Kind != seed.Bool:
		o.fail(n, name, "The value must be true or false.")
	}
	return n.Text == "true"
}

func (o *item) whole(name string) int64 {
	n := o.get(name)
	if n == nil {
		return 0
	}
	v, ok := whole(n)
	if !ok {
		o.fail(n, name, "The value must be a whole number.")
	}
	return v
}

// amount reads a number, or a text with one. Absent and null are the same in a file.
func (o *item) amount(name string) client.Opt[client.Amount] {
	n := o.get(name)
	if n == nil {
		return client.Opt[client.Amount]{}
	}
	if n.Kind != seed.Number && n.Kind != seed.Text {
		o.fail(n, name, "The value must be a number.")
		return client.Opt[client.Amount]{}
	}
	a, err := client.ParseAmount(n.Text)
	if err != nil {
		o.fail(n, name, "The value must be a number.")
	}
	return client.Set(a)
}

func (o *item) required(name string) client.Amount {
	a, ok := o.amount(name).Get()
	if !ok {
		o.missing(name)
	}
	return a
}

func (o *item) list(name string) []*seed.Node {
	n := o.get(name)
	if n == nil {
		return nil
	}
	if n.Kind != seed.List {
		o.fail(n, name, "The value must be a list.")
	}
	return n.Items
}

func (o *item) object(name string) *item {
	n := o.get(name)
	if n == nil {
		return nil
	}
	return o.p.item(n, o.path+"."+name)
}

// ref reads a reference. 0 stands for none.
func (o *item) ref(name, section string) int64 {
	n := o.get(name)
	if n == nil {
		return 0
	}
	return o.refAt(n, name, section)
}

// reference reads a reference that must be there.
func (o *item) reference(name, section string) int64 {
	id := o.ref(name, section)
	if id == 0 {
		o.missing(name)
	}
	return id
}

// nouns name what a section has.
var nouns = map[string]string{
	"channels": "channel", "category_trees": "category tree", "categories": "category", "products": "product", variantSection: "variant",
	"price_lists": "price list", "customer_groups": "customer group", "customers": "customer",
}

// refAt reads a reference: a name of an item of a section, or an id.
func (o *item) refAt(n *seed.Node, name, section string) int64 {
	if n.Kind != seed.Text {
		id, ok := whole(n)
		if !ok || id < 0 && n.Line > 0 {
			o.fail(n, name, "The value must be a name or an id.")
		}
		return id
	}
	id, ok := o.p.ids[section][n.Text]
	switch {
	case o.p.mistake != nil: // another one counts for nothing
	case !ok:
		known := make([]string, 0, len(o.p.ids[section]))
		for k := range o.p.ids[section] {
			known = append(known, k)
		}
		slices.Sort(known)
		o.fail(n, name, fmt.Sprintf("The file has no %s %q.%s", nouns[section], n.Text, near(n.Text, known)))
	case id == 0:
		o.fail(n, name, fmt.Sprintf("The file has more than one %s %q; give the id.", nouns[section], n.Text))
	}
	return id
}

// field returns a field of an object, or nil.
func field(n *seed.Node, name string) *seed.Node {
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

func items(n *seed.Node) []*seed.Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// whole returns the value of a whole number.
func whole(n *seed.Node) (int64, bool) {
	if n.Kind != seed.Number {
		return 0, false
	}
	v, err := strconv.ParseInt(n.Text, 10, 64)
	return v, err == nil
}
