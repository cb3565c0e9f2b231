package db

import (
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// brandTable is the table of brands, in the form of copied.
var brandTable = table{"brands", "store_hash, id", []column{
	text("store_hash"), integer("id"), text("name"), text("name_folded"), text("page_title"), text("details"),
}}

// importBrands is the temporary table of brands. Column keep is 1 if the import keeps the
// stored details.
var importBrands = table{name: "import_brands", columns: []column{
	integer("line"), integer("state"), integer("id"), integer("keep"), text("name"), text("name_folded"), text("page_title"), text("details"),
}}

func (i *CatalogImport) addBrand(item cohort.CatalogItem) error {
	b, keep := item.Brand, 1
	if item.ReplaceDetails {
		keep = 0
	}
	return i.brands.add(item.Line, rowUnchanged, item.ID, keep, b.Name, Fold(b.Name), b.Details.Text("page_title", ""), encodeDetails(b.Details))
}

// compareBrands is the statement of compareStatements for brands.
const compareBrands = `UPDATE import_brands SET state = COALESCE((
	SELECT CASE WHEN b.name = import_brands.name AND (import_brands.keep = 1 OR b.details = import_brands.details) THEN 0 ELSE 2 END
	FROM brands b WHERE b.store_hash = $1 AND b.id = import_brands.id), 1)`

// The brands that an import replaces, and those that it replaces or adds, as the columns of
// brandTable after store_hash. $1 is the store's key.
const (
	replacedBrands = "SELECT id FROM import_brands WHERE state = 2 ORDER BY id"
	changedBrands  = `SELECT i.id, i.name, i.name_folded,
			CASE WHEN i.keep = 1 THEN COALESCE(b.page_title, '') ELSE i.page_title END,
			CASE WHEN i.keep = 1 THEN COALESCE(b.details, '') ELSE i.details END
		FROM import_brands AS i LEFT JOIN brands AS b ON b.store_hash = $1 AND b.id = i.id
		WHERE i.state <> 0 ORDER BY i.id`
)

// brandBatch is the number of brands that Publish deletes or reads at a time.
const brandBatch = 500

// publishBrands writes the added and replaced brands. Unlike other rows of an import they
// are not staged: they are few, and neither prices nor access depend on them.
func (i *CatalogImport) publishBrands(tx *Tx) error {
	if err := i.deleteReplacedBrands(tx); err != nil {
		return err
	}
	// The lease keeps the stored brands as they are, so this connection reads what tx does
	// not have any more.
	rows, err := i.tx.Query(changedBrands, i.storeKey)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		batch, err := i.nextBatch(rows, brandTable, brandBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := tx.insertRows(brandTable, batch); err != nil {
			return err
		}
		if err := tx.Await(); err != nil { // otherwise all batches would be in memory
			return err
		}
	}
}

// deleteReplacedBrands deletes the stored brands that the import replaces. Brands may swap
// names, and names are unique, so they go before any of them is written.
func (i *CatalogImport) deleteReplacedBrands(tx *Tx) error {
	rows, err := i.tx.Query(replacedBrands)
	if err != nil {
		return err
	}
	ids, err := txn.Collect(rows, func(row txn.Scanner) (id int64, err error) { return id, row.Scan(&id) })
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, brandBatch) {
		if err := tx.deleteBrandRows(i.storeKey, cohort.BrandFilter{IDs: batch}); err != nil {
			return err
		}
	}
	return nil
}
