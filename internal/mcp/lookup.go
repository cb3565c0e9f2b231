package mcp

import (
	"context"
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

const (
	// maxNear is how many candidates an error names.
	maxNear = 5
	// nearRunes is how many runes of a mistyped name must be right.
	nearRunes = 3
)

// named is a candidate for a name.
type named struct {
	id   int64
	name string
}

// notFound returns the error for something that does not exist, with what is near. like finds
// by a part of the name.
func notFound(field, what string, r ref, like func(part string) ([]named, error)) error {
	near, err := like(string(r))
	if runes := []rune(string(r)); err == nil && len(near) == 0 && len(runes) > nearRunes {
		near, err = like(string(runes[:max(nearRunes, len(runes)/2)]))
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s %q not found", what, clip(string(r), maxShown))
	if len(near) > 0 {
		text += "; near: " + candidates(near)
	}
	return cohort.Invalid(field, text)
}

func ambiguous(field, what string, r ref, list []named) error {
	return cohort.Invalid(field, fmt.Sprintf("%s %q is not unique; give the id of one: %s", what, clip(string(r), maxShown), candidates(list)))
}

func candidates(list []named) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = fmt.Sprintf("%s (%d)", clip(n.name, maxShown), n.id)
	}
	return strings.Join(texts, ", ")
}

// missing reports whether err says that something does not exist.
func missing(err error) bool { return cohort.KindOf(err) == cohort.KindNotFound }

// group finds a group. A number is an id, unless no group has it and one has it as its name.
func (c *caller) group(ctx context.Context, field string, r ref) (cohort.Group, error) {
	if !c.allows("listGroups") {
		return cohort.Group{}, cohort.Invalid(field, "the token lacks the scope to read groups")
	}
	if id, ok := r.id(); ok {
		if g, err := c.Service.Group(ctx, c.store.Key, id); !missing(err) {
			return g, err
		}
	}
	list, err := c.Service.ListGroups(ctx, c.store.Key, cohort.GroupFilter{Name: new(string(r))}, cohort.Page{Number: 1, Size: maxNear})
	switch {
	case err != nil:
		return cohort.Group{}, err
	case len(list) == 1:
		return list[0], nil
	case len(list) > 1:
		return cohort.Group{}, ambiguous(field, "group", r, groupNames(list))
	}
	return cohort.Group{}, notFound(field, "group", r, func(part string) ([]named, error) {
		list, err := c.Service.ListGroups(ctx, c.store.Key, cohort.GroupFilter{NameLike: part}, cohort.Page{Number: 1, Size: maxNear})
		return groupNames(list), err
	})
}

func groupNames(list []cohort.Group) (names []named) {
	for _, g := range list {
		names = append(names, named{g.ID, g.Name})
	}
	return names
}

// groupOrNone is group for a field in which 0 is no group.
func (c *caller) groupOrNone(ctx context.Context, field string, r ref) (cohort.Group, error) {
	if id, ok := r.id(); ok && id == 0 {
		return cohort.Group{}, nil
	}
	return c.group(ctx, field, r)
}

// priceList finds a price list.
func (c *caller) priceList(ctx context.Context, field string, r ref) (cohort.PriceList, error) {
	if id, ok := r.id(); ok {
		if l, err := c.Service.PriceList(ctx, c.store.Key, id); !missing(err) {
			return l, err
		}
	}
	read := func(f cohort.PriceListFilter) ([]cohort.PriceList, error) {
		var lists collected[cohort.PriceList]
		_, err := c.Service.ReadPriceLists(ctx, c.store.Key, f, cohort.Page{Number: 1, Size: maxNear}, &lists)
		return lists.rows, err
	}
	list, err := read(cohort.PriceListFilter{Name: new(string(r))})
	if err != nil {
		return cohort.PriceList{}, err
	}
	if len(list) > 0 { // names are unique
		return list[0], nil
	}
	return cohort.PriceList{}, notFound(field, "price list", r, func(part string) (near []named, err error) {
		list, err := read(cohort.PriceListFilter{NameLike: part})
		for _, l := range list {
			near = append(near, named{l.ID, l.Name})
		}
		return near, err
	})
}

// product finds a product.
func (c *caller) product(ctx context.Context, field string, r ref) (cohort.Product, error) {
	if id, ok := r.id(); ok && id > 0 {
		if p, err := c.Service.Product(ctx, c.store.Key, id); !missing(err) {
			return p, err
		}
	}
	list, err := c.products(ctx, cohort.ProductFilter{Name: new(string(r))})
	switch {
	case err != nil:
		return cohort.Product{}, err
	case len(list) == 1:
		return list[0], nil
	case len(list) > 1:
		return cohort.Product{}, ambiguous(field, "product", r, productNames(list))
	}
	return cohort.Product{}, notFound(field, "product", r, func(part string) ([]named, error) {
		list, err := c.products(ctx, cohort.ProductFilter{NameLike: part})
		return productNames(list), err
	})
}

