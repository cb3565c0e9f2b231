package groupsync

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/client"
)

// firstChannel is the name of the channel that every store has, unless it is renamed.
const firstChannel = "Storefront"

// separator stands between the names in the key of a category. No name has it.
const separator = "\x1f"

// view finds the items of a document by their ids, and says what is the same in two stores:
// a key, which has names and no ids.
type view struct {
	doc        *Document
	channels   map[int64]string
	trees      map[int64]string
	categories map[int64]string
	products   map[int64]string
	variants   map[int64]string
	lists      map[int64]string
	groups     map[int64]string
}

// newView returns a view. It returns an error if two groups, price lists or customers have
// the same name, or if a category is below itself.
func newView(d *Document) (*view, error) {
	v := &view{
		doc: d, channels: map[int64]string{1: fold(firstChannel)}, trees: map[int64]string{0: "", firstTree: ""},
		categories: map[int64]string{}, products: map[int64]string{}, variants: map[int64]string{}, lists: map[int64]string{}, groups: map[int64]string{},
	}
	for _, c := range d.Channels {
		if c.ID != 1 { // every store has it, whatever its name is
			v.channels[c.ID] = fold(c.Name)
		}
	}
	for _, t := range d.Trees {
		if t.ID != firstTree {
			v.trees[t.ID] = fold(t.Name) + separator + separator
		}
	}
	if err := v.addCategories(); err != nil {
		return nil, err
	}
	for _, p := range d.Products {
		v.addProduct(p)
	}
	return v, v.addNames()
}

