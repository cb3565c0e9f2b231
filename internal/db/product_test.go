package db_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

func addProducts(t testing.TB, d *db.DB, store string, products ...cohort.Product) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for _, p := range products {
			if err := tx.InsertProduct(store, p); err != nil {
				return err
			}
			if err := tx.InsertVariant(store, p.BaseVariant()); err != nil {
				return err
			}
		}
		return nil
	})
}

func newProduct(id int64, categories ...int64) cohort.Product {
	return cohort.Product{
		ID: id, BaseVariantID: 100 + id, Name: fmt.Sprint("product ", id), Type: cohort.ProductPhysical, SKU: fmt.Sprint("sku ", id),
		Price: decimal.NewFromInt(id), Categories: categories, DateCreated: t0, DateModified: t0,
	}
}

// fullProduct returns a product with an unusual value in every field.
func fullProduct(id int64, categories ...int64) cohort.Product {
	amount := decimal.RequireFromString
	return cohort.Product{
		ID: id, BaseVariantID: 100 + id, Name: "it's \"quoted\"; $1 ?\t\n 日本語 😀", Type: cohort.ProductDigital, SKU: strings.Repeat("ß", 255),
		Weight: amount("0.0001"), Price: amount("99999999999999.9999"), SalePrice: amount("1.5"), RetailPrice: amount("2.25"), MAPPrice: amount("3.125"),
		Categories: categories, DateCreated: t0, DateModified: t0.Add(time.Hour),
		BulkTiers: []cohort.BulkTier{
			{QuantityMin: 1, QuantityMax: 9, Method: cohort.MethodPercent, Amount: amount("5")},
			{QuantityMin: 10, Method: cohort.MethodFixed, Amount: amount("0.0001")},
		},
	}
}

func fullVariant(id, productID int64) cohort.Variant {
	price := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	return cohort.Variant{
		ID: id, ProductID: productID, SKU: "it's \"quoted\"; $1 ?\t\n 日本語 😀", Price: price("0"), SalePrice: price("0.0001"),
		RetailPrice: price("99999999999999.9999"), OptionValues: []cohort.OptionValue{{OptionID: 2, ValueID: 1}, {OptionID: 1, ValueID: 1 << 62}},
	}
}

func TestProductRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		full, changed := fullProduct(1, 7, 3, 5), newProduct(2, 3, 9)
		addCategories(t, d, "a", cohort.Category{ID: 3, ParentID: 4, Name: "Große Schuhe"})
		addProducts(t, d, "a", full, newProduct(2, 1, 2, 3))
		variant := fullVariant(50, 1)
		update(t, d, func(tx *db.Tx) error {
			before, err := tx.ProductForUpdate("a", 2)
			if err != nil {
				return err
			}
			changed.Name = "changed"
			if err := tx.UpdateProduct("a", before, changed); err != nil {
				return err
			}
			if err := tx.InsertVariant("a", variant); err != nil {
				return err
			}
			variant.MAPPrice, variant.Price = variant.Price, decimal.NullDecimal{}
			variant.Details = cohort.Details{"upc": json.RawMessage(`"0123"`), "weight": json.RawMessage("1.5")}
			if err := tx.UpdateVariant("a", cohort.Variant{}, variant); err != nil {
				return err
			}
			kept := variant // an update without details changes none
			kept.Details = nil
			return tx.UpdateVariant("a", cohort.Variant{}, kept)
		})
		same := func(what string, want, got any, err error) {
			t.Helper()
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
			}
		}
		view(t, d, func(tx *db.Tx) error {
			c, err := tx.Category("a", 3)
			same("category", cohort.Category{ID: 3, ParentID: 4, TreeID: 1, Name: "Große Schuhe"}, c, err)
			p, err := tx.Product("a", 1)
			same("product", full, p, err)
			all, err := tx.ListProducts("a", cohort.ProductFilter{}, onePage)
			same("products", []cohort.Product{full, changed}, all, err)
			v, err := tx.Variant("a", 1, 50)
			same("variant", variant, v, err)
			v, err = tx.Variant("a", 0, 101)
			same("base variant", full.BaseVariant(), v, err)
			variant.Details = nil // lists leave them out
			list, err := tx.ListVariants("a", cohort.VariantFilter{ProductIDs: []int64{1}}, onePage)
			same("variants", []cohort.Variant{variant, full.BaseVariant()}, list, err)
			list, err = tx.ListVariants("a", cohort.VariantFilter{UPC: new("0123")}, onePage)
			same("variants with the UPC", []cohort.Variant{variant}, list, err)
			n, err := tx.CountVariants("a", cohort.VariantFilter{UPC: new("")})
			same("variants without a UPC", int64(2), n, err)
			n, err = tx.CountVariants("a", cohort.VariantFilter{UPC: new("012")})
			same("variants with another UPC", int64(0), n, err)
			none, err := tx.ListProducts("b", cohort.ProductFilter{}, onePage)
			same("products of another store", []cohort.Product{}, none, err)
			return nil
		})
	})
}

