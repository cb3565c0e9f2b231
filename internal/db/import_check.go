package db

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// importCheck finds mistakes. Its query returns a line number and two numbers that
// the text names. $1 is the store's key.
type importCheck struct {
	text  string // {1} and {2} stand for the numbers
	query string
}

// repeats is the check for ids of a kind that occur more than once.
func repeats(kind cohort.CatalogKind, table string) importCheck {
	return importCheck{"id: " + string(kind) + " {1} is in line {2} already.", `
		SELECT i.line, i.id, f.line FROM ` + table + ` i
		JOIN (SELECT id, min(line) AS line FROM ` + table + ` GROUP BY id HAVING count(*) > 1) f ON f.id = i.id
		WHERE i.line > f.line`}
}

// treeOf is the tree of a stored category or of one of the import, by its id. A new one is
// in tree 1.
func treeOf(id string) string {
	return "COALESCE((SELECT t.tree_id FROM tree_categories t WHERE t.store_hash = $1 AND t.category_id = " + id + "), 1)"
}

// The checks, in the order in which they run. referenceChecks and togetherChecks
// require unique ids.
var (
	repeatChecks = []importCheck{
		repeats(cohort.CatalogBrand, "import_brands"),
		repeats(cohort.CatalogCategory, "import_categories"),
		repeats(cohort.CatalogProduct, "import_products"),
		repeats(cohort.CatalogVariant, "import_variants"),
	}
	referenceChecks = []importCheck{
		{"parent_id: category {1} is neither in the file nor in the store.", `
			SELECT i.line, i.parent_id, i.id FROM import_categories i
			WHERE i.parent_id <> 0 AND NOT EXISTS (SELECT 1 FROM import_categories p WHERE p.id = i.parent_id)
			AND NOT EXISTS (SELECT 1 FROM categories c WHERE c.store_hash = $1 AND c.id = i.parent_id)`},
		{"categories: category {1} is neither in the file nor in the store.", `
			SELECT i.line, i.category_id, i.product_id FROM import_product_categories i
			WHERE NOT EXISTS (SELECT 1 FROM import_categories c WHERE c.id = i.category_id)
			AND NOT EXISTS (SELECT 1 FROM categories c WHERE c.store_hash = $1 AND c.id = i.category_id)`},
		{"product_id: product {1} is neither in the file nor in the store.", `
			SELECT i.line, i.product_id, i.id FROM import_variants i
			WHERE i.state = 0 AND NOT EXISTS (SELECT 1 FROM import_products p WHERE p.id = i.product_id)
			AND NOT EXISTS (SELECT 1 FROM products p WHERE p.store_hash = $1 AND p.id = i.product_id)`},
		{"brand_id: brand {1} is neither in the file nor in the store.", `
			SELECT i.line, i.brand_id, i.product_id FROM import_product_details i
			WHERE i.brand_id <> 0 AND NOT EXISTS (SELECT 1 FROM import_brands b WHERE b.id = i.brand_id)
			AND NOT EXISTS (SELECT 1 FROM brands b WHERE b.store_hash = $1 AND b.id = i.brand_id)`},
	}
	togetherChecks = []importCheck{
		{"name: brand {1}, in line {2}, has the same name, without regard to case.", `
			SELECT i.line, f.id, f.line FROM import_brands i
			JOIN (SELECT name_folded, min(line) AS line FROM import_brands WHERE state = 0 GROUP BY name_folded HAVING count(*) > 1) g
				ON g.name_folded = i.name_folded
			JOIN import_brands f ON f.line = g.line
			WHERE i.state = 0 AND i.line > f.line`},
		{"name: brand {1} of the store has the same name, without regard to case, and is not in the file.", `
			SELECT i.line, b.id, i.id FROM import_brands i
			JOIN brands b ON b.store_hash = $1 AND b.name_folded = i.name_folded
			WHERE i.state = 0 AND NOT EXISTS (SELECT 1 FROM import_brands o WHERE o.id = b.id)`},
		{"parent_id: category {1} is in tree {2}, and its new parent is not. Categories in a file are in the tree of the store that they are in already, or else in tree 1.", `
			SELECT i.line, i.id, ` + treeOf("i.id") + ` FROM import_categories i
			WHERE i.state = 0 AND i.parent_id <> 0 AND ` + treeOf("i.id") + ` <> ` + treeOf("i.parent_id")},
		{"name: category {1} under the same parent, in line {2}, has the same name.", `
			SELECT i.line, f.id, f.line FROM import_categories i
			JOIN (SELECT parent_id, name, ` + treeOf("c.id") + ` AS tree_id, min(line) AS line FROM import_categories c
				WHERE state = 0 GROUP BY 1, 2, 3 HAVING count(*) > 1) g
				ON g.parent_id = i.parent_id AND g.name = i.name AND g.tree_id = ` + treeOf("i.id") + `
			JOIN import_categories f ON f.line = g.line
			WHERE i.state = 0 AND i.line > f.line`},
		{"name: category {1} of the store, under the same parent, has the same name.", `
			SELECT i.line, c.id, i.id FROM import_categories i
			JOIN categories c ON c.store_hash = $1 AND c.parent_id = i.parent_id AND c.name = i.name
				AND ` + treeOf("c.id") + ` = ` + treeOf("i.id") + `
			WHERE i.state = 0 AND NOT EXISTS (SELECT 1 FROM import_categories o WHERE o.id = c.id)`},
		{"variant {1} is the base variant of product {2}, so it must have that product_id, the product's SKU and no option values. To use the id for another variant, import products and variants in one file.", `
			SELECT i.line, i.id, p.id FROM import_variants i
			JOIN variants v ON v.store_hash = $1 AND v.id = i.id
			JOIN products p ON p.store_hash = $1 AND p.id = v.product_id AND p.base_variant_id = i.id
			LEFT JOIN import_products f ON f.id = p.id
			WHERE i.state = 0 AND i.made = 0 AND COALESCE(f.state, 0) = 0
			AND (i.product_id <> p.id OR i.option_values <> '[]' OR i.sku <> COALESCE(f.sku, p.sku))`},
		{"option_values: variant {1} has none, so it must be the base variant of product {2}, but the product has another base variant or another SKU.", `
			SELECT i.line, i.id, i.product_id FROM import_variants i
			WHERE i.state = 0 AND i.made = 0 AND i.option_values = '[]'
			AND NOT EXISTS (SELECT 1 FROM import_products p WHERE p.id = i.product_id AND (p.state < 0 OR p.base_variant_id = i.id))
			AND NOT EXISTS (SELECT 1 FROM products p WHERE p.store_hash = $1 AND p.id = i.product_id AND p.base_variant_id = i.id)`},
		{"option_values: line {1} is a variant of product {2} with the same option values.", `
			SELECT i.line, f.line, i.product_id FROM import_variants i
			JOIN (SELECT product_id, options, min(line) AS line FROM import_variants
				WHERE state = 0 AND options <> '[]' GROUP BY product_id, options HAVING count(*) > 1) f
				ON f.product_id = i.product_id AND f.options = i.options
			WHERE i.state = 0 AND i.line > f.line`},
		{"option_values: variant {1} of product {2} has the same option values, and is not in the file.", `
			SELECT i.line, v.id, v.product_id FROM import_variants i
			JOIN variants v ON v.store_hash = $1 AND v.product_id = i.product_id AND v.option_values IN (i.options, i.option_values)
			WHERE i.state = 0 AND i.options <> '[]' AND NOT EXISTS (SELECT 1 FROM import_variants o WHERE o.id = v.id)`},
		{"sku: line {1} has the same SKU, and no two variants may share one. A product's SKU is also that of its base variant.", `
			SELECT i.line, f.line, i.id FROM import_variants i
			JOIN (SELECT sku, min(line) AS line FROM import_variants WHERE sku <> '' GROUP BY sku HAVING count(*) > 1) f ON f.sku = i.sku
			WHERE i.line > f.line`},
		{"sku: variant {1} of product {2} has the same SKU, and is not in the file.", `
			SELECT i.line, v.id, v.product_id FROM import_variants i
			JOIN variants v ON v.store_hash = $1 AND v.sku = i.sku AND v.sku <> ''
			WHERE i.sku <> '' AND v.id <> i.id AND NOT EXISTS (SELECT 1 FROM import_variants o WHERE o.id = v.id)`},
		{fmt.Sprintf("product_id: product {1} would have {2} variants, and may have %d.", cohort.MaxVariants), fmt.Sprintf(`
			SELECT g.line, g.product_id, g.n FROM (
				SELECT min(i.line) AS line, i.product_id AS product_id, count(*) - 1 + (
					SELECT count(*) FROM variants v WHERE v.store_hash = $1 AND v.product_id = i.product_id
					AND NOT EXISTS (SELECT 1 FROM import_variants o WHERE o.id = v.id)) AS n
				FROM import_variants i WHERE i.state = 0 GROUP BY i.product_id) g
			WHERE g.n > %d`, cohort.MaxVariants)},
	}
)

