package db

// storedTables are the tables of a store's catalog that the checks and comparisons of an
// import read beside its temporary tables.
var storedTables = []string{
	"brands", "categories", "category_details", "tree_categories", "products", "product_categories", "product_details",
	"variants", "variant_details",
}

// ReadStored comes before the checks. Citus joins no temporary table with tables that it
// distributes. On such a database ReadStored therefore copies the rows of the store into
// temporary tables on the connection of the import, which from then on hide the tables of
// the same names. Elsewhere it does nothing.
//
// The caller holds the lease on the catalog, or calls it within Snapshot.
func (i *CatalogImport) ReadStored() error {
	if !i.tx.SQL().Distributed {
		return nil
	}
	for _, table := range storedTables {
		err := i.run("CREATE TEMP TABLE stored_"+table+" (LIKE "+table+" INCLUDING INDEXES)",
			"INSERT INTO stored_"+table+" SELECT * FROM "+table+" WHERE store_hash = $1",
			"ALTER TABLE stored_"+table+" RENAME TO "+table, "ANALYZE "+table)
		if err != nil {
			return err
		}
	}
	return nil
}
