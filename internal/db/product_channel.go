package db

import (
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// isAloneInFirst is the condition on a row of product_channels that it says what no row
// says too: the product is in channel 1 and no other.
const isAloneInFirst = `channel_id = 1 AND NOT EXISTS (SELECT 1 FROM product_channels AS o
	WHERE o.store_hash = product_channels.store_hash AND o.product_id = product_channels.product_id AND o.channel_id <> 1)`

// hasNoChannelRow is the condition on products that a product is in channel 1 because it
// has no rows in product_channels.
const hasNoChannelRow = `NOT EXISTS (SELECT 1 FROM product_channels AS c
	WHERE c.store_hash = products.store_hash AND c.product_id = products.id)`

// channelAssignments returns the source of the assignments of products to channels.
func (c catalogTables) channelAssignments(f cohort.ProductAssignmentFilter) string {
	if f.TargetIDs != nil && !slices.Contains(f.TargetIDs, cohort.FirstChannelID) {
		return "(SELECT store_hash, product_id, channel_id AS target_id FROM product_channels) AS assigned"
	}
	return "(SELECT p.store_hash, p.id AS product_id, COALESCE(c.channel_id, 1) AS target_id FROM " + txn.As(c.products, "p") +
		" LEFT JOIN product_channels AS c ON c.store_hash = p.store_hash AND c.product_id = p.id) AS assigned"
}

// categoryAssignments returns the source of the assignments of products to categories.
func (c catalogTables) categoryAssignments(cohort.ProductAssignmentFilter) string {
	return "(SELECT store_hash, product_id, category_id AS target_id FROM " + c.productCategories + ") AS assigned"
}

// ReadChannelAssignments calls fn with the assignments of a page that pass the filter, by
// product and channel, until fn returns false.
func (t *Tx) ReadChannelAssignments(storeKey string, f cohort.ProductAssignmentFilter, p cohort.Page, fn func(cohort.ProductAssignment) (more bool)) error {
	return t.readProductAssignments(storeKey, catalogTables.channelAssignments, f, p, fn)
}

// ReadCategoryAssignments is ReadChannelAssignments for categories.
func (t *Tx) ReadCategoryAssignments(storeKey string, f cohort.ProductAssignmentFilter, p cohort.Page, fn func(cohort.ProductAssignment) (more bool)) error {
	return t.readProductAssignments(storeKey, catalogTables.categoryAssignments, f, p, fn)
}

// assignmentSource returns the source of one kind of assignments.
type assignmentSource func(catalogTables, cohort.ProductAssignmentFilter) string

func (t *Tx) readProductAssignments(storeKey string, source assignmentSource, f cohort.ProductAssignmentFilter, p cohort.Page, fn func(cohort.ProductAssignment) bool) error {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return err
	}
	return listing[cohort.ProductAssignment]{
		columns: "product_id, target_id", table: source(tables, f), where: func() *where { return whereAssigned(storeKey, f) },
		keys: []sortKey{{column: "product_id"}, {column: "target_id"}}, scan: scanProductAssignment,
	}.each(t, p, p.Size, fn)
}

// CountChannelAssignments returns how many assignments to channels pass the filter.
func (t *Tx) CountChannelAssignments(storeKey string, f cohort.ProductAssignmentFilter) (int64, error) {
	return t.countProductAssignments(storeKey, catalogTables.channelAssignments, f)
}

// CountCategoryAssignments returns how many assignments to categories pass the filter.
func (t *Tx) CountCategoryAssignments(storeKey string, f cohort.ProductAssignmentFilter) (int64, error) {
	return t.countProductAssignments(storeKey, catalogTables.categoryAssignments, f)
}

func (t *Tx) countProductAssignments(storeKey string, source assignmentSource, f cohort.ProductAssignmentFilter) (n int64, err error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return 0, err
	}
	w := whereAssigned(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM "+source(tables, f)+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereAssigned(storeKey string, f cohort.ProductAssignmentFilter) *where {
	w := whereStore(storeKey)
	in(w, "product_id", f.ProductIDs)
	in(w, "target_id", f.TargetIDs)
	w.text.WriteString(" AND target_id <> 0")
	return w
}

func scanProductAssignment(row txn.Scanner) (a cohort.ProductAssignment, err error) {
	return a, row.Scan(&a.ProductID, &a.TargetID)
}

// readChannels sets the channels of products.
func (t *Tx) readChannels(storeKey string, products []cohort.Product) error {
	index := make(map[int64]int, len(products))
	var ids []int64
	for i, p := range products {
		ids, index[p.ID] = append(ids, p.ID), i
	}
	f := cohort.ProductAssignmentFilter{ProductIDs: ids}
	page := cohort.Page{Number: 1, Size: len(products) * (cohort.MaxChannels + cohort.MaxDeletedChannels)}
	return t.ReadChannelAssignments(storeKey, f, page, func(a cohort.ProductAssignment) bool {
		p := &products[index[a.ProductID]]
		p.Channels = append(p.Channels, a.TargetID)
		return true
	})
}

