package db_test

import (
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestImportOfBaseVariants checks that base variants may be in the file, as in an
// export of the store, or be missing from it, as in data of another system.
func TestImportOfBaseVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		items := []cohort.CatalogItem{product(1, "ONE"), variant(77, 1, "ONE"), product(2, "TWO"), variant(78, 2, "", option(1, 1))}
		wantCounts(t, importInto(t, d, "a", items...), [3]int64{}, [3]int64{}, [3]int64{2, 0, 0}, [3]int64{2, 0, 0})
		want := catalog{
			Products: []cohort.Product{storedProduct(1, "ONE", 77), storedProduct(2, "TWO", made+1)},
			Variants: []cohort.Variant{storedVariant(77, 1, "ONE"), storedVariant(78, 2, "", option(1, 1)), storedVariant(made+1, 2, "TWO")},
		}
		wantCatalog(t, d, want)
		wantCounts(t, importInto(t, d, "a", append(items, variant(made+1, 2, "TWO"))...), [3]int64{}, [3]int64{}, [3]int64{0, 0, 2}, [3]int64{0, 0, 3})
		wantCatalog(t, d, want)
		wantMistakes(t, d, []cohort.CatalogItem{variant(77, 1, "ELSE"), variant(80, 1, "X"), variant(made+1, 1, "TWO", option(1, 1))},
			cohort.ImportMistake{Line: 1, Text: "variant 77 is the base variant of product 1, so it must have that product_id, the product's SKU and no option values. To use the id for another variant, import products and variants in one file."},
			cohort.ImportMistake{Line: 2, Text: "option_values: variant 80 has none, so it must be the base variant of product 1, but the product has another base variant or another SKU."},
			cohort.ImportMistake{Line: 3, Text: "variant 1000000001 is the base variant of product 2, so it must have that product_id, the product's SKU and no option values. To use the id for another variant, import products and variants in one file."})
	})
}

func TestImportOfBulkTiers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		tiers := []cohort.BulkTier{{QuantityMin: 10, Method: cohort.MethodPercent, Amount: amount("5")}}
		with, without, silent := product(1, ""), product(1, ""), product(1, "")
		with.Product.BulkTiers, silent.KeepBulkTiers = tiers, true
		for _, step := range []struct {
			item cohort.CatalogItem
			want []cohort.BulkTier
		}{{silent, nil}, {with, tiers}, {silent, tiers}, {without, nil}} {
			importInto(t, d, "a", step.item)
			if diff := cmp.Diff(step.want, catalogOf(t, d, "a").Products[0].BulkTiers, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("tiers (-want +got):\n%s", diff)
			}
		}
	})
}

// TestImportNumbersBaseVariants checks that the ids of created base variants do not
// collide with imported ids.
func TestImportNumbersBaseVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		importInto(t, d, "a", product(1, ""), variant(1, 1, "", option(1, 1)))
		importInto(t, d, "a", product(2, ""), variant(2, 2, "", option(1, 1)))
		importInto(t, d, "a", product(3, ""), variant(made+500, 3, "", option(1, 1)))
		importInto(t, d, "a", product(4, ""))
		var got []int64
		for _, p := range catalogOf(t, d, "a").Products {
			got = append(got, p.BaseVariantID)
		}
		// Once imported ids reach this range, created ones continue after them.
		if want := []int64{made + 1, made + 2, made + 501, made + 502}; !slices.Equal(got, want) {
			t.Errorf("base variants %v, want %v", got, want)
		}
		update(t, d, func(tx *db.Tx) error {
			id, err := tx.NextID("a", "variant")
			if id != made+503 {
				t.Errorf("the next id is %d", id)
			}
			return err
		})
	})
}
