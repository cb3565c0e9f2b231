package db_test

import (
	"encoding/json"
	"io"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func brand(id int64, name string) cohort.CatalogItem {
	return cohort.CatalogItem{Kind: cohort.CatalogBrand, ID: id, Brand: cohort.Brand{Name: name}}
}

func category(id, parent int64, name string) cohort.CatalogItem {
	return cohort.CatalogItem{Kind: cohort.CatalogCategory, ID: id, Category: cohort.Category{ParentID: parent, Name: name}}
}

func product(id int64, sku string, categories ...int64) cohort.CatalogItem {
	return cohort.CatalogItem{Kind: cohort.CatalogProduct, ID: id, Product: cohort.Product{
		Name: "Tee", Type: cohort.ProductPhysical, SKU: sku, Price: amount("12.50"), Categories: categories,
	}}
}

func variant(id, product int64, sku string, options ...cohort.OptionValue) cohort.CatalogItem {
	return cohort.CatalogItem{Kind: cohort.CatalogVariant, ID: id, Variant: cohort.Variant{ProductID: product, SKU: sku, OptionValues: options}}
}

// detailed returns an item with further fields, which are pairs of names and JSON values,
// and a product with a brand.
func detailed(item cohort.CatalogItem, brand int64, fields ...string) cohort.CatalogItem {
	d := cohort.Details{}
	for pair := range slices.Chunk(fields, 2) {
		d[pair[0]] = json.RawMessage(pair[1])
	}
	item.ReplaceDetails, item.Product.BrandID = true, brand
	item.Brand.Details, item.Category.Details, item.Product.Details, item.Variant.Details = d, d, d, d
	return item
}

// made is the id after which imports number the base variants that they create.
const made = 1_000_000_000

func option(id, value int64) cohort.OptionValue {
	return cohort.OptionValue{OptionID: id, ValueID: value}
}

// source returns the items one after another, with their positions as line
// numbers.
func source(items []cohort.CatalogItem) func() (cohort.CatalogItem, error) {
	line := int64(0)
	return func() (cohort.CatalogItem, error) {
		if line == int64(len(items)) {
			return cohort.CatalogItem{}, io.EOF
		}
		line++
		item := items[line-1]
		item.Line = line
		return item, nil
	}
}

func importInto(t *testing.T, d *db.DB, store string, items ...cohort.CatalogItem) []cohort.ImportCount {
	t.Helper()
	counts, err := service.New(d).ImportCatalog(t.Context(), store, source(items), false)
	if err != nil {
		t.Fatalf("%v %+v", err, err)
	}
	return counts
}

func wantCounts(t *testing.T, got []cohort.ImportCount, want ...[3]int64) {
	t.Helper()
	var figures [][3]int64
	for _, c := range got {
		figures = append(figures, [3]int64{c.Added, c.Replaced, c.Unchanged})
	}
	if diff := cmp.Diff(want, figures); diff != "" {
		t.Errorf("added, replaced and unchanged (-want +got):\n%s", diff)
	}
}

type catalog struct {
	Categories []cohort.Category
	Products   []cohort.Product
	Variants   []cohort.Variant
}

func catalogOf(t *testing.T, d *db.DB, store string) (c catalog) {
	t.Helper()
	all := cohort.Page{Number: 1, Size: 1 << 20}
	view(t, d, func(tx *db.Tx) (err error) {
		if c.Categories, err = tx.ListCategories(store, cohort.CategoryFilter{}, all); err != nil {
			return err
		}
		if c.Products, err = tx.ListProducts(store, cohort.ProductFilter{}, all); err != nil {
			return err
		}
		c.Variants, err = tx.ListVariants(store, cohort.VariantFilter{}, all)
		return err
	})
	return c
}

func wantCatalog(t *testing.T, d *db.DB, want catalog) {
	t.Helper()
	got := catalogOf(t, d, "a")
	for i := range got.Products {
		if got.Products[i].DateCreated.IsZero() || got.Products[i].DateModified.Before(got.Products[i].DateCreated) {
			t.Errorf("dates of %+v", got.Products[i])
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cohort.Product{}, "DateCreated", "DateModified")); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
}

// storedProduct returns the product that the import of product(id, sku, categories)
// stores.
func storedProduct(id int64, sku string, base int64, categories ...int64) cohort.Product {
	p := product(id, sku, categories...).Product
	p.ID, p.BaseVariantID = id, base
	return p
}

func storedVariant(id, product int64, sku string, options ...cohort.OptionValue) cohort.Variant {
	return cohort.Variant{ID: id, ProductID: product, SKU: sku, OptionValues: options}
}
