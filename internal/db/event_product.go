package db

import (
	"slices"
	"strconv"

	"cohort.example/cohort"
)

// productFields begin with those that prices depend on: they are the last to be left out of
// an event that is too long.
var productFields = catalogFields{
	[]string{
		"price", "sale_price", "retail_price", "map_price", "bulk_pricing_rules", "base_variant_id", categoriesField,
		"name", "type", "sku", "weight", "brand_id",
	}, cohort.ProductDetails,
}

const (
	categoriesField = "categories"
	channelsField   = "channels"
	adjustersField  = "price_adjusters"
)

func productResource(p cohort.Product) *resource {
	return &resource{fieldValues{
		amountJSON(p.Price), amountJSON(p.SalePrice), amountJSON(p.RetailPrice), amountJSON(p.MAPPrice), encodeTiers(p.BulkTiers),
		strconv.FormatInt(p.BaseVariantID, 10), idsText(p.Categories),
		mustMarshal(p.Name), mustMarshal(p.Type), mustMarshal(p.SKU), amountJSON(p.Weight), strconv.FormatInt(p.BrandID, 10),
	}, p.Details}
}

// recordNewProduct records the creation of a product.
func (t *Tx) recordNewProduct(storeKey string, p cohort.Product) error {
	if !t.records() {
		return nil
	}
	return t.record(storeKey, productFields.change(cohort.ProductCreated, cohort.EventIDs{ProductID: p.ID}, nil, productResource(p)))
}

// recordProduct records an update of a product.
func (t *Tx) recordProduct(storeKey string, before, after cohort.Product) error {
	if !t.records() {
		return nil
	}
	return t.record(storeKey, productFields.change(cohort.ProductUpdated, cohort.EventIDs{ProductID: after.ID},
		productResource(before), productResource(after)))
}

// deletedAtOnce is how many products are deleted with one statement if that is recorded. It
// bounds the memory of their events.
const deletedAtOnce = 50

// deleteProducts deletes products with their variants, and records the deletion of each.
func (t *Tx) deleteProducts(storeKey string, ids []int64) error {
	for chunk := range slices.Chunk(ids, deletedAtOnce) {
		events, err := t.productDeletions(storeKey, chunk)
		if err != nil {
			return err
		}
		w := whereStore(storeKey)
		in(w, "id", chunk)
		if err := t.Later("DELETE FROM products"+w.text.String(), w.args...); err != nil {
			return err
		}
		if err := t.record(storeKey, events...); err != nil {
			return err
		}
	}
	return nil
}

// productDeletions returns the events of the deletion of products: those of their variants
// precede those of the products.
func (t *Tx) productDeletions(storeKey string, ids []int64) (events []cohort.Event, err error) {
	var products []cohort.Product
	f := cohort.ProductFilter{IDs: ids, With: cohort.ProductWith{Channels: true}}
	err = t.ReadProducts(storeKey, f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: len(ids)}, func(p cohort.Product) bool {
		products = append(products, p)
		return true
	})
	if err != nil {
		return nil, err
	}
	records, err := t.recordsToDelete(storeKey, "product_id", ids)
	if err != nil {
		return nil, err
	}
	err = t.ReadVariantsOf(storeKey, products, 0, func(v CatalogVariant) bool {
		events = append(events, deletedVariant(v.Variant, records[v.ID]))
		return true
	})
	if err != nil {
		return nil, err
	}
	adjusters, err := t.adjustersOf(storeKey, ids)
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		var c eventChanges
		if own := adjusters[p.ID]; len(own) > 0 {
			c.add(adjustersField, mustMarshal(own), noValue)
		}
		productFields.diff(&c, productResource(p), nil)
		c.add(channelsField, idsText(p.Channels), noValue)
		events = append(events, cohort.Event{Kind: cohort.ProductDeleted, EventIDs: cohort.EventIDs{ProductID: p.ID}, Changes: c.json()})
	}
	return events, nil
}

// productList is a list of ids that products have.
type productList struct {
	field string
	read  func(storeKey string, products []cohort.Product) error // sets the list
	of    func(cohort.Product) []int64
}

func (t *Tx) categoryLists() productList {
	return productList{categoriesField, t.readCategories, func(p cohort.Product) []int64 { return p.Categories }}
}

func (t *Tx) channelLists() productList {
	return productList{channelsField, t.readChannels, func(p cohort.Product) []int64 { return p.Channels }}
}

// assignedProducts returns the products with assignments that pass a filter.
func (t *Tx) assignedProducts(storeKey string, source assignmentSource, f cohort.ProductAssignmentFilter) ([]int64, error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return nil, err
	}
	w := whereAssigned(storeKey, f)
	return t.findIDs("SELECT DISTINCT product_id FROM "+source(tables, f)+w.text.String()+" ORDER BY product_id", w.args...)
}

// changeLists calls change. If changes must be recorded, it calls it with parts of the
// products instead of with nil, and records for which of them the list has changed. No
// other transaction writes the lists of products that products has returned.
func (t *Tx) changeLists(storeKey string, list productList, products func() ([]int64, error), change func(ids []int64) error) error {
	on, err := t.recordsFor(storeKey)
	if err != nil {
		return err
	}
	if !on {
		return change(nil)
	}
	ids, err := products()
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(ids, inChunk) {
		if err := t.changeListsOf(storeKey, list, chunk, change); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) changeListsOf(storeKey string, list productList, ids []int64, change func(ids []int64) error) error {
	before, err := t.readLists(storeKey, ids, list)
	if err != nil {
		return err
	}
	if err := change(ids); err != nil {
		return err
	}
	after, err := t.readLists(storeKey, ids, list)
	if err != nil {
		return err
	}
	var events []cohort.Event
	for i, id := range ids {
		var c eventChanges
		if c.add(list.field, idsText(before[i]), idsText(after[i])); !c.isEmpty() {
			events = append(events, cohort.Event{Kind: cohort.ProductUpdated, EventIDs: cohort.EventIDs{ProductID: id}, Changes: c.json()})
		}
	}
	return t.record(storeKey, events...)
}

// assignmentsOf returns the assignments of products; nil: of all.
func assignmentsOf(list []cohort.ProductAssignment, ids []int64) []cohort.ProductAssignment {
	if ids == nil {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(a cohort.ProductAssignment) bool { return !slices.Contains(ids, a.ProductID) })
}

// filterOf returns a filter for those of its assignments that are of products; nil: of all.
func filterOf(f cohort.ProductAssignmentFilter, ids []int64) cohort.ProductAssignmentFilter {
	if ids != nil {
		f.ProductIDs = ids
	}
	return f
}

func (t *Tx) readLists(storeKey string, ids []int64, list productList) (lists [][]int64, err error) {
	for chunk := range slices.Chunk(ids, productBatch) {
		products := make([]cohort.Product, len(chunk))
		for i, id := range chunk {
			products[i].ID = id
		}
		if err := list.read(storeKey, products); err != nil {
			return nil, err
		}
		for _, p := range products {
			lists = append(lists, list.of(p))
		}
	}
	return lists, nil
}
