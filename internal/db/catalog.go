package db

import (
	"errors"

	"cohort.example/cohort/internal/txn"
)

// catalogTables is what a store's catalog is read from: the names of tables, or
// sub-selects that stand in their place.
type catalogTables struct {
	categories, products, productCategories, variants string
	// priceRecords is records with what their variants say beside them.
	priceRecords string
	// overlaid reports that an import is published and not merged.
	overlaid bool
}

// storedCatalog is the catalog of a store without an import that is to be merged.
var storedCatalog = catalogTables{
	categories: "categories", products: "products", productCategories: "product_categories", variants: "variants",
	priceRecords: "(" + recordsWith("variants", "") + ") AS records",
}

// overlaidCatalog is the catalog of a store whose import is published and not
// merged: the rows of the import take the place of those with the same ids.
var overlaidCatalog = catalogTables{
	overlaid:          true,
	categories:        overlay("categories", "id, parent_id, name, name_folded", "id"),
	products:          overlay("products", "name_folded, "+productColumns, "id"),
	productCategories: overlay("product_categories", "product_id, category_id, position", "product_id"),
	variants:          overlay("variants", variantColumns, "id"),
	priceRecords: "(" + recordsWith("variants", " WHERE "+notReplaced("variants", "v", "id")) + " UNION ALL " +
		recordsWith("incoming_variants", "") + ") AS records",
}

// replacedBy is the table of an import whose rows, by their ids, take the place
// of a table's. A product brings its categories along.
var replacedBy = map[string]string{
	"categories":         "incoming_categories",
	"products":           "incoming_products",
	"product_categories": "incoming_products",
	"variants":           "incoming_variants",
}

// notReplaced is the condition that an import has nothing for a row of a table,
// which is called by its alias, and whose id is in a column.
func notReplaced(table, alias, column string) string {
	return "NOT EXISTS (SELECT 1 FROM " + replacedBy[table] + " AS i WHERE i.store_hash = " + alias + ".store_hash AND i.id = " +
		alias + "." + column + ")"
}

func overlay(table, columns, column string) string {
	return "(SELECT store_hash, " + columns + " FROM " + table + " AS b WHERE " + notReplaced(table, "b", column) +
		" UNION ALL SELECT store_hash, " + columns + " FROM incoming_" + table + ") AS " + table
}

// catalog returns what the store's catalog is read from in this transaction.
func (t *Tx) catalog(storeKey string) (catalogTables, error) {
	if t.catalogKnown && t.catalogStore == storeKey {
		return t.tables(), nil
	}
	var one int64
	err := t.Lookup("SELECT 1 FROM catalog_imports WHERE store_hash = $1 AND state = 'published'", storeKey).Scan(&one)
	if err != nil && !errors.Is(err, txn.ErrNoRows) {
		return catalogTables{}, err
	}
	t.knowCatalog(storeKey, err == nil)
	return t.tables(), nil
}

func (t *Tx) tables() catalogTables {
	if t.catalogOverlaid {
		return overlaidCatalog
	}
	return storedCatalog
}

// knowCatalog keeps for the rest of the transaction how a store's catalog is read.
func (t *Tx) knowCatalog(storeKey string, overlaid bool) {
	t.catalogKnown, t.catalogStore, t.catalogOverlaid = true, storeKey, overlaid
}

// forgetCatalog has the next read look again.
func (t *Tx) forgetCatalog() { t.catalogKnown = false }

// catalogOfIDs is ofIDs for a table of the catalog of a store.
func (t *Tx) catalogOfIDs(c catalogTables, l txn.LookupBy) string {
	if !c.overlaid {
		return t.ofIDs(l)
	}
	stored, incoming := l, l
	column := "id"
	if l.Table == "product_categories" {
		column = "product_id"
	}
	stored.Condition += " AND " + notReplaced(l.Table, "x", column)
	incoming.Table = "incoming_" + l.Table
	return t.ofIDs(stored) + " UNION ALL " + t.ofIDs(incoming)
}