// CheckRepeats finds ids that occur more than once. It and the checks below return
// the first mistakes of each check, at most most of each, and the number of all
// mistakes.
func (i *CatalogImport) CheckRepeats(most int) (first []cohort.ImportMistake, count int64, err error) {
	return i.check(repeatChecks, most)
}

// CheckReferences finds references to ids that neither the import nor the store
// has.
func (i *CatalogImport) CheckReferences(most int) (first []cohort.ImportMistake, count int64, err error) {
	return i.check(referenceChecks, most)
}

// CheckTogether finds duplicate names, SKUs and option values, and variants that
// do not match their products. It requires unique ids. It first assigns each
// product its base variant.
func (i *CatalogImport) CheckTogether(most int) (first []cohort.ImportMistake, count int64, err error) {
	if err := i.run(baseStatements...); err != nil {
		return nil, 0, err
	}
	return i.check(togetherChecks, most)
}

func (i *CatalogImport) check(checks []importCheck, most int) (first []cohort.ImportMistake, count int64, err error) {
	for _, c := range checks {
		if err := i.caller.Err(); err != nil {
			return nil, 0, err
		}
		list, err := i.mistakes(c, most)
		if err != nil {
			return nil, 0, err
		}
		if len(list) < most {
			count += int64(len(list))
		} else {
			n, err := i.countMistakes(c)
			if err != nil {
				return nil, 0, err
			}
			count += n
		}
		first = append(first, list...)
	}
	return first, count, nil
}

