package db

import (
	"context"

	"cohort.example/cohort/internal/txn"
)

// maxBatchBytes bounds the text in the rows of one batch, which are in memory.
const maxBatchBytes = 256 << 10

// staged is a table that Stage fills with the rows of a query. The query's columns
// are the table's columns after store_hash.
type staged struct {
	table table
	query string
}

// stagedTables hold the rows that an import adds or changes.
var stagedTables = []staged{
	{incoming("incoming_categories", integer("id"), integer("parent_id"), text("name"), text("name_folded")),
		"SELECT id, parent_id, name, name_folded FROM import_categories WHERE state <> 0 ORDER BY id"},
	{incoming("incoming_products", integer("id"), text("name"), text("name_folded"), text("type"), text("sku"), integer("weight"),
		integer("price"), integer("sale_price"), integer("retail_price"), integer("map_price"), text("bulk_tiers"),
		integer("base_variant_id"), integer("date_created"), integer("date_modified")),
		`SELECT id, name, name_folded, type, sku, weight, price, sale_price, retail_price, map_price, bulk_tiers, base_variant_id,
			date_created, date_modified FROM import_products WHERE state <> 0 ORDER BY id`},
	{incoming("incoming_product_categories", integer("product_id"), integer("category_id"), integer("position")),
		`SELECT i.product_id, i.category_id, i.position FROM import_product_categories AS i
			JOIN import_products AS p ON p.id = i.product_id WHERE p.state <> 0 ORDER BY i.product_id, i.category_id`},
	{incoming("incoming_variants", integer("id"), integer("product_id"), text("sku"), integer("price"), integer("sale_price"),
		integer("retail_price"), integer("map_price"), text("option_values")),
		`SELECT id, product_id, sku, price, sale_price, retail_price, map_price, option_values
			FROM import_variants WHERE state <> 0 ORDER BY id`},
	stagedDetails(categoryDetails, importCategories),
	stagedDetails(productDetails, importProducts),
	stagedDetails(variantDetails, importVariants),
}

func incoming(name string, columns ...column) table {
	return table{name: name, key: "store_hash, " + columns[0].name, columns: append([]column{text("store_hash")}, columns...)}
}

// Stage writes the added and replaced rows to the incoming tables in batches.
// Readers do not see them until Publish. Each batch calls lease for the renewed
// lease.
func (i *CatalogImport) Stage(lease func() ImportLease) error {
	batches := i.db.batches()
	for _, s := range stagedTables {
		if err := i.stage(s, batches, lease); err != nil {
			return err
		}
	}
	return nil
}

func (i *CatalogImport) stage(s staged, batches *batches, lease func() ImportLease) error {
	rows, err := i.tx.Query(s.query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		slice, err := i.nextBatch(rows, s.table, batches.rows)
		if err != nil || len(slice) == 0 {
			return err
		}
		l := lease()
		err = batches.do(i.caller, func(tx *Tx) error {
			if err := tx.RenewImport(l, ImportStaging); err != nil {
				return err
			}
			return tx.insertRows(s.table, slice)
		})
		if err != nil {
			return err
		}
	}
}

// nextBatch reads the next batch of up to most rows.
func (i *CatalogImport) nextBatch(rows txn.Rows, t table, most int) (slice [][]any, err error) {
	for size := 0; len(slice) < most && size < maxBatchBytes && rows.Next(); {
		row := make([]any, len(t.columns))
		row[0] = i.storeKey
		for c := 1; c < len(row); c++ {
			row[c] = t.columns[c].new()
		}
		if err := rows.Scan(row[1:]...); err != nil {
			return nil, err
		}
		for _, v := range row {
			if s, isText := v.(*string); isText {
				size += len(*s)
			}
		}
		slice = append(slice, row)
	}
	return slice, rows.Err()
}

// insertRows inserts rows into a table.
func (t *Tx) insertRows(into table, all [][]any) error {
	for len(all) > 0 {
		n := min(copyRows, len(all))
		args := make([]any, 0, n*len(into.columns))
		for _, row := range all[:n] {
			args = append(args, row...)
		}
		if err := t.Later(into.insert(n), args...); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// Publish makes the staged rows visible to readers, writes the brands and advances the id
// counters, in one transaction. It returns KindConflict if a brand has the name of another
// one, which only a node of an older version can have written.
// It records one event of the import.
func (i *CatalogImport) Publish(ctx context.Context, l ImportLease) error {
	return i.db.Update(ctx, func(tx *Tx) error {
		if err := tx.PublishImport(l); err != nil {
			return err
		}
		if err := i.publishBrands(tx); err != nil {
			return err
		}
		for _, t := range i.reserved {
			if _, err := tx.ReserveIDs(i.storeKey, t.kind, t.upTo, 0); err != nil {
				return err
			}
		}
		return tx.recordImport(i.storeKey, i.counted)
	})
}
