package db

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// resource is a resource of the catalog as its events have it; nil: it does not exist.
type resource struct {
	values  fieldValues
	details cohort.Details
}

// catalogFields are the fields of a type of resources.
type catalogFields struct {
	names   []string             // of resource.values
	details []cohort.DetailField // of resource.details
}

// change returns the event of a change of a resource.
func (f catalogFields) change(kind cohort.EventKind, ids cohort.EventIDs, before, after *resource) cohort.Event {
	var c eventChanges
	f.diff(&c, before, after)
	return cohort.Event{Kind: kind, EventIDs: ids, Changes: c.json()}
}

func (f catalogFields) diff(c *eventChanges, before, after *resource) {
	var was, is resource
	if before != nil {
		was = *before
	}
	if after != nil {
		is = *after
	}
	c.diff(f.names, was.values, is.values)
	names := maps.Clone(was.details)
	if names == nil {
		names = cohort.Details{}
	}
	maps.Copy(names, is.details)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.add(name, f.detail(before, name), f.detail(after, name))
	}
}

// detail returns the value of a detail, which is its default if it was never set.
func (f catalogFields) detail(of *resource, name string) string {
	if of == nil {
		return noValue
	}
	if value, set := of.details[name]; set {
		return string(value)
	}
	for _, field := range f.details {
		if field.Name == name {
			return cmp.Or(field.Default, noValue)
		}
	}
	return noValue
}

// idsText is a list of ids as JSON.
func idsText(ids []int64) string { return "[" + idText(ids) + "]" }

func amountJSON(d decimal.Decimal) string { return strconv.Quote(d.String()) }

// priceJSON is an optional price as JSON.
func priceJSON(p decimal.NullDecimal) string {
	if !p.Valid {
		return noValue
	}
	return amountJSON(p.Decimal)
}

var categoryFields = catalogFields{[]string{"parent_id", "tree_id", "name"}, cohort.CategoryDetails}

func categoryResource(c cohort.Category) *resource {
	values := fieldValues{strconv.FormatInt(c.ParentID, 10), strconv.FormatInt(max(c.TreeID, cohort.FirstTreeID), 10), mustMarshal(c.Name)}
	return &resource{values, c.Details}
}

// recordCategory records the creation or, with the category before, an update of a category.
func (t *Tx) recordCategory(storeKey string, before *cohort.Category, c cohort.Category) error {
	if !t.records() {
		return nil
	}
	ids := cohort.EventIDs{CategoryID: c.ID}
	if before == nil {
		return t.record(storeKey, categoryFields.change(cohort.CategoryCreated, ids, nil, categoryResource(c)))
	}
	return t.record(storeKey, categoryFields.change(cohort.CategoryUpdated, ids, categoryResource(*before), categoryResource(c)))
}

// recordTree records that a category came to another tree with the category above it.
func (t *Tx) recordTree(storeKey string, id, before, after int64) error {
	if !t.records() {
		return nil
	}
	var c eventChanges
	c.add("tree_id", strconv.FormatInt(before, 10), strconv.FormatInt(after, 10))
	return t.record(storeKey, cohort.Event{Kind: cohort.CategoryUpdated, EventIDs: cohort.EventIDs{CategoryID: id}, Changes: c.json()})
}

// deletedCategory returns the event of the deletion of a category, with its products.
func (t *Tx) deletedCategory(storeKey string, c cohort.Category) (e cohort.Event, err error) {
	// One product more than an event can have is enough to know that there are too many.
	products, err := t.findIDs(`SELECT product_id FROM product_categories WHERE store_hash = $1 AND category_id = $2
		ORDER BY product_id LIMIT CAST($3 AS BIGINT)`, storeKey, c.ID, maxEventValue)
	if err != nil {
		return e, err
	}
	var changes eventChanges
	categoryFields.diff(&changes, categoryResource(c), nil)
	changes.add("products", idsText(products), noValue)
	return cohort.Event{Kind: cohort.CategoryDeleted, EventIDs: cohort.EventIDs{CategoryID: c.ID}, Changes: changes.json()}, nil
}

