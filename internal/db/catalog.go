package db

import (
	"errors"

	"cohort.example/cohort/internal/txn"
)

// catalogTables are the sources of a store's catalog in a FROM clause: table
// names, or sub-selects in their place.
type catalogTables struct {
	categories, products, productCategories, variants, variantDetails string
	categoryDetails, productDetails                                   string
	// priceRecords are the price records joined with their variants.
	priceRecords string
	// withImport reports that an import is published but not merged.
	withImport bool
}

// storedCatalog is the catalog of a store without an unmerged import.
var storedCatalog = catalogTables{
	categories: "categories", products: "products", productCategories: "product_categories", variants: "variants",
	variantDetails:  variantDetails.name,
	categoryDetails: categoryDetails.name, productDetails: productDetails.name,
	priceRecords: "(" + recordsWith("variants", "") + ") AS records",
}

// catalogWithImport is the catalog of a store whose import is published but not
// merged: the rows of the import replace the stored rows with the same ids.
var catalogWithImport = catalogTables{
	withImport:        true,
	categories:        unionIncoming("categories", "id, parent_id, name, name_folded", "id"),
	products:          unionIncoming("products", "name_folded, "+productColumns, "id"),
	productCategories: unionIncoming("product_categories", "product_id, category_id, position", "product_id"),
	variants:          unionIncoming("variants", variantColumns, "id"),
	variantDetails:    variantDetails.withIncoming(),
	categoryDetails:   categoryDetails.withIncoming(),
	productDetails:    productDetails.withIncoming(),
	priceRecords: "(" + recordsWith("variants", " WHERE "+notReplaced("variants", "v", "id")) + " UNION ALL " +
		recordsWith("incoming_variants", "") + ") AS records",
}

// replacedBy names, for each catalog table, the column of an import table whose ids
// decide which stored rows are replaced. An imported product replaces all of its
// product_categories rows, and details only if the import has any for it.
var replacedBy = map[string]struct{ table, id string }{
	"categories":         {"incoming_categories", "id"},
	"products":           {"incoming_products", "id"},
	"product_categories": {"incoming_products", "id"},
	"variants":           {"incoming_variants", "id"},
	categoryDetails.name: {"incoming_category_details", "category_id"},
	productDetails.name:  {"incoming_product_details", "product_id"},
	variantDetails.name:  {"incoming_variant_details", "variant_id"},
}

// notReplaced is the condition that no row of an import replaces a row of the
// table. alias is the table's alias in the query, and column holds the id.
func notReplaced(table, alias, column string) string {
	by := replacedBy[table]
	return "NOT EXISTS (SELECT 1 FROM " + by.table + " AS i WHERE i.store_hash = " + alias + ".store_hash AND i." + by.id + " = " +
		alias + "." + column + ")"
}

// unionIncoming is a sub-select of the rows of a table that the import does not
// replace, and of the rows of the import.
func unionIncoming(table, columns, column string) string {
	return "(SELECT store_hash, " + columns + " FROM " + table + " AS b WHERE " + notReplaced(table, "b", column) +
		" UNION ALL SELECT store_hash, " + columns + " FROM incoming_" + table + ") AS " + table
}

// catalog returns the tables from which this transaction reads the store's
// catalog. It queries the import's state once per transaction and store.
func (t *Tx) catalog(storeKey string) (catalogTables, error) {
	if t.catalogKnown && t.catalogStore == storeKey {
		return t.tables(), nil
	}
	var one int64
	err := t.Lookup("SELECT 1 FROM catalog_imports WHERE store_hash = $1 AND state = 'published'", storeKey).Scan(&one)
	if err != nil && !errors.Is(err, txn.ErrNoRows) {
		return catalogTables{}, err
	}
	t.setCatalog(storeKey, err == nil)
	return t.tables(), nil
}

func (t *Tx) tables() catalogTables {
	if t.catalogWithImport {
		return catalogWithImport
	}
	return storedCatalog
}

// setCatalog records how this transaction reads the store's catalog.
func (t *Tx) setCatalog(storeKey string, withImport bool) {
	t.catalogKnown, t.catalogStore, t.catalogWithImport = true, storeKey, withImport
}

// forgetCatalog makes the next read query the import's state again.
func (t *Tx) forgetCatalog() { t.catalogKnown = false }

// catalogRowsOf is rowsOf for a table of the store's catalog.
func (t *Tx) catalogRowsOf(c catalogTables, l txn.LookupBy) string {
	if !c.withImport {
		return t.rowsOf(l)
	}
	stored, incoming := l, l
	column := "id"
	switch l.Table {
	case "product_categories":
		column = "product_id"
	case variantDetails.name:
		column = variantDetails.owner()
	}
	stored.Condition += " AND " + notReplaced(l.Table, "x", column)
	incoming.Table = "incoming_" + l.Table
	return t.rowsOf(stored) + " UNION ALL " + t.rowsOf(incoming)
}
