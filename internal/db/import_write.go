package db

import (
	"time"

	"cohort.example/cohort"
)

// baseStatements give each product of the import its base variant: the one that it
// has in the store, otherwise a variant of the import with the product's SKU and
// no option values, otherwise a new one. New variants have the ids -1, -2, …
// until takeIDs assigns their ids.
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

// compareStatements set the state of each row: unchanged, added or replaced.
var compareStatements = []string{
	compareBrands,
	`UPDATE import_categories SET state = COALESCE((
		SELECT CASE WHEN c.parent_id = import_categories.parent_id AND c.name = import_categories.name
			AND NOT ` + detailChange(categoryDetails, "c.id", [2]string{"details", "''"}) + ` THEN 0 ELSE 2 END
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
			AND NOT ` + detailChange(productDetails, "p.id", [2]string{"details", "''"}, [2]string{"brand_id", "0"}) + `
			THEN 0 ELSE 2 END
		FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id), 1)`,
	`UPDATE import_variants SET state = COALESCE((
		SELECT CASE WHEN v.product_id = import_variants.product_id AND v.sku = import_variants.sku
			AND v.price = import_variants.price AND v.sale_price = import_variants.sale_price
			AND v.retail_price = import_variants.retail_price AND v.map_price = import_variants.map_price
			AND v.option_values = import_variants.option_values
			AND NOT ` + detailChange(variantDetails, "v.id", [2]string{"details", "''"}) + ` THEN 0 ELSE 2 END
		FROM variants v WHERE v.store_hash = $1 AND v.id = import_variants.id), 1)`,
}

// keepDates sets the dates of products to $2. Products of the store keep their
// creation dates.
const keepDates = `UPDATE import_products SET date_modified = CAST($2 AS BIGINT), date_created = COALESCE(
	(SELECT p.date_created FROM products p WHERE p.store_hash = $1 AND p.id = import_products.id), CAST($2 AS BIGINT)) WHERE state <> 0`

// Compare assigns ids to the variants that the import creates, compares the import
// with the store, and returns the counts by kind.
func (i *CatalogImport) Compare(now time.Time) ([]cohort.ImportCount, error) {
	if err := i.takeIDs(); err != nil {
		return nil, err
	}
	if err := i.reservePartIDs(); err != nil {
		return nil, err
	}
	if err := i.run(compareStatements...); err != nil {
		return nil, err
	}
	if err := i.exec(keepDates, now.UnixMilli()); err != nil {
		return nil, err
	}
	var err error
	i.counted, err = i.counts()
	return i.counted, err
}

// reservedIDs says that an import uses ids of a kind up to upTo.
type reservedIDs struct {
	kind string
	upTo int64
}

// takeIDs determines the highest ids that the import uses, and assigns ids to the
// variants that it creates. Publish advances the counters to these ids. Until then
// the lease on the catalog keeps other writers from allocating them.
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

// take records that ids of a kind are in use at least up to upTo, and returns the
// last id in use.
func (i *CatalogImport) take(kind string, upTo int64) (last int64, err error) {
	last, err = i.tx.LastID(i.storeKey, kind)
	last = max(last, upTo)
	i.reserved = append(i.reserved, reservedIDs{kind, last})
	return last, err
}

// madeFrom is the id after which an import numbers the base variants that it
// creates. A later import may bring variants with any ids that the merchant uses,
// so these ids are far above the usual ones, but fit into 32 bits for clients that
// need that.
const madeFrom = 1_000_000_000

// madeKind is the kind of the counter of these ids.
const madeKind = "made_variant"

// number assigns ids to the variants -1 to -n. last is the last id of other
// variants.
func (i *CatalogImport) number(last, n int64) error {
	made, err := i.tx.LastID(i.storeKey, madeKind)
	if err != nil {
		return err
	}
	before := max(made, madeFrom)
	i.reserved = append(i.reserved, reservedIDs{madeKind, before + n})
	if last >= madeFrom { // other variants already use this range, so share their counter
		before = max(last, before+n+1)
		i.reserved = append(i.reserved, reservedIDs{string(cohort.CatalogVariant), before + n})
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

// importTables names the temporary table of each kind of item.
var importTables = map[cohort.CatalogKind]string{
	cohort.CatalogBrand:    importBrands.name,
	cohort.CatalogCategory: importCategories.name,
	cohort.CatalogProduct:  importProducts.name,
	cohort.CatalogVariant:  importVariants.name,
}

// counts counts the rows of each kind by their state. It leaves out variants that
// the import created for products.
func (i *CatalogImport) counts() ([]cohort.ImportCount, error) {
	var counts []cohort.ImportCount
	for _, kind := range cohort.CatalogKinds() {
		query := "SELECT COALESCE(sum(CASE WHEN state = 1 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN state = 2 THEN 1 ELSE 0 END), 0), count(*) FROM " + importTables[kind]
		if kind == cohort.CatalogVariant {
			query += " WHERE made = 0"
		}
		c, all := cohort.ImportCount{Kind: kind}, int64(0)
		if err := i.tx.QueryRow(query).Scan(&c.Added, &c.Replaced, &all); err != nil {
			return nil, err
		}
		c.Unchanged = all - c.Added - c.Replaced
		counts = append(counts, c)
	}
	return counts, nil
}
