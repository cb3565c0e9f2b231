package db

import (
	"reflect"
	"slices"

	"cohort.example/cohort"
)

// productSource returns the source of a list of products in an order.
func (c catalogTables) productSource(o cohort.ProductOrder) string {
	if o.ByDetail() {
		return c.withDetails()
	}
	return c.products
}

// productFilter is a filter of products, and how the database applies it.
type productFilter struct {
	cohort.ProductFilter
	// walk is whether the categories have so many products that it is faster to look at
	// products one after another than to collect those of the categories first.
	walk bool
}

// manyInCategories is the number of products in the categories of a filter from which a
// list looks at products one after another.
const manyInCategories = 10_000

func (t *Tx) productFilter(tables catalogTables, storeKey string, f cohort.ProductFilter) (productFilter, error) {
	if len(f.Categories) == 0 {
		return productFilter{ProductFilter: f}, nil
	}
	w := whereStore(storeKey)
	in(w, "category_id", f.Categories)
	limit := w.arg(manyInCategories)
	var n int64
	err := t.QueryRow("SELECT count(*) FROM (SELECT 1 FROM "+tables.productCategories+w.text.String()+" LIMIT CAST("+limit+" AS BIGINT)) AS counted", w.args...).Scan(&n)
	return productFilter{f, n == manyInCategories}, err
}

// whereProducts returns the clause that selects the products that pass a filter.
func (t *Tx) whereProducts(tables catalogTables, storeKey string, f productFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	notIn(w, "id", f.NotIDs)
	w.intRange("id", f.IDRange)
	w.name(f.Name, f.NameLike)
	if f.Keyword != "" {
		w.and("replace(name_folded, ?, '') <> name_folded", Fold(f.Keyword))
	}
	if f.Type != nil {
		w.and("type = ?", string(*f.Type))
	}
	w.amountRange("weight", f.Weight)
	if f.SKU != nil {
		w.productSKUs(tables, []string{*f.SKU})
	}
	w.productSKUs(tables, f.SKUs)
	w.inCategories(tables, f)
	w.amountRange("price", f.Price)
	w.timeRange("date_modified", f.DateModified)
	t.whereDetails(w, tables, f.Detail)
	t.whereChannels(w, f.ChannelIDs)
	if f.None {
		w.text.WriteString(" AND 1 = 0")
	}
	return w
}

// productSKUs adds the condition that a product has one of the SKUs, unless skus is
// nil. The base variant of a product has the same SKU, and table variants has an
// index on it.
func (w *where) productSKUs(tables catalogTables, skus []string) {
	in(w, "sku", skus)
	if skus == nil || slices.Contains(skus, "") {
		return
	}
	w.text.WriteString(" AND id IN (SELECT product_id FROM " + tables.variants + " WHERE store_hash = $1" + hasSKU)
	in(w, "sku", skus)
	w.text.WriteString(")")
}

// inCategories adds the condition that a product is in one of the categories, unless there
// are none.
func (w *where) inCategories(tables catalogTables, f productFilter) {
	switch {
	case f.Categories == nil:
		return
	case f.walk:
		w.text.WriteString(" AND EXISTS (SELECT 1 FROM " + tables.productCategories + " WHERE store_hash = $1 AND product_id = id")
	default:
		w.text.WriteString(" AND id IN (SELECT product_id FROM " + tables.productCategories + " WHERE store_hash = $1")
	}
	in(w, "category_id", f.Categories)
	w.text.WriteString(")")
}

// countInCategories returns how many products are in the categories of a filter, and false
// if the filter has other conditions too.
func (t *Tx) countInCategories(tables catalogTables, storeKey string, f cohort.ProductFilter) (n int64, only bool, err error) {
	categories := f.Categories
	f.Categories, f.With = nil, cohort.ProductWith{}
	if len(categories) == 0 || !reflect.ValueOf(f).IsZero() {
		return 0, false, nil
	}
	w := whereStore(storeKey)
	in(w, "category_id", categories)
	counted := "count(DISTINCT product_id)"
	if len(categories) == 1 {
		counted = "count(*)"
	}
	err = t.QueryRow("SELECT "+counted+" FROM "+tables.productCategories+w.text.String(), w.args...).Scan(&n)
	return n, true, err
}

