package db

import (
	"time"

	"cohort.example/cohort"
)

// baseStatements give each product of an import the variant that stands for it:
// the one that it has, or one of the file that can only be that, or a new one.
// New ones are numbered from -1 downwards until ids are taken for them.
var baseStatements = []string{
	`UPDATE import_products SET
		base_variant_id = COALESCE(
			(SELECT p.base_variant_id FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id),
			(SELECT min(v.id) FROM import_variants v WHERE v.product_id = import_products.id AND v.state = 0
				AND v.sku = import_products.sku AND v.option_values = '[]'
				AND NOT EXISTS (SELECT 1 FROM variants o WHERE o.store_hash = $1 AND o.id = v.id)),
			0),
		bulk_tiers = CASE WHEN bulk_tiers <> '' THEN bulk_tiers ELSE COALESCE(
			(SELECT p.bulk_tiers FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id), '[]') END
		WHERE state = 0`,
	`UPDATE import_products SET base_variant_id = n.number
		FROM (SELECT id AS product, -row_number() OVER (ORDER BY line) AS number
			FROM import_products WHERE state = 0 AND base_variant_id = 0) AS n
		WHERE import_products.id = n.product`,
	`INSERT INTO import_variants
			(line, state, made, id, product_id, sku, price, sale_price, retail_price, map_price, option_values, options)
		SELECT p.line, 0, 1, p.base_variant_id, p.id, p.sku, COALESCE(v.price, -1), COALESCE(v.sale_price, -1),
			COALESCE(v.retail_price, -1), COALESCE(v.map_price, -1), '[]', '[]'
		FROM import_products p LEFT JOIN variants v ON v.store_hash = $1 AND v.id = p.base_variant_id
		WHERE p.state = 0 AND NOT EXISTS (SELECT 1 FROM import_variants i WHERE i.id = p.base_variant_id)`,
}

// compareStatements note of each row that was gathered whether it is new, or
// different from what the store has.
var compareStatements = []string{
	`UPDATE import_categories SET state = COALESCE((
		SELECT CASE WHEN c.parent_id = import_categories.parent_id AND c.name = import_categories.name THEN 0 ELSE 2 END
		FROM categories c WHERE c.store_hash = $1 AND c.id = import_categories.id), 1)`,
	`UPDATE import_products SET state = COALESCE((
		SELECT CASE WHEN p.name = import_products.name AND p.type = import_products.type AND p.sku = import_products.sku
			AND p.weight = import_products.weight AND p.price = import_products.price
			AND p.sale_price = import_products.sale_price AND p.retail_price = import_products.retail_price
			AND p.map_price = import_products.map_price AND p.bulk_tiers = import_products.bulk_tiers
			AND NOT EXISTS (SELECT 1 FROM import_product_categories i WHERE i.product_id = p.id
				AND NOT EXISTS (SELECT 1 FROM product_categories c WHERE c.store_hash = $1
					AND c.product_id = i.product_id AND c.category_id = i.category_id AND c.position = i.position))
			AND NOT EXISTS (SELECT 1 FROM product_categories c WHERE c.store_hash = $1 AND c.product_id = p.id
				AND NOT EXISTS (SELECT 1 FROM import_product_categories i
					WHERE i.product_id = c.product_id AND i.category_id = c.category_id))
			THEN 0 ELSE 2 END
		FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id), 1)`,
	`UPDATE import_variants SET state = COALESCE((
		SELECT CASE WHEN v.product_id = import_variants.product_id AND v.sku = import_variants.sku
			AND v.price = import_variants.price AND v.sale_price = import_variants.sale_price
			AND v.retail_price = import_variants.retail_price AND v.map_price = import_variants.map_price
			AND v.option_values = import_variants.option_values THEN 0 ELSE 2 END
		FROM variants v WHERE v.store_hash = $1 AND v.id = import_variants.id), 1)`,
}

// keepDates gives products their dates: $2 is the time, and those that there are
// already keep that of their creation.
const keepDates = `UPDATE import_products SET date_modified = CAST($2 AS BIGINT), date_created = COALESCE(
	(SELECT p.date_created FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id), CAST($2 AS BIGINT)) WHERE state <> 0`

