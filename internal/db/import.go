package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// CatalogImport is a catalog on its way into a store. It is gathered in temporary
// tables on a connection of its own, checked there as a whole, and then written in
// slices. No more of it is in memory than a slice.
type CatalogImport struct {
	db                                                *DB
	tx                                                *Tx             // of the connection
	caller                                            context.Context // whose end stops the work
	storeKey                                         string
	categories, products, productCategories, variants *gathering
	taken                                             []takenIDs
}

// What is to be done with a row that was gathered.
const (
	rowBad       = -1 // nothing: only its id could be read, for others that name it
	rowUnchanged = 0
	rowAdded     = 1
	rowReplaced  = 2
)

// The tables in which an import is gathered. The options of a variant are its
// option values in an order of our own, to be compared. A product's base_variant_id is
// below 0 until it is given out, and so is the id of a variant that is made for
// it. Bulk tiers that are empty stay what they are.
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

// ImportCatalog calls fn with an import into a store, for a caller whose end stops
// it. What it gathers is gone when fn returns. It returns KindNotFound.
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
		categories: tx.gather(importCategories), products: tx.gather(importProducts),
		productCategories: tx.gather(importProductCategories), variants: tx.gather(importVariants),
	}
	for _, g := range i.all() {
		if err := g.create(); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// Snapshot runs fn, whose checks see the store as it is at one moment. Who has the
// lease on the catalog does not need it.
func (i *CatalogImport) Snapshot(fn func() error) error { return i.tx.snapshot(fn) }

func (i *CatalogImport) all() []*gathering {
	return []*gathering{i.categories, i.products, i.productCategories, i.variants}
}

// Add gathers an item that is valid by itself.
func (i *CatalogImport) Add(item cohort.CatalogItem) error {
	switch item.Kind {
	case cohort.CatalogCategory:
		c := item.Category
		return i.categories.add(item.Line, rowUnchanged, item.ID, c.ParentID, c.Name, Fold(c.Name))
	case cohort.CatalogProduct:
		return i.addProduct(item)
	}
	v := item.Variant
	return i.variants.add(item.Line, rowUnchanged, 0, item.ID, v.ProductID, v.SKU, fromPrice(v.Price), fromPrice(v.SalePrice),
		fromPrice(v.RetailPrice), fromPrice(v.MAPPrice), encodeOptions(v.OptionValues), encodeOptions(inOptionOrder(v.OptionValues)))
}

func inOptionOrder(values []cohort.OptionValue) []cohort.OptionValue {
	return slices.SortedFunc(slices.Values(values), func(a, b cohort.OptionValue) int { return cmp.Compare(a.OptionID, b.OptionID) })
}

func (i *CatalogImport) addProduct(item cohort.CatalogItem) error {
	p, tiers := item.Product, ""
	if !item.KeepBulkTiers {
		tiers = encodeTiers(p.BulkTiers)
	}
	for position, category := range p.Categories {
		if err := i.productCategories.add(item.Line, item.ID, category, position); err != nil {
			return err
		}
	}
	return i.products.add(item.Line, rowUnchanged, item.ID, p.Name, Fold(p.Name), p.Type, p.SKU, fromAmount(p.Weight), fromAmount(p.Price),
		fromAmount(p.SalePrice), fromAmount(p.RetailPrice), fromAmount(p.MAPPrice), tiers, 0, 0, 0)
}

// AddBad notes that there is an item which cannot be used, so that others may
// name it without being wrong too.
func (i *CatalogImport) AddBad(line int64, kind cohort.CatalogKind, id int64) error {
	switch kind {
	case cohort.CatalogCategory:
		return i.categories.add(line, rowBad, id, 0, "", "")
	case cohort.CatalogProduct:
		return i.products.add(line, rowBad, id, "", "", "", "", 0, 0, 0, 0, 0, "", 0, 0, 0)
	}
	return i.variants.add(line, rowBad, 0, id, 0, "", 0, 0, 0, 0, "[]", "[]")
}

// Gathered is to be called after the last item, and before anything is checked
// or written.
func (i *CatalogImport) Gathered() error {
	for _, g := range i.all() {
		if err := g.flush(); err != nil {
			return err
		}
	}
	return i.run(`CREATE INDEX import_categories_by_id ON import_categories (id)`,
		`CREATE INDEX import_products_by_id ON import_products (id)`,
		`CREATE INDEX import_product_categories_by_product ON import_product_categories (product_id, category_id)`,
		`CREATE INDEX import_variants_by_id ON import_variants (id)`,
		`CREATE INDEX import_variants_by_product ON import_variants (product_id)`,
		`CREATE INDEX import_variants_by_sku ON import_variants (sku)`)
}

// run runs statements, in which $1 is the store. It stops when the caller is gone.
func (i *CatalogImport) run(queries ...string) error {
	for _, query := range queries {
		if err := i.exec(query); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement in which $1 is the store, unless there is no $1 in it.
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

// ImportCount is what an import did with the items of a kind.
type ImportCount struct {
	Kind                       cohort.CatalogKind
	Added, Replaced, Unchanged int64
}

// gathering is a table of an import that is being filled.
type gathering struct {
	tx      *Tx
	table   table
	insert  string // a full batch
	pending []any
	batches int
}

func (t *Tx) gather(table table) *gathering {
	return &gathering{tx: t, table: table, insert: table.insert(copyRows)}
}

// create makes the table.
func (g *gathering) create() error {
	columns := make([]string, len(g.table.columns))
	for i, c := range g.table.columns {
		columns[i] = c.name + " " + c.kind() + " NOT NULL"
	}
	_, err := g.tx.Exec("CREATE TEMP TABLE " + g.table.name + " (" + strings.Join(columns, ", ") + ")")
	return err
}

// kind is the column's type in SQL.
func (c column) kind() string {
	if _, isText := c.new().(*string); isText {
		return "TEXT"
	}
	return "BIGINT"
}

// batchesPerTrip is how many batches are sent to a server in one message.
const batchesPerTrip = 10

func (g *gathering) add(row ...any) error {
	if g.pending == nil {
		g.pending = make([]any, 0, copyRows*len(g.table.columns))
	}
	g.pending = append(g.pending, row...)
	if len(g.pending) < copyRows*len(g.table.columns) {
		return nil
	}
	full := g.pending
	g.pending = nil // the arguments may be kept until they are sent
	g.batches++
	if g.batches%batchesPerTrip != 0 {
		return g.tx.Later(g.insert, full...)
	}
	_, err := g.tx.Exec(g.insert, full...)
	return err
}

// flush writes the last rows.
func (g *gathering) flush() error {
	rows := len(g.pending) / len(g.table.columns)
	if rows == 0 {
		return nil
	}
	_, err := g.tx.Exec(g.table.insert(rows), g.pending...)
	g.pending = nil
	return err
}
