package db_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func wantSummary(t *testing.T, d *db.DB, store string, want cohort.CatalogSummary) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.CatalogSummary(store)
		if diff := cmp.Diff(want, got, cmp.Comparer(decimal.Decimal.Equal)); diff != "" {
			t.Errorf("the summary of %s (-want +got):\n%s", store, diff)
		}
		return err
	})
}

// The sum of the highest prices does not fit into an integer of SQLite.
func TestCatalogSummary(t *testing.T) {
	highest := decimal.RequireFromString("99999999999999.9999")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b", "c")
		wantSummary(t, d, "a", cohort.CatalogSummary{})
		update(t, d, func(tx *db.Tx) error {
			errs := []error{
				tx.InsertCategory("a", cohort.Category{ID: 4, Name: "Garden"}),
				tx.InsertCategory("a", cohort.Category{ID: 9, Name: "Bath"}),
			}
			for i := range int64(20) {
				errs = append(errs,
					tx.InsertProduct("a", cohort.Product{
						ID: i + 1, Name: fmt.Sprint("Product ", i), Type: cohort.ProductPhysical, Price: highest, SalePrice: decimal.NewFromInt(1),
						Categories: []int64{9, 4}, BaseVariantID: i + 1, DateCreated: t0.Add(time.Duration(i) * time.Hour), DateModified: t0,
					}),
					tx.InsertVariant("a", cohort.Variant{ID: i + 1, ProductID: i + 1}))
			}
			return errors.Join(append(errs,
				tx.InsertProduct("b", cohort.Product{
					ID: 1, Name: "Product", Type: cohort.ProductPhysical, Price: decimal.NewFromInt(7), Categories: []int64{5},
					BaseVariantID: 1, DateCreated: t0, DateModified: t0,
				}),
				tx.InsertVariant("b", cohort.Variant{ID: 1, ProductID: 1}),
				tx.InsertVariant("b", cohort.Variant{ID: 2, ProductID: 1, Price: decimal.NewNullDecimal(decimal.NewFromInt(0))}),
				tx.InsertVariant("b", cohort.Variant{ID: 3, ProductID: 1, Price: decimal.NewNullDecimal(decimal.RequireFromString("3.0001"))}),
			)...)
		})
		wantSummary(t, d, "a", cohort.CatalogSummary{
			Variants: 20, HighestPrice: highest, LowestPrice: highest, AvgPrice: highest,
			Oldest: t0, Newest: t0.Add(19 * time.Hour), PrimaryCategory: cohort.Category{ID: 4, TreeID: 1, Name: "Garden"},
		})
		wantSummary(t, d, "b", cohort.CatalogSummary{
			Variants: 3, HighestPrice: decimal.NewFromInt(7), AvgPrice: decimal.RequireFromString("3.33336667"),
			Oldest: t0, Newest: t0, PrimaryCategory: cohort.Category{ID: 5},
		})
		wantSummary(t, d, "c", cohort.CatalogSummary{})
	})
}
