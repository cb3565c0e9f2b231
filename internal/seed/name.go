package seed

import (
	"fmt"
	"slices"
	"strings"
)

// kind is a kind of resources that a seed refers to. Its text is what the service counts
// ids by.
type kind string

const (
	channels   kind = "channel"
	attributes kind = "customer_attribute"
	brands     kind = "brand"
	trees      kind = "category_tree"
	categories kind = "category"
	products   kind = "product"
	variants   kind = "variant"
	lists      kind = "price_list"
	groups     kind = "customer_group"
	customers  kind = "customer"
	addresses  kind = "customer_address"
)

// nouns name one resource of a kind, and how a seed refers to it.
var nouns = map[kind]struct{ what, by string }{
	channels: {"channel", "name"}, attributes: {"attribute", "name"}, brands: {"brand", "name"}, trees: {"category tree", "name"},
	categories: {"category", "name"}, products: {"product", "name"}, variants: {"variant", "sku"}, lists: {"price list", "name"},
	groups: {"customer group", "name"}, customers: {"customer", "email"},
}

// references are the fields that have the id of another resource, by their paths in an
// item. A seed may have its name there.
type references map[string]kind

// The references of the items of each section.
var (
	treeReferences     = references{"channels[]": channels}
	categoryReferences = references{"parent_id": categories, "tree_id": trees, "product_order[].product_id": products}
	productReferences  = references{"categories[]": categories, "brand_id": brands, "channels[]": channels}
	groupReferences    = references{
		"category_access.categories[]": categories, "discount_rules[].category_id": categories,
		"discount_rules[].product_id": products, "discount_rules[].price_list_id": lists,
	}
	listReferences = references{
		"records[].variant_id": variants, "assignments[].customer_group_id": groups, "assignments[].channel_id": channels,
	}
	customerReferences = references{
		"customer_group_id": groups, "origin_channel_id": channels, "channel_ids[]": channels, "attributes[].attribute_id": attributes,
	}
	settingsReferences = references{
		"customer_group_settings.guest_customer_group_id": groups, "customer_group_settings.default_customer_group_id": groups,
		"channels[].customer_group_settings.guest_customer_group_id":   groups,
		"channels[].customer_group_settings.default_customer_group_id": groups, "channels[].channel_id": channels,
	}
	segmentReferences = references{"members[]": customers}
)

// each calls fn with the values at a path in an item, and their own paths.
func (n *Node) each(path string, fn func(at string, v *Node) error) error {
	return n.eachAt("", path, fn)
}

func (n *Node) eachAt(at, path string, fn func(at string, v *Node) error) error {
	name, rest, more := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	v := n.field(name)
	if v == nil {
		return nil
	}
	at += name
	values := []*Node{v}
	if list {
		values = v.Items
	}
	for i, v := range values {
		here := at
		if list {
			here += fmt.Sprintf("[%d]", i)
		}
		if !more {
			if err := fn(here, v); err != nil {
				return err
			}
			continue
		}
		if err := v.eachAt(here+".", rest, fn); err != nil {
			return err
		}
	}
	return nil
}

// names has the names of the resources of a store.
type names map[kind]*nameTable

type nameTable struct {
	ids   map[string]int64 // 0: several have the name
	names map[int64]string
}

func (n names) add(k kind, id int64, name string) {
	t := n[k]
	if t == nil {
		t = &nameTable{map[string]int64{}, map[int64]string{}}
		n[k] = t
	}
	t.names[id] = name
	if name == "" {
		return
	}
	if other, taken := t.ids[name]; taken && other != id {
		id = 0
	}
	t.ids[name] = id
}

// id returns the id of the resource with a name.
func (n names) id(k kind, name string) (int64, error) {
	noun := nouns[k]
	id, ok := int64(0), false
	if t := n[k]; t != nil {
		id, ok = t.ids[name]
	}
	switch {
	case !ok:
		return 0, &Error{Detail: fmt.Sprintf("The seed has no %s with the %s %q.", noun.what, noun.by, name)}
	case id == 0:
		return 0, &Error{Detail: fmt.Sprintf("The seed has more than one %s with the %s %q; give an id.", noun.what, noun.by, name)}
	}
	return id, nil
}

// name returns the name of a resource if no other of its kind has it.
func (n names) name(k kind, id int64) (string, bool) {
	t := n[k]
	if t == nil {
		return "", false
	}
	name := t.names[id]
	return name, name != "" && t.ids[name] == id
}

// resolve replaces the names in an item by ids.
func (n names) resolve(item *Node, refs references) error {
	for _, path := range sortedPaths(refs) {
		err := item.each(path, func(at string, v *Node) error {
			if v.Kind != Text {
				return nil
			}
			id, err := n.id(refs[path], v.Text)
			if err != nil {
				e, _ := err.(*Error) //nolint:errorlint // id returns no other
				e.Line, e.Path = v.Line, at
				return e
			}
			*v = Node{Kind: Number, Line: v.Line, Text: newInt(id).Text}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// abbreviate replaces the ids in an item by names, where they are unambiguous.
func (n names) abbreviate(item *Node, refs references) {
	for path, k := range refs {
		_ = item.each(path, func(_ string, v *Node) error { // fn returns no error
			if id, ok := v.int(); ok {
				if name, ok := n.name(k, id); ok {
					*v = *newText(name)
				}
			}
			return nil
		})
	}
}

func sortedPaths(refs references) []string {
	paths := make([]string, 0, len(refs))
	for path := range refs {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
