package db_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// wantMistakes fails unless an import is rejected with these mistakes and changes
// nothing.
func wantMistakes(t *testing.T, d *db.DB, items []cohort.CatalogItem, want ...cohort.ImportMistake) {
	t.Helper()
	before := dump(t, d)
	_, err := service.New(d).ImportCatalog(t.Context(), "a", source(items), false)
	m, ok := errors.AsType[*service.ImportMistakes](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if diff := cmp.Diff(want, m.First); diff != "" || m.Count != int64(len(want)) {
		t.Errorf("%d mistakes (-want +got):\n%s", m.Count, diff)
	}
	if diff := cmp.Diff(before, dump(t, d)); diff != "" {
		t.Errorf("a rejected import has changed the database (-before +after):\n%s", diff)
	}
}

func TestImportMistakes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", category(30, 0, "x"), product(130, "BBB"))
		importInto(t, d, "a", category(18, 0, "Shirts"), category(19, 18, "Blue"), product(100, "TEE"), variant(501, 100, "S", option(7, 1)))
		wrong := func(line int64, text string) cohort.ImportMistake {
			return cohort.ImportMistake{Line: line, Text: text}
		}
		list := func(items ...cohort.CatalogItem) []cohort.CatalogItem { return items }
		for _, c := range []struct {
			items []cohort.CatalogItem
			want  []cohort.ImportMistake
		}{
			{list(category(5, 0, "x"), category(5, 0, "y"), product(5, ""), category(5, 0, "z")), []cohort.ImportMistake{
				wrong(2, "id: category 5 is in line 1 already."), wrong(4, "id: category 5 is in line 1 already.")}},
			{list(category(5, 30, "x"), product(5, "", 18, 30), variant(5, 130, "", option(7, 1))), []cohort.ImportMistake{
				wrong(1, "parent_id: category 30 is neither in the file nor in the store."),
				wrong(2, "categories: category 30 is neither in the file nor in the store."),
				wrong(3, "product_id: product 130 is neither in the file nor in the store.")}},
			{list(category(18, 19, "Shirts"), category(7, 7, "x")), []cohort.ImportMistake{
				wrong(1, "parent_id: the category is below itself: 18 under 19 under 18."),
				wrong(2, "parent_id: the category is below itself: 7 under 7.")}},
			{list(category(5, 18, "Blue"), category(6, 0, "y"), category(7, 0, "y")), []cohort.ImportMistake{
				wrong(1, "name: category 19 of the store, under the same parent, has the same name."),
				wrong(3, "name: category 6 under the same parent, in line 2, has the same name.")}},
			{list(product(5, "S"), product(6, "A"), variant(9, 6, "A", option(7, 1)), product(7, "TEE")), []cohort.ImportMistake{
				wrong(1, "sku: variant 501 of product 100 has the same SKU, and is not in the file."),
				wrong(3, "sku: line 2 has the same SKU, and no two variants may share one. A product's SKU is also that of its base variant."),
				wrong(4, "sku: variant 1000000001 of product 100 has the same SKU, and is not in the file.")}},
			{list(variant(5, 100, "", option(7, 1)), variant(6, 100, "", option(1, 1), option(2, 2)), variant(7, 100, "", option(2, 2), option(1, 1))), []cohort.ImportMistake{
				wrong(1, "option_values: variant 501 of product 100 has the same option values, and is not in the file."),
				wrong(3, "option_values: line 2 is a variant of product 100 with the same option values.")}},
			{list(category(0, 0, "x"), category(1, 0, ""), category(cohort.MaxCatalogID+1, 0, "x")), []cohort.ImportMistake{
				wrong(1, "id: An id is an integer from 1 to 1000000000000000."), wrong(2, "name: The value must not be empty."),
				wrong(3, "id: An id is an integer from 1 to 1000000000000000.")}},
		} {
			wantMistakes(t, d, c.items, c.want...)
		}
		// A reference to an invalid line is not reported as well.
		wantMistakes(t, d, list(category(5, 0, ""), category(6, 5, "x"), product(7, "", 5)), wrong(1, "name: The value must not be empty."))
	})
}

