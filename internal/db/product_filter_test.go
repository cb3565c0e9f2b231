package db_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// Lists of products in small and in large categories, which the database reads in different
// ways, have the products and the counts that they should.
func TestProductsInCategories(t *testing.T) {
	const n = 11_000
	in := map[int64]func(id int64) bool{
		1: func(id int64) bool { return id%20 != 0 },
		2: func(id int64) bool { return id%1000 == 0 },
		3: func(int64) bool { return false },
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addProductsInCategories(t, d, store, n)
		}
		for _, categories := range [][]int64{{1}, {2}, {3}, {1, 2}, {2, 3}} {
			for name, f := range map[string]cohort.ProductFilter{
				"alone":        {Categories: categories},
				"with another": {Categories: categories, IDRange: cohort.IntRange{Min: new(int64(5001))}},
			} {
				var want []int64
				for id := range int64(n) {
					has := f.IDRange.Min == nil || id+1 >= *f.IDRange.Min
					if has && (in[categories[0]](id+1) || in[categories[len(categories)-1]](id+1)) {
						want = append(want, id+1)
					}
				}
				what := fmt.Sprint(categories, " ", name)
				view(t, d, func(tx *db.Tx) error {
					count, err := tx.CountProducts("a", f)
					if count != int64(len(want)) || err != nil {
						t.Errorf("%s: %d counted, %v, want %d", what, count, err, len(want))
					}
					return err
				})
				wantProducts(t, what, want[:min(60, len(want))], firstProducts(t, d, f, 60))
			}
		}
	})
}

// addProductsInCategories adds n products, in the categories 1 and 2 as above.
func addProductsInCategories(t *testing.T, d *db.DB, store string, n int) {
	t.Helper()
	const series = `WITH RECURSIVE series (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < CAST($2 AS BIGINT)) `
	update(t, d, func(tx *db.Tx) error {
		for _, rows := range []string{
			`INSERT INTO products (store_hash, id, name, name_folded, type, sku, weight, price, sale_price, retail_price, map_price, bulk_tiers,
				base_variant_id, date_created, date_modified) SELECT $1, n, '', '', 'physical', '', 0, 0, 0, 0, 0, '[]', n, 0, 0 FROM series`,
			`INSERT INTO product_categories (store_hash, product_id, category_id, position) SELECT $1, n, 1, 0 FROM series WHERE n % 20 <> 0`,
			`INSERT INTO product_categories (store_hash, product_id, category_id, position) SELECT $1, n, 2, 0 FROM series WHERE n % 1000 = 0`,
		} {
			if _, err := tx.Exec(series+rows, store, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func firstProducts(t *testing.T, d *db.DB, f cohort.ProductFilter, n int) (ids []int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		return tx.ReadProducts("a", f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: n}, func(p cohort.Product) bool {
			ids = append(ids, p.ID)
			return true
		})
	})
	return ids
}
