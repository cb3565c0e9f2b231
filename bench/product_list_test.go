package bench

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// manyProducts is the size of the catalog. Filling it takes about half a minute.
var manyProducts = flag.Int("products", 300_000, "products in the catalog of BenchmarkProductLists")

// BenchmarkProductLists requests V3 lists of products by each filter and each order, from a
// catalog of manyProducts: whole requests of 50 products, one caller, no network.
func BenchmarkProductLists(b *testing.B) {
	for _, e := range []struct {
		name string
		url  func(b *testing.B) string
	}{{"sqlite", func(b *testing.B) string { return sqliteURL(b) }}, {"postgres", func(b *testing.B) string { return pgtest.URL(b) }}} {
		b.Run(e.name, func(b *testing.B) {
			handler := productStore(b, e.url(b), *manyProducts)
			for _, query := range productLists {
				b.Run(query, func(b *testing.B) {
					for b.Loop() {
						getProducts(b, handler, query)
					}
				})
			}
		})
	}
}

// productLists are the queries: one for each filter of the reference, one for each order,
// and the pages of the plain list. Category 1 has 94 of 100 products, category 2 has
// 1 of 1 000.
var productLists = []string{
	"page=1", "page=6000", "after=MTUwMDAw",
	"id:in=7,77,777", "id:not_in=7,77,777", "id:min=299000", "id:max=1000",
	"name=Product+7", "name:like=UCT+777", "keyword=777", "keyword=none",
	"sku=S-7", "sku:in=S-7,S-77", "type=digital", "price=7.5", "price:min=290&price:max=295", "weight=3",
	"categories=1", "categories=2", "categories:in=1,2", "categories:in=1&page=5000",
	"brand_id=7", "brand_id=999", "upc=000000000077", "mpn=M-77", "condition=used", "availability=preorder",
	"is_visible=true", "is_visible=false", "is_featured=1", "is_free_shipping=1",
	"inventory_level=7", "inventory_level:in=7,8", "inventory_level:not_in=7", "inventory_level:min=990", "inventory_low=1", "out_of_stock=1",
	"date_modified:min=2024-01-01", "channel_id:in=1", "channel_id:in=2",
	"sort=name", "sort=sku", "sort=price", "sort=calculated_price&direction=desc", "sort=date_modified", "sort=inventory_level", "sort=is_visible",
	"sort=name&after=" + base64.RawURLEncoding.EncodeToString([]byte("product 77777/77777")),
	"include=variants,bulk_pricing_rules&limit=250",
}

func getProducts(b *testing.B, handler http.Handler, query string) {
	b.Helper()
	req, err := request(http.MethodGet, "/stores/products/v3/catalog/products?"+query, "")
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", secret)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
}

// productStore returns a server on a database with a store of n products.
func productStore(b *testing.B, url string, n int) http.Handler {
	b.Helper()
	d := openDB(b, url)
	svc := service.New(d)
	if err := addBenchStore(b.Context(), svc, "products", secret, cohort.ScopeProducts); err != nil {
		b.Fatal(err)
	}
	if err := fillProducts(b.Context(), d, "products", n); err != nil {
		b.Fatal(err)
	}
	return server.New(svc, server.Options{})
}

// productRows insert the rows of the products $2 to $3 of store $1.
var productRows = []string{
	`INSERT INTO products (store_hash, id, name, name_folded, type, sku, weight, price, sale_price, retail_price, map_price, bulk_tiers,
			base_variant_id, date_created, date_modified)
		SELECT $1, n, 'Product ' || n, 'product ' || n, CASE WHEN n % 20 = 0 THEN 'digital' ELSE 'physical' END, 'S-' || n, n % 50 * 10000,
			n % 300 * 10000 + 5000, 0, 0, 0, '[]', n, n * 1000, n * 7919 % 300007 * 1000 FROM series`,
	`INSERT INTO variants (store_hash, id, product_id, sku, price, sale_price, retail_price, map_price, option_values)
		SELECT $1, n, n, 'S-' || n, -1, -1, -1, -1, '[]' FROM series`,
	`INSERT INTO product_categories (store_hash, product_id, category_id, position) SELECT $1, n, 1, 0 FROM series WHERE n % 100 < 94`,
	`INSERT INTO product_categories (store_hash, product_id, category_id, position) SELECT $1, n, 2, 1 FROM series WHERE n % 1000 = 0`,
	`INSERT INTO product_details (store_hash, product_id, brand_id, is_visible, is_featured, is_free_shipping, condition, availability,
			inventory_tracking, inventory_level, inventory_warning_level, upc, mpn, details, size)
		SELECT $1, n, n % 100 + 1, n % 50 <> 0, n % 1000 = 0, n % 100 = 0, CASE WHEN n % 100 = 0 THEN 'Used' ELSE 'New' END,
			CASE WHEN n % 200 = 0 THEN 'preorder' ELSE 'available' END, 'product', n % 1000, 5, '0000000' || n, 'M-' || n,
			'{"description":"A product"}', 27 FROM series`,
}

// fillProducts adds products with their variants, categories and details. On PostgreSQL it
// updates the statistics, as the server does soon after.
func fillProducts(ctx context.Context, d *db.DB, store string, n int) error {
	const batch = 50_000
	for from := 1; from <= n; from += batch {
		err := d.UpdateLong(ctx, func(tx *db.Tx) error {
			for _, rows := range productRows {
				const series = `WITH RECURSIVE series (n) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < CAST($3 AS BIGINT)) `
				if _, err := tx.Exec(series+rows, store, from, min(n, from+batch-1)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return d.UpdateLong(ctx, func(tx *db.Tx) error {
		for id := range 100 {
			_, err := tx.Exec(`INSERT INTO brands (store_hash, id, name, name_folded, page_title, details) VALUES ($1, $2, $3, $3, '', '')`, store, id+1, fmt.Sprintf("brand %d", id))
			if err != nil {
				return err
			}
		}
		if tx.SQL().ForUpdate == "" {
			return nil
		}
		_, err := tx.Exec("ANALYZE products, variants, product_categories, product_details")
		return err
	})
}