// LockProductChannels takes the exclusive lock on the channels of the store's products
// until the transaction ends.
func (t *Tx) LockProductChannels(storeKey string) error {
	return t.LockStore(productChannels, storeKey)
}

// AddProductChannels adds products to channels. LockProductChannels must be called before.
func (t *Tx) AddProductChannels(storeKey string, list []cohort.ProductAssignment) error {
	products := func() ([]int64, error) { return productsOf(list), nil }
	return t.changeLists(storeKey, t.channelLists(), products, func(ids []int64) error {
		return t.addProductChannels(storeKey, assignmentsOf(list, ids))
	})
}

func (t *Tx) addProductChannels(storeKey string, list []cohort.ProductAssignment) error {
	ids := productsOf(list)
	w := whereStore(storeKey)
	in(w, "id", ids)
	err := t.Later("INSERT INTO product_channels (store_hash, product_id, channel_id) SELECT store_hash, id, 1 FROM products"+
		w.text.String()+" AND "+hasNoChannelRow, w.args...)
	if err != nil {
		return err
	}
	w = whereStore(storeKey)
	in(w, "product_id", ids)
	if err := t.Later("DELETE FROM product_channels"+w.text.String()+" AND channel_id = 0", w.args...); err != nil {
		return err
	}
	for _, a := range list {
		err := t.Later("INSERT INTO product_channels (store_hash, product_id, channel_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			storeKey, a.ProductID, a.TargetID)
		if err != nil {
			return err
		}
	}
	return t.Later("DELETE FROM product_channels"+w.text.String()+" AND "+isAloneInFirst, w.args...)
}

// productsOf returns the ids of the products, each once.
func productsOf(list []cohort.ProductAssignment) []int64 {
	ids := make([]int64, len(list))
	for i, a := range list {
		ids[i] = a.ProductID
	}
	return distinctIDs(ids)
}

// DeleteProductChannels removes products from channels. LockProductChannels must be called
// before.
func (t *Tx) DeleteProductChannels(storeKey string, f cohort.ProductAssignmentFilter) error {
	products := func() ([]int64, error) { return t.assignedProducts(storeKey, catalogTables.channelAssignments, f) }
	return t.changeLists(storeKey, t.channelLists(), products, func(ids []int64) error {
		return t.deleteProductChannels(storeKey, filterOf(f, ids))
	})
}

// LeaveChannel is DeleteProductChannels for a channel that is deleted. It records no events
// of the products.
func (t *Tx) LeaveChannel(storeKey string, channelID int64) error {
	return t.deleteProductChannels(storeKey, cohort.ProductAssignmentFilter{TargetIDs: []int64{channelID}})
}

func (t *Tx) deleteProductChannels(storeKey string, f cohort.ProductAssignmentFilter) error {
	if f.TargetIDs == nil || slices.Contains(f.TargetIDs, cohort.FirstChannelID) {
		w := whereStore(storeKey)
		in(w, "id", f.ProductIDs)
		err := t.Later("INSERT INTO product_channels (store_hash, product_id, channel_id) SELECT store_hash, id, 0 FROM products"+
			w.text.String()+" AND "+hasNoChannelRow, w.args...)
		if err != nil {
			return err
		}
	}
	// A product that loses all of its channels gets the row that says so.
	selected := func() *where {
		w := whereStore(storeKey)
		in(w, "product_id", f.ProductIDs)
		in(w, "channel_id", f.TargetIDs)
		w.text.WriteString(" AND channel_id <> 0")
		return w
	}
	w := selected()
	if f.TargetIDs != nil {
		w.text.WriteString(` AND NOT EXISTS (SELECT 1 FROM product_channels AS o
			WHERE o.store_hash = product_channels.store_hash AND o.product_id = product_channels.product_id`)
		notIn(w, "o.channel_id", f.TargetIDs)
		w.text.WriteString(")")
	}
	err := t.Later("INSERT INTO product_channels (store_hash, product_id, channel_id) SELECT DISTINCT store_hash, product_id, CAST(0 AS BIGINT) FROM product_channels"+
		w.text.String(), w.args...)
	if err != nil {
		return err
	}
	w = selected()
	if err := t.Later("DELETE FROM product_channels"+w.text.String(), w.args...); err != nil {
		return err
	}
	w = whereStore(storeKey)
	in(w, "product_id", f.ProductIDs)
	return t.Later("DELETE FROM product_channels"+w.text.String()+" AND "+isAloneInFirst, w.args...)
}
