package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// wantBrands fails unless a store has these brands, each written as its id, name and page
// title.
func wantBrands(t *testing.T, d *db.DB, store string, want ...string) {
	t.Helper()
	var got []string
	view(t, d, func(tx *db.Tx) error {
		return tx.ReadBrands(store, cohort.BrandFilter{}, cohort.BrandOrder{}, allOf, func(b cohort.Brand) bool {
			got = append(got, fmt.Sprint(b.ID, " ", b.Name, " ", b.Details.Text("page_title", "-")))
			return true
		})
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("brands (-want +got):\n%s", diff)
	}
}

func TestImportOfBrands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", brand(1, "Acme"), brand(7, "Elsewhere"))
		// A product may come before its brand.
		first := []cohort.CatalogItem{detailed(product(1, ""), 9), detailed(brand(1, " Acme "), 0, "page_title", `"T"`), brand(9, "Zeta"), brand(3, "Orion")}
		before := dump(t, d)
		if _, err := service.New(d).ImportCatalog(t.Context(), "a", source(first), true); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("a dry run has changed the database (-before +after):\n%s", diff)
		}
		wantCounts(t, importInto(t, d, "a", first...), [3]int64{3, 0, 0}, [3]int64{}, [3]int64{1, 0, 0}, [3]int64{})
		wantBrands(t, d, "a", "1 Acme T", "3 Orion -", "9 Zeta -")
		wantBrands(t, d, "b", "1 Acme -", "7 Elsewhere -")
		if p := catalogOf(t, d, "a").Products[0]; p.BrandID != 9 {
			t.Errorf("the product has brand %d", p.BrandID)
		}
		// Names are swapped. Brands without further fields keep theirs.
		again := []cohort.CatalogItem{brand(1, "zeta"), detailed(brand(9, "Acme"), 0, "page_title", `"A"`), brand(3, "Orion"), brand(4, "New")}
		wantCounts(t, importInto(t, d, "a", again...), [3]int64{1, 2, 1}, [3]int64{}, [3]int64{}, [3]int64{})
		wantCounts(t, importInto(t, d, "a", again...), [3]int64{0, 0, 4}, [3]int64{}, [3]int64{}, [3]int64{})
		wantBrands(t, d, "a", "1 zeta T", "3 Orion -", "4 New -", "9 Acme A")
		wantCounts(t, importInto(t, d, "a", detailed(brand(9, "Acme"), 0)), [3]int64{0, 1, 0}, [3]int64{}, [3]int64{}, [3]int64{})
		wantBrands(t, d, "a", "1 zeta T", "3 Orion -", "4 New -", "9 Acme -")
		// The product still names brand 9 after its deletion, and has it again later.
		update(t, d, func(tx *db.Tx) error { return tx.DeleteBrand("a", 9) })
		if p := catalogOf(t, d, "a").Products[0]; p.BrandID != 0 {
			t.Errorf("without the brand, the product has brand %d", p.BrandID)
		}
		importInto(t, d, "a", brand(9, "Acme"))
		if p := catalogOf(t, d, "a").Products[0]; p.BrandID != 9 {
			t.Errorf("with the brand again, the product has brand %d", p.BrandID)
		}
		update(t, d, func(tx *db.Tx) error {
			if id, err := tx.NextID("a", "brand"); id != 10 || err != nil {
				t.Errorf("the next brand is %d (%v), want 10", id, err)
			}
			return nil
		})
	})
}

func TestImportMistakesOfBrands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", brand(30, "Elsewhere"))
		importInto(t, d, "a", brand(1, "Acme"), brand(2, "Zeta"))
		wantMistakes(t, d, []cohort.CatalogItem{
			brand(3, "Orion"), brand(4, "ORION"), brand(5, "ACME"), brand(6, "Elsewhere"), brand(7, ""), detailed(product(1, ""), 7),
			detailed(product(2, ""), 30), brand(8, strings.Repeat("é", cohort.MaxBrandName+1)), brand(0, "x"), detailed(product(3, ""), 2),
		},
			cohort.ImportMistake{Line: 2, Text: "name: brand 3, in line 1, has the same name, without regard to case."},
			cohort.ImportMistake{Line: 3, Text: "name: brand 1 of the store has the same name, without regard to case, and is not in the file."},
			cohort.ImportMistake{Line: 5, Text: "name: The value must not be empty."},
			cohort.ImportMistake{Line: 8, Text: "name: The value must not be longer than 255 characters."},
			cohort.ImportMistake{Line: 9, Text: "id: An id is an integer from 1 to 1000000000000000."})
		wantMistakes(t, d, []cohort.CatalogItem{detailed(product(2, ""), 30), brand(2, "a"), brand(2, "b")},
			cohort.ImportMistake{Line: 1, Text: "brand_id: brand 30 is neither in the file nor in the store."},
			cohort.ImportMistake{Line: 3, Text: "id: brand 2 is in line 2 already."})
		// A name is free if the file renames the brand that has it.
		importInto(t, d, "a", brand(3, "acme"), brand(1, "Was Acme"))
	})
}

// TestImportOfManyBrands checks that names can move among brands of different batches.
func TestImportOfManyBrands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		const n = 1200
		named := func(shift int64) (items []cohort.CatalogItem) {
			for id := range int64(n) {
				items = append(items, brand(id+1, fmt.Sprint("brand ", (id+shift)%n)))
			}
			return items
		}
		importInto(t, d, "a", named(1)...)
		wantCounts(t, importInto(t, d, "a", named(0)...), [3]int64{0, n, 0}, [3]int64{}, [3]int64{}, [3]int64{})
		view(t, d, func(tx *db.Tx) error {
			b, err := tx.Brand("a", n)
			if b.Name != fmt.Sprint("brand ", n-1) {
				t.Errorf("brand %d is %q", n, b.Name)
			}
			count, countErr := tx.CountBrands("a", cohort.BrandFilter{})
			if count != n {
				t.Errorf("there are %d brands, want %d", count, n)
			}
			return errors.Join(err, countErr)
		})
	})
}