// Compare gives ids to what the import has to make, finds out what is new or
// different, and counts it.
func (i *CatalogImport) Compare(now time.Time) ([]ImportCount, error) {
	if err := i.takeIDs(); err != nil {
		return nil, err
	}
	if err := i.run(compareStatements...); err != nil {
		return nil, err
	}
	if err := i.exec(keepDates, now.UnixMilli()); err != nil {
		return nil, err
	}
	return i.counts()
}

// takenIDs is that ids of a kind are taken up to one.
type takenIDs struct {
	kind string
	upTo int64
}

// takeIDs finds out which ids the import takes, and gives new ones to the variants
// that it has to make. They are its own when Publish has noted them: while nobody
// else writes the catalog, nobody else takes any.
func (i *CatalogImport) takeIDs() error {
	for _, kind := range cohort.CatalogKinds() {
		var highest, missing int64
		if err := i.tx.QueryRow("SELECT COALESCE(max(id), 0), COALESCE(-min(id), 0) FROM "+importTables[kind]).Scan(&highest, &missing); err != nil {
			return err
		}
		if highest < 1 && missing < 1 {
			continue
		}
		last, err := i.take(string(kind), max(highest, 0))
		if err != nil {
			return err
		}
		if kind == cohort.CatalogVariant && missing > 0 {
			if err := i.number(last, missing); err != nil {
				return err
			}
		}
	}
	return nil
}

// take notes that ids of a kind are taken at least up to one, and returns the last
// that is taken then.
func (i *CatalogImport) take(kind string, upTo int64) (last int64, err error) {
	last, err = i.tx.LastID(i.storeKey, kind)
	last = max(last, upTo)
	i.taken = append(i.taken, takenIDs{kind, last})
	return last, err
}

// Variants that an import makes to stand for products have ids from here on, out
// of the way of those that the merchant is going to use: a later import may bring
// any of them. It is low enough for clients that read 32 bits.
const madeFrom = 1_000_000_000

// madeKind is the kind whose counter they have.
const madeKind = "made_variant"

// number gives ids to the variants that are numbered from -1 down to -n. last is
// the last id of other variants.
func (i *CatalogImport) number(last, n int64) error {
	made, err := i.tx.LastID(i.storeKey, madeKind)
	if err != nil {
		return err
	}
	before := max(made, madeFrom)
	i.taken = append(i.taken, takenIDs{madeKind, before + n})
	if last >= madeFrom { // there is no other way than among the others
		before = max(last, before+n+1)
		i.taken = append(i.taken, takenIDs{string(cohort.CatalogVariant), before + n})
	}
	for _, query := range []string{
		`UPDATE import_products SET base_variant_id = $1 - base_variant_id WHERE base_variant_id < 0`,
		`UPDATE import_variants SET id = $1 - id WHERE id < 0`,
	} {
		if _, err := i.tx.Exec(query, before); err != nil {
			return err
		}
	}
	return nil
}

// importTables is where the items of each kind are gathered.
var importTables = map[cohort.CatalogKind]string{
	cohort.CatalogCategory: importCategories.name,
	cohort.CatalogProduct:  importProducts.name,
	cohort.CatalogVariant:  importVariants.name,
}

// counts counts what is new, different and the same. Variants that the file does
// not have are left out.
func (i *CatalogImport) counts() ([]ImportCount, error) {
	var counts []ImportCount
	for _, kind := range cohort.CatalogKinds() {
		query := "SELECT COALESCE(sum(CASE WHEN state = 1 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN state = 2 THEN 1 ELSE 0 END), 0), count(*) FROM " + importTables[kind]
		if kind == cohort.CatalogVariant {
			query += " WHERE made = 0"
		}
		c, all := ImportCount{Kind: kind}, int64(0)
		if err := i.tx.QueryRow(query).Scan(&c.Added, &c.Replaced, &all); err != nil {
			return nil, err
		}
		c.Unchanged = all - c.Added - c.Replaced
		counts = append(counts, c)
	}
	return counts, nil
}