// An import leaves categories in their trees. A new one is in tree 1, and a parent is in
// the tree of its category.
func TestImportKeepsTrees(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		importInto(t, d, "a", category(1, 0, "Main"), category(2, 0, "Outlet"), category(3, 2, "Shirts"))
		update(t, d, func(tx *db.Tx) error {
			if err := tx.LockCategoryTrees("a"); err != nil {
				return err
			}
			_, err := tx.CreateCategoryTree("a", cohort.CategoryTree{Name: "Outlet", ChannelID: 2})
			return errors.Join(err, tx.SetTreeOfCategory("a", 2, 2), tx.SetTreeOfCategory("a", 3, 2))
		})
		const text = " is in tree 2, and its new parent is not. Categories in a file are in the tree of the store that they are in already, or else in tree 1."
		wantMistakes(t, d, []cohort.CatalogItem{category(3, 1, "Shirts")}, cohort.ImportMistake{Line: 1, Text: "parent_id: category 3" + text})
		wantMistakes(t, d, []cohort.CatalogItem{category(9, 2, "New")}, cohort.ImportMistake{
			Line: 1, Text: strings.Replace("parent_id: category 9"+text, "tree 2", "tree 1", 1),
		})
		// At the top of two trees, names may be the same.
		importInto(t, d, "a", category(9, 0, "Outlet"), category(1, 0, "New"), category(2, 0, "New"), category(3, 2, "New"))
		view(t, d, func(tx *db.Tx) error {
			list, err := tx.ListCategories("a", cohort.CategoryFilter{}, cohort.Page{Number: 1, Size: 10})
			want := []cohort.Category{
				{ID: 1, TreeID: 1, Name: "New"}, {ID: 2, TreeID: 2, Name: "New"}, {ID: 3, ParentID: 2, TreeID: 2, Name: "New"}, {ID: 9, TreeID: 1, Name: "Outlet"},
			}
			if diff := cmp.Diff(want, list); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
		wantMistakes(t, d, []cohort.CatalogItem{category(10, 0, "New")}, cohort.ImportMistake{
			Line: 1, Text: "name: category 1 of the store, under the same parent, has the same name.",
		})
	})
}

func TestImportBoundsCategoryDepth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var chain []cohort.CatalogItem
		for id := range int64(cohort.MaxCategoryDepth) {
			chain = append(chain, category(id+1, id, "x"))
		}
		slices.Reverse(chain)
		importInto(t, d, "a", chain...)
		wantMistakes(t, d, []cohort.CatalogItem{category(50, cohort.MaxCategoryDepth, "x")},
			cohort.ImportMistake{Line: 1, Text: "parent_id: category 50 would be 33 deep, and may be 32."})
		// The category that becomes too deep is only in the store.
		wantMistakes(t, d, []cohort.CatalogItem{category(60, 0, "top"), category(1, 60, "x")},
			cohort.ImportMistake{Line: 2, Text: "parent_id: category 32 would be 33 deep, and may be 32."})
		importInto(t, d, "a", category(32, 0, "moved"), category(60, 0, "top"), category(1, 60, "x"))
	})
}

func TestImportBoundsVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		items := []cohort.CatalogItem{product(1, "")}
		for i := range int64(cohort.MaxVariants) {
			items = append(items, variant(i+1, 1, "", option(1, i+1)))
		}
		importInto(t, d, "a", items...)
		wantMistakes(t, d, []cohort.CatalogItem{variant(9000, 1, "", option(2, 1))},
			cohort.ImportMistake{Line: 1, Text: "product_id: product 1 would have 601 variants, and may have 600."})
	})
}

// TestImportReportsFirstMistakes checks that an import with many mistakes reports
// the first ones and the total number.
func TestImportReportsFirstMistakes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var items []cohort.CatalogItem
		for id := range int64(500) {
			item := product(id+1, "", 99)
			if id >= 250 {
				item.Product.Name = ""
			}
			items = append(items, item)
		}
		_, err := service.New(d).ImportCatalog(t.Context(), "a", source(items), false)
		m, ok := errors.AsType[*service.ImportMistakes](err)
		if !ok || m.Count != 500 || len(m.First) != service.MaxImportMistakes {
			t.Fatalf("%v", err)
		}
		for i, one := range m.First {
			if one.Line != int64(i+1) || one.Text != "categories: category 99 is neither in the file nor in the store." {
				t.Fatalf("%d: %+v", i, one)
			}
		}
	})
}
