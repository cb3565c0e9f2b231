package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// CatalogImport is an import of a catalog into a store. It loads the catalog into
// temporary tables on its own connection, checks it there as a whole, and then
// writes it in batches. It never holds more than one batch in memory.
type CatalogImport struct {
	db                                                *DB
	tx                                                *Tx             // on the import's connection
	caller                                            context.Context // cancels the import
	storeKey                                          string
	brands                                            *loader
	categories, products, productCategories, variants *loader
	categoryDetails, productDetails, variantDetails   *loader
	parted, partIDs                                   *loader
	lastPartIDs                                       map[string]int64 // the last ids of parts in use, by kind
	reserved                                          []reservedIDs
	counted                                           []cohort.ImportCount // by Compare
}

// The values of column state: what the import does with a loaded row.
const (
	rowBad       = -1 // nothing: the line is invalid, but other lines may name its id
	rowUnchanged = 0
	rowAdded     = 1
	rowReplaced  = 2
)

// The temporary tables. Column options of import_variants holds the option values
// ordered by option id, for comparison. A product's base_variant_id is negative
// until takeIDs assigns an id, and so is the id of a variant that the import
// creates for it. Empty bulk_tiers keep the stored tiers.
var (
	importCategories = table{name: "import_categories", columns: []column{
		integer("line"), integer("state"), integer("id"), integer("parent_id"), text("name"), text("name_folded"),
	}}
	importProducts = table{name: "import_products", columns: []column{
		integer("line"), integer("state"), integer("id"), text("name"), text("name_folded"), text("type"), text("sku"),
		integer("weight"), integer("price"), integer("sale_price"), integer("retail_price"), integer("map_price"),
		text("bulk_tiers"), integer("base_variant_id"), integer("date_created"), integer("date_modified"),
	}}
	importProductCategories = table{name: "import_product_categories", columns: []column{
		integer("line"), integer("product_id"), integer("category_id"), integer("position"),
	}}
	importVariants = table{name: "import_variants", columns: []column{
		integer("line"), integer("state"), integer("made"), integer("id"), integer("product_id"), text("sku"),
		integer("price"), integer("sale_price"), integer("retail_price"), integer("map_price"), text("option_values"), text("options"),
	}}
)

// ImportCatalog calls fn with an import into a store. The end of caller stops the
// import. The temporary tables are dropped when fn returns. ImportCatalog returns
// KindNotFound if the store does not exist.
func (db *DB) ImportCatalog(caller context.Context, storeKey string, fn func(*CatalogImport) error) error {
	return db.scratch(caller, func(tx *Tx) error {
		i, err := newCatalogImport(caller, db, tx, storeKey)
		if err != nil {
			return err
		}
		return fn(i)
	})
}

func newCatalogImport(caller context.Context, db *DB, tx *Tx, storeKey string) (*CatalogImport, error) {
	if _, err := tx.Store(storeKey); err != nil {
		return nil, err
	}
	i := &CatalogImport{
		db: db, tx: tx, caller: caller, storeKey: storeKey,
		brands: tx.newLoader(importBrands), categories: tx.newLoader(importCategories), products: tx.newLoader(importProducts),
		productCategories: tx.newLoader(importProductCategories), variants: tx.newLoader(importVariants),
		categoryDetails: tx.newLoader(importedDetails(categoryDetails)), productDetails: tx.newLoader(importedDetails(productDetails)),
		variantDetails: tx.newLoader(importedDetails(variantDetails)),
		parted:         tx.newLoader(importParted), partIDs: tx.newLoader(importPartIDs), lastPartIDs: map[string]int64{},
	}
	for _, l := range i.loaders() {
		if err := l.create(); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// Snapshot runs fn so that its checks see one snapshot of the store. An import
// that holds the lease on the catalog does not need it.
func (i *CatalogImport) Snapshot(fn func() error) error { return i.tx.snapshot(fn) }

func (i *CatalogImport) loaders() []*loader {
	return []*loader{i.brands, i.categories, i.products, i.productCategories, i.variants, i.categoryDetails, i.productDetails, i.variantDetails, i.parted, i.partIDs}
}

// Add loads an item whose fields are valid.
func (i *CatalogImport) Add(item cohort.CatalogItem) error {
	switch item.Kind {
	case cohort.CatalogBrand:
		return i.addBrand(item)
	case cohort.CatalogCategory:
		return i.addCategory(item)
	case cohort.CatalogProduct:
		return i.addProduct(item)
	}
	return i.addVariant(item)
}

func (i *CatalogImport) addVariant(item cohort.CatalogItem) error {
	v := item.Variant
	if item.ReplaceDetails {
		v.ID = item.ID
		if err := i.variantDetails.add(append([]any{item.Line}, variantDetailRow(v)...)...); err != nil {
			return err
		}
	}
	return i.variants.add(item.Line, rowUnchanged, 0, item.ID, v.ProductID, v.SKU, fromPrice(v.Price), fromPrice(v.SalePrice),
		fromPrice(v.RetailPrice), fromPrice(v.MAPPrice), encodeOptionValues(v.OptionValues), encodeOptionValues(sortedByOption(v.OptionValues)))
}

func sortedByOption(values []cohort.OptionValue) []cohort.OptionValue {
	return slices.SortedFunc(slices.Values(values), func(a, b cohort.OptionValue) int { return cmp.Compare(a.OptionID, b.OptionID) })
}

func (i *CatalogImport) addCategory(item cohort.CatalogItem) error {
	c := item.Category
	if item.ReplaceDetails {
		c.ID = item.ID
		row, size := categoryDetailRow(c)
		if err := i.categoryDetails.add(slices.Concat([]any{item.Line}, row, []any{size})...); err != nil {
			return err
		}
	}
	return i.categories.add(item.Line, rowUnchanged, item.ID, c.ParentID, c.Name, Fold(c.Name))
}

func (i *CatalogImport) addProduct(item cohort.CatalogItem) error {
	p, tiers := item.Product, ""
	if !item.KeepBulkTiers {
		tiers = encodeTiers(p.BulkTiers)
	}
	if item.ReplaceDetails {
		p.ID = item.ID
		if err := i.productDetails.add(append([]any{item.Line}, productDetailRow(p)...)...); err != nil {
			return err
		}
		if err := i.addParts(item.Line, item.ID, p.Details); err != nil {
			return err
		}
	}
	for position, category := range p.Categories {
		if err := i.productCategories.add(item.Line, item.ID, category, position); err != nil {
			return err
		}
	}
	return i.products.add(item.Line, rowUnchanged, item.ID, p.Name, Fold(p.Name), p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price),
		fromAmount(p.SalePrice), fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), tiers, 0, 0, 0)
}