func (v *view) addNames() error {
	lists, groups, emails := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, l := range v.doc.Lists {
		v.lists[l.ID] = fold(l.Name)
		if err := once(lists, "price lists", "name", l.Name, l.ID); err != nil {
			return err
		}
	}
	for _, g := range v.doc.Groups {
		v.groups[g.ID] = fold(g.Name)
		if err := once(groups, "customer groups", "name", g.Name, g.ID); err != nil {
			return err
		}
	}
	for _, c := range v.doc.Customers {
		if err := once(emails, "customers", "email", c.Email, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// once returns an error for a name that comes a second time.
func once(seen map[string]int64, what, by, name string, id int64) error {
	key := fold(name)
	if other, twice := seen[key]; twice {
		return fmt.Errorf("two %s have the %s %q (ids %d and %d): rename one of them, because items are found by it", what, by, name, other, id)
	}
	seen[key] = id
	return nil
}

// fold returns a name as it is compared: services do not tell upper case from lower case.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (v *view) addCategories() error {
	of := make(map[int64]Category, len(v.doc.Categories))
	for _, c := range v.doc.Categories {
		of[c.ID] = c
	}
	for _, c := range v.doc.Categories {
		var names []string
		top := c
		for n, ok := c, true; ok; n, ok = of[n.ParentID] {
			names = append(names, n.Name)
			top = n
			if len(names) > len(of) {
				return fmt.Errorf("the category %q (id %d) is below itself", c.Name, c.ID)
			}
		}
		slices.Reverse(names)
		key := strings.Join(names, separator)
		if top.ParentID != 0 { // the parent is not there
			key = unknownKey(top.ParentID) + separator + key
		}
		v.categories[c.ID] = v.tree(top.TreeID) + key
	}
	return nil
}

func (v *view) tree(id int64) string {
	if key, ok := v.trees[id]; ok {
		return key
	}
	return unknownKey(id) + separator + separator
}

func (v *view) addProduct(p Product) {
	key := productKey(p)
	v.products[p.ID] = key
	if p.BaseID != 0 {
		v.variants[p.BaseID] = cmp.Or(p.SKU, key)
	}
	for _, variant := range p.Variants {
		v.variants[variant.ID] = cmp.Or(variant.SKU, variantKey(key, variant))
	}
}

// productKey is the SKU of a product, or its name.
func productKey(p Product) string {
	if p.SKU != "" {
		return p.SKU
	}
	return separator + p.Name // so that a name is never taken for a SKU
}

// variantKey is the key of a variant without a SKU.
func variantKey(product string, variant Variant) string {
	var values []string
	for _, o := range variant.Values {
		values = append(values, o.Option+"="+o.Label)
	}
	slices.Sort(values)
	return product + separator + strings.Join(values, separator)
}

func unknownKey(id int64) string { return literal + strconv.FormatInt(id, 10) }

// literal begins the key of an id that no item has.
const literal = separator + "#"

// keyOf returns the key of what a reference names. An id that no item has is its own key.
func keyOf(keys map[int64]string, id int64) string {
	switch key, ok := keys[id]; {
	case id == 0:
		return ""
	case ok:
		return key
	}
	return unknownKey(id)
}

// variantOf is the key of the variant of a record.
func (v *view) variantOf(r Record) string {
	if r.SKU != "" {
		return r.SKU
	}
	return keyOf(v.variants, r.VariantID)
}

// ruleKey is a rule without ids, for comparison.
func (v *view) ruleKey(r client.DiscountRule) string {
	return strings.Join([]string{r.Type, keyOf(v.categories, r.CategoryID), keyOf(v.products, r.ProductID), keyOf(v.lists, r.PriceListID), r.Method, plain(r.Amount)}, "\x00")
}

// plain returns an amount without trailing zeros.
func plain(a client.Amount) string {
	text := a.String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// sort brings a document into the order of its names, which is that of every store with this
// content.
func (v *view) sort() {
	d := v.doc
	byKey := func(keys map[int64]string) func(a, b int64) int {
		return func(a, b int64) int {
			return cmp.Or(strings.Compare(keyOf(keys, a), keyOf(keys, b)), cmp.Compare(a, b))
		}
	}
	category, product, list, group, channel := byKey(v.categories), byKey(v.products), byKey(v.lists), byKey(v.groups), byKey(v.channels)
	slices.SortFunc(d.Channels, func(a, b Channel) int { return channel(a.ID, b.ID) })
	slices.SortFunc(d.Trees, func(a, b Tree) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Categories, func(a, b Category) int { return category(a.ID, b.ID) })
	slices.SortFunc(d.Products, func(a, b Product) int { return product(a.ID, b.ID) })
	for i, p := range d.Products {
		slices.SortFunc(d.Products[i].Categories, category)
		slices.SortFunc(d.Products[i].Variants, func(a, b Variant) int {
			return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(variantKey("", a), variantKey("", b)))
		})
		for _, variant := range p.Variants {
			slices.SortFunc(variant.Values, func(a, b OptionValue) int { return strings.Compare(a.Option, b.Option) })
		}
	}
	slices.SortFunc(d.Lists, func(a, b List) int { return list(a.ID, b.ID) })
	for _, l := range d.Lists {
		slices.SortFunc(l.Records, func(a, b Record) int {
			return cmp.Or(strings.Compare(v.variantOf(a), v.variantOf(b)), strings.Compare(a.Currency, b.Currency))
		})
		slices.SortFunc(l.Assignments, func(a, b Assignment) int { return cmp.Or(group(a.Group, b.Group), channel(a.Channel, b.Channel)) })
	}
	slices.SortFunc(d.Groups, func(a, b Group) int { return group(a.ID, b.ID) })
	for i, g := range d.Groups {
		slices.SortFunc(d.Groups[i].Access.Categories, category)
		slices.SortFunc(g.Rules, func(a, b client.DiscountRule) int { return strings.Compare(v.ruleKey(a), v.ruleKey(b)) })
	}
	slices.SortFunc(d.Customers, func(a, b Customer) int { return strings.Compare(fold(a.Email), fold(b.Email)) })
}

// dropListRules removes the rules that say what assignments say too: the API shows both.
func (d *Document) dropListRules() {
	assigned := map[int64]bool{}
	for _, l := range d.Lists {
		for _, a := range l.Assignments {
			assigned[a.Group] = true
		}
	}
	for i, g := range d.Groups {
		if assigned[g.ID] {
			d.Groups[i].Rules = slices.DeleteFunc(g.Rules, func(r client.DiscountRule) bool { return r.Type == client.RulePriceList })
		}
	}
}

// missing counts the references to what the document does not have, by what it is.
func (v *view) missing() map[string]int {
	counts := map[string]int{}
	see := func(what string, keys map[int64]string, id int64) {
		if _, ok := keys[id]; !ok && id != 0 {
			counts[what]++
		}
	}
	for _, g := range v.doc.Groups {
		for _, id := range g.Access.Categories {
			see("category", v.categories, id)
		}
		for _, r := range g.Rules {
			see("category", v.categories, r.CategoryID)
			see("product", v.products, r.ProductID)
			see("price list", v.lists, r.PriceListID)
		}
	}
	for _, l := range v.doc.Lists {
		for _, r := range l.Records {
			see("variant", v.variants, r.VariantID)
		}
		for _, a := range l.Assignments {
			see("channel", v.channels, a.Channel)
			see("customer group", v.groups, a.Group)
		}
	}
	for _, c := range v.doc.Customers {
		see("customer group", v.groups, c.Group)
	}
	return counts
}