func (i *CatalogImport) mistakes(c importCheck, most int) ([]cohort.ImportMistake, error) {
	query := "SELECT w.* FROM (" + c.query + ") w ORDER BY 1, 2, 3 LIMIT " + fmt.Sprint(most)
	rows, err := i.tx.Query(query, i.args(query, nil)...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (m cohort.ImportMistake, err error) {
		var a, b int64
		err = row.Scan(&m.Line, &a, &b)
		m.Text = strings.NewReplacer("{1}", strconv.FormatInt(a, 10), "{2}", strconv.FormatInt(b, 10)).Replace(c.text)
		return m, err
	})
}

func (i *CatalogImport) countMistakes(c importCheck) (n int64, err error) {
	query := "SELECT count(*) FROM (" + c.query + ") w"
	return n, i.tx.QueryRow(query, i.args(query, nil)...).Scan(&n)
}

// CategoryPlace is a category's place in the tree as it will be after the import.
type CategoryPlace struct {
	ID, ParentID int64
	Line         int64 // 0: the category is only in the store
}

// CategoryPlaces calls each with every category of the import and the store. If
// the import has no categories, it calls each with none.
func (i *CatalogImport) CategoryPlaces(each func(CategoryPlace)) error {
	query := `SELECT id, parent_id, line FROM import_categories
		UNION ALL SELECT c.id, c.parent_id, 0 FROM categories c WHERE c.store_hash = $1
		AND EXISTS (SELECT 1 FROM import_categories)
		AND NOT EXISTS (SELECT 1 FROM import_categories i WHERE i.id = c.id)`
	rows, err := i.tx.Query(query, i.storeKey)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p CategoryPlace
		if err := rows.Scan(&p.ID, &p.ParentID, &p.Line); err != nil {
			return err
		}
		each(p)
	}
	return rows.Err()
}