// AddBad loads only the id of an invalid item, so that other items may name it
// without being reported as well.
func (i *CatalogImport) AddBad(line int64, kind cohort.CatalogKind, id int64) error {
	switch kind {
	case cohort.CatalogBrand:
		return i.brands.add(line, rowBad, id, 0, "", "", "", "")
	case cohort.CatalogCategory:
		return i.categories.add(line, rowBad, id, 0, "", "")
	case cohort.CatalogProduct:
		return i.products.add(line, rowBad, id, "", "", "", "", 0, 0, 0, 0, 0, "", 0, 0, 0)
	}
	return i.variants.add(line, rowBad, 0, id, 0, "", 0, 0, 0, 0, "[]", "[]")
}

// FinishLoading writes the last rows and creates the indexes. It is called after
// the last item and before the checks.
func (i *CatalogImport) FinishLoading() error {
	for _, l := range i.loaders() {
		if err := l.flush(); err != nil {
			return err
		}
	}
	return i.run(`CREATE INDEX import_brands_by_id ON import_brands (id)`,
		`CREATE INDEX import_categories_by_id ON import_categories (id)`,
		`CREATE INDEX import_products_by_id ON import_products (id)`,
		`CREATE INDEX import_product_categories_by_product ON import_product_categories (product_id, category_id)`,
		`CREATE INDEX import_variants_by_id ON import_variants (id)`,
		`CREATE INDEX import_variants_by_product ON import_variants (product_id)`,
		`CREATE INDEX import_variants_by_sku ON import_variants (sku)`,
		`CREATE INDEX import_category_details_by_category ON import_category_details (category_id)`,
		`CREATE INDEX import_product_details_by_product ON import_product_details (product_id)`,
		`CREATE INDEX import_variant_details_by_variant ON import_variant_details (variant_id)`,
		`CREATE INDEX import_parted_by_product ON import_parted (product_id)`,
		`CREATE INDEX import_part_ids_by_id ON import_part_ids (kind, id)`)
}

// run runs statements in which $1 is the store's key. It stops when the caller is
// cancelled.
func (i *CatalogImport) run(queries ...string) error {
	for _, query := range queries {
		if err := i.exec(query); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement. If the statement has a $1, the store's key is its first
// argument.
func (i *CatalogImport) exec(query string, args ...any) error {
	if err := i.caller.Err(); err != nil {
		return err
	}
	_, err := i.tx.Exec(query, i.args(query, args)...)
	return err
}

func (i *CatalogImport) args(query string, args []any) []any {
	if !strings.Contains(query, "$1") {
		return args
	}
	return append([]any{i.storeKey}, args...)
}

// loader inserts rows into a temporary table of an import.
type loader struct {
	tx      *Tx
	table   table
	insert  string // the statement that inserts copyRows rows
	pending []any  // the arguments of rows not yet sent
	sent    int    // the number of full inserts sent
	unsent  int    // the bytes of text in rows that are in memory
}

func (t *Tx) newLoader(table table) *loader {
	return &loader{tx: t, table: table, insert: table.insert(copyRows)}
}

// create creates the table.
func (l *loader) create() error {
	columns := make([]string, len(l.table.columns))
	for i, c := range l.table.columns {
		columns[i] = c.name + " " + c.sqlType() + " NOT NULL"
	}
	_, err := l.tx.Exec("CREATE TEMP TABLE " + l.table.name + " (" + strings.Join(columns, ", ") + ")")
	return err
}

func (c column) sqlType() string {
	switch c.new().(type) {
	case *string:
		return "TEXT"
	case *bool:
		return "BOOLEAN"
	}
	return "BIGINT"
}

// insertsPerTrip is the number of INSERT statements sent to a server in one round
// trip.
const insertsPerTrip = 10

func (l *loader) add(row ...any) error {
	if l.pending == nil {
		l.pending = make([]any, 0, copyRows*len(l.table.columns))
	}
	l.pending = append(l.pending, row...)
	for _, v := range row {
		if s, isText := v.(string); isText {
			l.unsent += len(s)
		}
	}
	if l.unsent > maxBatchBytes {
		return l.flush()
	}
	if len(l.pending) < copyRows*len(l.table.columns) {
		return nil
	}
	full := l.pending
	l.pending = nil // Later keeps the arguments until it sends them
	l.sent++
	if l.sent%insertsPerTrip != 0 {
		return l.tx.Later(l.insert, full...)
	}
	l.unsent = 0
	_, err := l.tx.Exec(l.insert, full...)
	return err
}

// flush inserts the pending rows.
func (l *loader) flush() error {
	rows := len(l.pending) / len(l.table.columns)
	if rows == 0 {
		return nil
	}
	_, err := l.tx.Exec(l.table.insert(rows), l.pending...)
	l.pending, l.unsent = nil, 0
	return err
}