// TestDeleteProducts checks that a product's categories, variants and price records
// are deleted with it.
func TestDeleteProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addProducts(t, d, "a", newProduct(1, 5), newProduct(2, 5), newProduct(3))
		update(t, d, func(tx *db.Tx) error {
			for _, query := range []string{
				"INSERT INTO variant_details SELECT store_hash, id, '', '{}', 2 FROM variants",
				"INSERT INTO price_lists (store_hash, id, name, name_folded, active, date_created, date_modified) VALUES ('a', 1, 'x', 'x', TRUE, 0, 0)",
				`INSERT INTO price_records (store_hash, price_list_id, variant_id, currency, price, sale_price, retail_price, map_price, bulk_tiers,
					date_created, date_modified) SELECT store_hash, 1, id, 'USD', 1, -1, -1, -1, '[]', 0, 0 FROM variants`,
			} {
				if _, err := tx.Exec(query); err != nil {
					return err
				}
			}
			return nil
		})
		wantRows := func(want string) {
			t.Helper()
			view(t, d, func(tx *db.Tx) error {
				var got []int
				for _, table := range []string{"products", "product_categories", "variants", "variant_details", "price_records"} {
					got = append(got, len(tx.Dump(t, table)))
				}
				if got := fmt.Sprint(got); got != want {
					t.Errorf("products, their categories, variants, their details and price records: %s, want %s", got, want)
				}
				return nil
			})
		}
		wantRows("[3 2 3 3 3]")
		update(t, d, func(tx *db.Tx) error { return tx.DeleteProduct("a", 1) })
		wantRows("[2 1 2 2 2]")
		update(t, d, func(tx *db.Tx) error {
			return tx.DeleteProducts("a", cohort.ProductFilter{SKUs: []string{"sku 2", "x"}})
		})
		wantRows("[1 0 1 1 1]")
		update(t, d, func(tx *db.Tx) error { return tx.DeleteVariant("a", cohort.Variant{ID: 103}) })
		wantRows("[1 0 0 0 0]")
	})
}

func TestProductsByPrice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addProducts(t, d, "a", newProduct(1), newProduct(2), newProduct(3))
		bound := func(s string) decimal.NullDecimal {
			if s == "" {
				return decimal.NullDecimal{}
			}
			return decimal.NewNullDecimal(decimal.RequireFromString(s))
		}
		for _, tt := range []struct{ min, max, want string }{
			{"", "", "[1 2 3]"},
			{"2", "", "[2 3]"},
			{"2.00001", "", "[3]"},
			{"", "2", "[1 2]"},
			{"", "1.99999", "[1]"},
			{"2", "2", "[2]"},
			{"2.00001", "2.00001", "[]"}, // between two possible prices
			{"-1e60", "1e60", "[1 2 3]"},
			{"1e60", "", "[]"},
			{"", "-1e60", "[]"},
			{"922337203685477.5808", "", "[]"}, // the first that overflows an int64
			{"", "922337203685477.5808", "[1 2 3]"},
		} {
			view(t, d, func(tx *db.Tx) error {
				list, err := tx.ListProducts("a", cohort.ProductFilter{Price: cohort.AmountRange{Min: bound(tt.min), Max: bound(tt.max)}}, onePage)
				ids := []int64{}
				for _, p := range list {
					ids = append(ids, p.ID)
				}
				if got := fmt.Sprint(ids); got != tt.want {
					t.Errorf("from %q to %q: %s, want %s", tt.min, tt.max, got, tt.want)
				}
				return err
			})
		}
	})
}