func productNames(list []cohort.Product) (names []named) {
	for _, p := range list {
		names = append(names, named{p.ID, p.Name})
	}
	return names
}

func (c *caller) products(ctx context.Context, f cohort.ProductFilter) ([]cohort.Product, error) {
	var list collected[cohort.Product]
	_, err := c.Service.ReadProducts(ctx, c.store.Key, f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: maxNear}, &list)
	return list.rows, err
}

// productBySKU finds a product, or a variant of one.
func (c *caller) productBySKU(ctx context.Context, sku string) (p cohort.Product, variant int64, err error) {
	list, err := c.products(ctx, cohort.ProductFilter{SKU: &sku})
	if err != nil {
		return p, 0, err
	}
	if len(list) > 0 {
		return list[0], 0, nil
	}
	var variants collected[service.CatalogVariant]
	_, err = c.Service.ReadVariants(ctx, c.store.Key, cohort.VariantFilter{SKUs: []string{sku}}, cohort.Page{Number: 1, Size: 1}, &variants)
	if err != nil {
		return p, 0, err
	}
	if len(variants.rows) == 0 {
		return p, 0, cohort.Invalid("sku", fmt.Sprintf("no product and no variant has the SKU %q", clip(sku, maxShown)))
	}
	v := variants.rows[0]
	p, err = c.Service.Product(ctx, c.store.Key, v.ProductID)
	return p, v.ID, err
}

// category finds the id of a category. In an external catalog any id is right.
func (c *caller) category(ctx context.Context, r ref) (int64, error) {
	if id, ok := r.id(); ok && id > 0 {
		return id, nil
	}
	read := func(f cohort.CategoryFilter) (list []named, err error) {
		var categories collected[cohort.Category]
		_, err = c.Service.ReadCategories(ctx, c.store.Key, f, cohort.CategoryOrder{}, cohort.Page{Number: 1, Size: maxNear}, &categories)
		for _, found := range categories.rows {
			list = append(list, named{found.ID, found.Name})
		}
		return list, err
	}
	list, err := read(cohort.CategoryFilter{Name: new(string(r))})
	switch {
	case err != nil:
		return 0, err
	case len(list) == 1:
		return list[0].id, nil
	case len(list) > 1:
		return 0, ambiguous("category", "category", r, list)
	}
	return 0, notFound("category", "category", r, func(part string) ([]named, error) { return read(cohort.CategoryFilter{NameLike: part}) })
}

// customer finds the id of a customer by its id or e-mail. It does not check an id.
func (c *caller) customer(ctx context.Context, r ref) (int64, error) {
	if id, ok := r.id(); ok && id > 0 {
		return id, nil
	}
	switch {
	case !strings.Contains(string(r), "@"):
		return 0, cohort.Invalid("customer", "give the id or the e-mail; find_customer finds customers by name")
	case !c.allows("listCustomers"):
		return 0, cohort.Invalid("customer", "the token lacks the scope to look up e-mails; give the id")
	}
	list, err := c.Service.ListCustomers(ctx, c.store.Key, cohort.CustomerFilter{Email: new(string(r))}, cohort.Page{Number: 1, Size: 1})
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, cohort.Invalid("customer", fmt.Sprintf("no customer has the e-mail %q", clip(string(r), maxShown)))
	}
	return list[0].ID, nil
}

// shopperInput says for whom a question is.
type shopperInput struct {
	Customer ref  `json:"customer,omitempty" jsonschema:"id or e-mail"`
	Group    ref  `json:"group,omitempty" jsonschema:"id or exact name, 0 for no group"`
	Guest    bool `json:"guest,omitempty" jsonschema:"a visitor who is not signed in"`
}

func (c *caller) shopper(ctx context.Context, in shopperInput) (q service.ShopperQuery, err error) {
	given := 0
	for _, is := range []bool{in.Customer != "", in.Group != "", in.Guest} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return q, cohort.Invalid("", "say for whom: exactly one of customer, group and guest")
	case in.Guest:
		return q, nil
	case in.Customer != "":
		q.CustomerID, err = c.customer(ctx, in.Customer)
		return q, err
	}
	if id, ok := in.Group.id(); ok && !c.allows("listGroups") {
		q.GroupID = &id
		return q, nil
	}
	g, err := c.groupOrNone(ctx, "group", in.Group)
	q.GroupID = &g.ID
	return q, err
}