// categoryDeletions returns the events of the deletion of categories, by category, if they
// must be recorded.
func (t *Tx) categoryDeletions(storeKey string, ids []int64) (map[int64]cohort.Event, error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return nil, err
	}
	if err := t.lockToDelete(storeKey, "categories", "id", ids); err != nil { // waits for transactions that add a product
		return nil, err
	}
	list, err := t.ListCategories(storeKey, cohort.CategoryFilter{IDs: ids}, cohort.Page{Number: 1, Size: len(ids)})
	if err != nil {
		return nil, err
	}
	events := make(map[int64]cohort.Event, len(list))
	for _, c := range list {
		if events[c.ID], err = t.deletedCategory(storeKey, c); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// recordDeletions records those of the events that categoryDeletions returned.
func (t *Tx) recordDeletions(storeKey string, events map[int64]cohort.Event, ids ...int64) error {
	if len(events) == 0 {
		return nil
	}
	list := make([]cohort.Event, 0, len(ids))
	for _, id := range ids {
		list = append(list, events[id])
	}
	return t.record(storeKey, list...)
}

var brandFields = catalogFields{[]string{"name"}, cohort.BrandDetails}

func brandResource(b cohort.Brand) *resource {
	return &resource{fieldValues{mustMarshal(b.Name)}, b.Details}
}

// recordBrand records the creation or, with the brand before, an update of a brand.
func (t *Tx) recordBrand(storeKey string, before *cohort.Brand, b cohort.Brand) error {
	if !t.records() {
		return nil
	}
	ids := cohort.EventIDs{BrandID: b.ID}
	if before == nil {
		return t.record(storeKey, brandFields.change(cohort.BrandCreated, ids, nil, brandResource(b)))
	}
	return t.record(storeKey, brandFields.change(cohort.BrandUpdated, ids, brandResource(*before), brandResource(b)))
}

// recordDeletedBrands records the deletion of brands.
func (t *Tx) recordDeletedBrands(storeKey string, brands []cohort.Brand) error {
	events := make([]cohort.Event, len(brands))
	for i, b := range brands {
		events[i] = brandFields.change(cohort.BrandDeleted, cohort.EventIDs{BrandID: b.ID}, brandResource(b), nil)
	}
	return t.record(storeKey, events...)
}

var variantFields = catalogFields{
	[]string{"price", "sale_price", "retail_price", "map_price", "option_values", "sku"}, cohort.VariantDetails,
}

func variantResource(v cohort.Variant) *resource {
	return &resource{fieldValues{
		priceJSON(v.Price), priceJSON(v.SalePrice), priceJSON(v.RetailPrice), priceJSON(v.MAPPrice),
		encodeOptionValues(v.OptionValues), mustMarshal(v.SKU),
	}, v.Details}
}

// recordVariant records the creation or, with the variant before, an update of a variant.
func (t *Tx) recordVariant(storeKey string, before *cohort.Variant, v cohort.Variant) error {
	if !t.records() {
		return nil
	}
	if before == nil {
		return t.record(storeKey, variantEvent(cohort.VariantCreated, v, nil, variantResource(v)))
	}
	if len(v.Details) == 0 { // then they stay
		v.Details = before.Details
	}
	return t.record(storeKey, variantEvent(cohort.VariantUpdated, v, variantResource(*before), variantResource(v)))
}

func variantEvent(kind cohort.EventKind, v cohort.Variant, before, after *resource) cohort.Event {
	return variantFields.change(kind, cohort.EventIDs{ProductID: v.ProductID, VariantID: v.ID}, before, after)
}

// recordImport records that an import has become visible, with what it did.
func (t *Tx) recordImport(storeKey string, counts []cohort.ImportCount) error {
	if !t.records() {
		return nil
	}
	var c eventChanges
	for _, n := range counts {
		if n.Added+n.Replaced+n.Unchanged == 0 {
			continue
		}
		c.add(importedNames[n.Kind], noValue, mustMarshal(map[string]int64{"added": n.Added, "replaced": n.Replaced, "unchanged": n.Unchanged}))
	}
	return t.record(storeKey, cohort.Event{Kind: cohort.CatalogImported, Changes: c.json()})
}

var importedNames = map[cohort.CatalogKind]string{
	cohort.CatalogBrand: "brands", cohort.CatalogCategory: "categories", cohort.CatalogProduct: "products", cohort.CatalogVariant: "variants",
}