// whereChannels adds the condition that a product is in one of the channels, unless ids is
// nil. Most products have no row, which means channel 1. So with that channel the exceptions
// are left out: the products whose rows name none of the channels. A row with channel 0
// means none.
func (t *Tx) whereChannels(w *where, ids []int64) {
	const rows = "SELECT product_id FROM product_channels WHERE store_hash = $1"
	switch {
	case ids == nil:
	case slices.Contains(ids, cohort.FirstChannelID):
		exceptions := rows + " GROUP BY product_id HAVING max(CASE WHEN channel_id <> 0 AND " + isIn(w, "channel_id", ids) + " THEN 1 ELSE 0 END) = 0"
		w.text.WriteString(" AND " + t.SQL().NotAmong("id", exceptions))
	default:
		w.text.WriteString(" AND id IN (" + rows + " AND channel_id <> 0")
		in(w, "channel_id", ids)
		w.text.WriteString(")")
	}
}

// whereDetails adds the conditions on brands and details. Most products have details like
// those that have none. So each condition selects exceptions, for which there is an index,
// and either requires them or, if products without details pass, leaves them out.
func (t *Tx) whereDetails(w *where, tables catalogTables, f cohort.ProductDetailFilter) {
	c := detailConditions{t, w, "SELECT product_id FROM " + tables.productDetails + " WHERE store_hash = $1 AND "}
	c.brands(f.BrandIDs)
	c.levels(f)
	c.text("upc", "", f.UPC)
	c.text("mpn", "", f.MPN)
	c.text("condition", "New", f.Condition)
	c.text("availability", "available", f.Availability)
	const tracked = "inventory_tracking <> 'none' AND "
	for _, flag := range []struct {
		exceptions string
		standard   bool // the value of products without details
		want       *bool
	}{
		{"NOT is_visible", true, f.IsVisible},
		{"is_featured", false, f.IsFeatured},
		{"is_free_shipping", false, f.IsFreeShipping},
		{tracked + "inventory_level <= inventory_warning_level", false, f.LowInventory},
		{tracked + "inventory_level = 0", false, f.OutOfStock},
	} {
		if flag.want != nil {
			c.add(*flag.want == flag.standard, flag.exceptions)
		}
	}
}

// detailConditions adds conditions on product_details to a clause.
type detailConditions struct {
	t    *Tx
	w    *where
	rows string // the beginning of a query for the ids of products
}

// add adds the condition that a product is not one of the exceptions, if others pass, or
// that it is.
func (c detailConditions) add(othersPass bool, exceptions string) {
	if othersPass {
		c.w.text.WriteString(" AND " + c.t.SQL().NotAmong("id", c.rows+exceptions))
	} else {
		c.w.text.WriteString(" AND id IN (" + c.rows + exceptions + ")")
	}
}

// brands adds the condition on brands. A product whose brand was deleted has none, 0.
func (c detailConditions) brands(ids []int64) {
	if ids == nil {
		return
	}
	const exists = " AND EXISTS (SELECT 1 FROM brands AS b WHERE b.store_hash = $1 AND b.id = brand_id)"
	among := isIn(c.w, "brand_id", ids)
	c.either(slices.Contains(ids, 0), among+exists, "NOT "+among+exists)
}

// either adds a condition of which others pass, so that those that fail are the exceptions,
// or of which those that pass are.
func (c detailConditions) either(othersPass bool, passes, fails string) {
	if othersPass {
		c.add(true, fails)
	} else {
		c.add(false, passes)
	}
}

// levels adds the conditions on the level of the inventory, which is 0 without details.
func (c detailConditions) levels(f cohort.ProductDetailFilter) {
	const column = "inventory_level"
	if ids := f.InventoryLevels; ids != nil {
		among := isIn(c.w, column, ids)
		c.either(slices.Contains(ids, 0), among, "NOT "+among)
	}
	if ids := f.NotInventoryLevels; ids != nil {
		among := isIn(c.w, column, ids)
		c.either(!slices.Contains(ids, 0), "NOT "+among, among)
	}
	if lowest := f.InventoryLevel.Min; lowest != nil {
		bound := c.w.arg(*lowest)
		c.either(*lowest <= 0, column+" >= "+bound, column+" < "+bound)
	}
	if highest := f.InventoryLevel.Max; highest != nil {
		bound := c.w.arg(*highest)
		c.either(*highest >= 0, column+" <= "+bound, column+" > "+bound)
	}
}

// text adds the condition that a text has a value. Products without details have the
// standard value.
func (c detailConditions) text(column, standard string, want *string) {
	exceptions := column + " <> '" + standard + "'"
	switch {
	case want == nil:
	case *want == standard:
		c.add(true, exceptions)
	default:
		c.add(false, column+" = "+c.w.arg(*want)+" AND "+exceptions)
	}
}
