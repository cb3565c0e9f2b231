package db_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// catalogReads are the results of all queries of a store's catalog, by the name of
// the query.
type catalogReads map[string]any

func (r catalogReads) add(name string, value any, err error) {
	if cohort.KindOf(err) == cohort.KindNotFound {
		value, err = "not found", nil
	}
	if err != nil {
		value = err.Error()
	}
	r[name] = value
}

// reads runs all queries of a catalog with ids below 10. All except the prices run
// in one view.
func reads(t testing.TB, d *db.DB, store string) catalogReads {
	t.Helper()
	r := catalogReads{}
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		readBrands(tx, r, store)
		readCategories(tx, r, store)
		readProducts(tx, r, store)
		readVariants(tx, r, store)
		readRecords(tx, r, store)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	readPrices(t, service.New(d), r, store)
	return r
}

// readPrices requests one price at a time, because a missing item fails the whole
// request.
func readPrices(t testing.TB, svc *service.Service, r catalogReads, store string) {
	t.Helper()
	group, found := int64(0), 0
	for id := range int64(6) {
		for i, item := range []service.PriceItem{{ProductID: id + 1}, {ProductID: id/2 + 1, VariantID: id + 1}} {
			prices, err := svc.Prices(t.Context(), store, service.PriceRequest{
				ChannelID: 1, Currency: "USD", ShopperQuery: service.ShopperQuery{GroupID: &group}, Items: []service.PriceItem{item},
			})
			r.add(fmt.Sprint("price ", i, id+1), prices, err)
			if err == nil {
				found++
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d prices, want 3 or more", found)
	}
}

var (
	fewIDs   = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	fewSKUs  = []string{"A", "B", "C", "D", "E", "F"}
	allOf    = cohort.Page{Number: 1, Size: 1000}
	somePage = []cohort.Page{allOf, {Number: 2, Size: 2}, {Size: 2, After: "3"}, {Size: 2, Before: "6"}}
)

func readBrands(tx *db.Tx, r catalogReads, store string) {
	for i, f := range []cohort.BrandFilter{{}, {Name: new("acme")}, {PageTitle: new("T")}} {
		var list []cohort.Brand
		err := tx.ReadBrands(store, f, cohort.BrandOrder{}, allOf, func(b cohort.Brand) bool {
			list = append(list, b)
			return true
		})
		r.add(fmt.Sprint("ReadBrands ", i), list, err)
	}
}

func readCategories(tx *db.Tx, r catalogReads, store string) {
	name := "b"
	for i, f := range []cohort.CategoryFilter{{}, {IDs: []int64{2, 4}}, {ParentIDs: []int64{0, 1}}, {Name: &name}, {NameLike: "A"}, {IsVisible: new(true)}, {PageTitle: new("T")}} {
		for _, p := range somePage {
			list, err := tx.ListCategories(store, f, p)
			r.add(fmt.Sprint("ListCategories ", i, p), list, err)
		}
		n, err := tx.CountCategories(store, f)
		r.add(fmt.Sprint("CountCategories ", i), n, err)
		outside, err := tx.SubcategoryOutside(store, f)
		r.add(fmt.Sprint("SubcategoryOutside ", i), outside, err)
	}
	for _, id := range fewIDs {
		c, err := tx.Category(store, id)
		r.add(fmt.Sprint("Category ", id), c, err)
		named, err := tx.CategoryIDByName(store, 1, id-1, "b")
		r.add(fmt.Sprint("CategoryIDByName ", id), named, err)
		parents, err := tx.CategoryParentsOf(store, []int64{id})
		r.add(fmt.Sprint("CategoryParentsOf ", id), parents, err)
		above, err := tx.CategoriesAbove(store, []int64{id, 3}, nil)
		r.add(fmt.Sprint("CategoriesAbove ", id), above, err)
		missing, err := tx.MissingCategory(store, []int64{id})
		r.add(fmt.Sprint("MissingCategory ", id), missing, err)
	}
	var ordered []cohort.Category
	err := tx.ReadCategories(store, cohort.CategoryFilter{}, cohort.CategoryOrder{By: cohort.SortCategoriesByOrder}, allOf, func(c cohort.Category) bool {
		ordered = append(ordered, c)
		return true
	})
	r.add("ReadCategories by sort_order", ordered, err)
	parents, err := tx.CategoryParents(store)
	r.add("CategoryParents", parents, err)
}

func readProducts(tx *db.Tx, r catalogReads, store string) {
	name, sku, price := "b", "A", decimal.NewFromInt(5)
	for i, f := range []cohort.ProductFilter{
		{}, {IDs: []int64{2, 4}}, {Name: &name}, {NameLike: "A"}, {SKU: &sku}, {SKUs: fewSKUs[1:3]}, {Categories: []int64{2, 3}},
		{Price: cohort.AmountRange{Min: decimal.NewNullDecimal(price)}}, {DateModified: cohort.TimeRange{From: t0.Add(time.Minute)}},
		{Detail: cohort.ProductDetailFilter{IsVisible: new(true), Condition: new("New")}}, {Detail: cohort.ProductDetailFilter{BrandIDs: []int64{2}}},
		{ChannelIDs: []int64{1, 2}, With: cohort.ProductWith{Options: true, Channels: true}},
		{ChannelIDs: []int64{1}, Detail: cohort.ProductDetailFilter{IsVisible: new(true)}},
	} {
		for _, p := range somePage {
			list, err := tx.ListProducts(store, f, p)
			r.add(fmt.Sprint("ListProducts ", i, p), list, err)
		}
		n, err := tx.CountProducts(store, f)
		r.add(fmt.Sprint("CountProducts ", i), n, err)
	}
	for _, id := range fewIDs {
		p, err := tx.Product(store, id)
		r.add(fmt.Sprint("Product ", id), p, err)
		missing, err := tx.MissingProduct(store, []int64{id})
		r.add(fmt.Sprint("MissingProduct ", id), missing, err)
	}
	var ordered []cohort.Product
	err := tx.ReadProducts(store, cohort.ProductFilter{}, cohort.ProductOrder{By: cohort.SortProductsByVisibility}, allOf, func(p cohort.Product) bool {
		ordered = append(ordered, p)
		return true
	})
	r.add("ReadProducts by is_visible", ordered, err)
	readAssignments(tx, r, store)
	products, err := tx.ProductsToPrice(store, fewIDs, nil)
	r.add("ProductsToPrice", products, err)
	categories, all, err := tx.CategoriesOfProducts(store, fewIDs, nil)
	slices.Sort(all) // the query does not order the products
	r.add("CategoriesOfProducts", []any{categories, all}, err)
}

func readAssignments(tx *db.Tx, r catalogReads, store string) {
	for i, f := range []cohort.ProductAssignmentFilter{{}, {ProductIDs: []int64{2, 4}}, {TargetIDs: []int64{1, 2}}} {
		for _, p := range somePage {
			var channels, categories []cohort.ProductAssignment
			err := tx.ReadChannelAssignments(store, f, p, func(a cohort.ProductAssignment) bool {
				channels = append(channels, a)
				return true
			})
			r.add(fmt.Sprint("ReadChannelAssignments ", i, p), channels, err)
			err = tx.ReadCategoryAssignments(store, f, p, func(a cohort.ProductAssignment) bool {
				categories = append(categories, a)
				return true
			})
			r.add(fmt.Sprint("ReadCategoryAssignments ", i, p), categories, err)
			var places []cohort.ProductPlace
			err = tx.ReadProductPlaces(store, int64(i)+1, p, func(p cohort.ProductPlace) bool {
				places = append(places, p)
				return true
			})
			r.add(fmt.Sprint("ReadProductPlaces ", i, p), places, err)
		}
	}
}

func readVariants(tx *db.Tx, r catalogReads, store string) {
	summary, err := tx.CatalogSummary(store)
	r.add("CatalogSummary", summary, err)
	for i, f := range []cohort.VariantFilter{{}, {IDs: []int64{2, 4}}, {ProductIDs: []int64{1, 3}}, {SKUs: fewSKUs[:2]}, {UPC: new("7")}, {UPC: new("")}} {
		for _, p := range somePage {
			list, err := tx.ListVariants(store, f, p)
			r.add(fmt.Sprint("ListVariants ", i, p), list, err)
		}
		var complete []db.CatalogVariant
		err := tx.ReadCatalogVariants(store, f, allOf, func(v db.CatalogVariant) bool {
			complete = append(complete, v)
			return true
		})
		r.add(fmt.Sprint("ReadCatalogVariants ", i), complete, err)
		n, err := tx.CountVariants(store, f)
		r.add(fmt.Sprint("CountVariants ", i), n, err)
	}
	var of []db.CatalogVariant
	err = tx.ReadVariantsOf(store, []cohort.Product{{ID: 3}, {ID: 1}, {ID: 2}}, 1, func(v db.CatalogVariant) bool {
		of = append(of, v)
		return true
	})
	r.add("ReadVariantsOf", of, err)
	for _, id := range fewIDs {
		v, err := tx.Variant(store, 0, id)
		r.add(fmt.Sprint("Variant ", id), v, err)
		v, err = tx.Variant(store, id, id)
		r.add(fmt.Sprint("Variant of ", id), v, err)
	}
	for _, sku := range fewSKUs {
		id, err := tx.VariantIDBySKU(store, sku)
		r.add("VariantIDBySKU "+sku, id, err)
	}
	ids, err := tx.VariantIDsBySKU(store, fewSKUs)
	r.add("VariantIDsBySKU", ids, err)
	list, err := tx.VariantsOfProducts(store, fewIDs, 1000, &db.Budget{Left: 1000})
	r.add("VariantsOfProducts", list, err)
	priced, err := tx.VariantsToPrice(store, append(slices.Clone(fewIDs), made+1, made+2), &db.Budget{Left: 1000})
	slices.SortFunc(priced, func(a, b cohort.Variant) int { return int(a.ID - b.ID) }) // the query does not order them
	r.add("VariantsToPrice", priced, err)
}

func readRecords(tx *db.Tx, r catalogReads, store string) {
	for i, f := range []cohort.PriceRecordFilter{{}, {ProductIDs: []int64{1, 3}}, {SKUs: fewSKUs[:3]}, {VariantIDs: []int64{2, 4}}} {
		var list []cohort.PriceRecord
		err := tx.ReadPriceRecords(store, 1, f, allOf, func(record cohort.PriceRecord) bool {
			list = append(list, record)
			return true
		})
		r.add(fmt.Sprint("ListPriceRecords ", i), list, err)
		n, err := tx.CountPriceRecords(store, 1, f)
		r.add(fmt.Sprint("CountPriceRecords ", i), n, err)
	}
	for _, id := range fewIDs {
		record, err := tx.PriceRecord(store, 1, id, "USD")
		r.add(fmt.Sprint("PriceRecord ", id), record, err)
	}
}

// drawItems draws a small valid catalog. A second drawn catalog replaces and adds
// items, and moves SKUs.
func drawItems(t *rapid.T, name string) (items []cohort.CatalogItem) {
	skus := rapid.Permutation(fewSKUs).Draw(t, name)
	next := func() (sku string) {
		if len(skus) == 0 || rapid.IntRange(0, 3).Draw(t, "no sku") == 0 {
			return ""
		}
		sku, skus = skus[0], skus[1:]
		return sku
	}
	// These ids are in every drawn catalog, so references to them are valid.
	for id := int64(1); id <= 6; id++ {
		parent := rapid.Int64Range(0, min(id-1, 2)).Draw(t, "parent")
		items = append(items, maybeDetailed(t, category(id, parent, name+strconv.FormatInt(id, 10))))
	}
	for id := int64(1); id <= 5; id++ {
		p := product(id, next(), rapid.SliceOfNDistinct(rapid.Int64Range(1, 6), 0, 3, rapid.ID[int64]).Draw(t, "categories")...)
		p.Product.Name = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")
		p.Product.Price = decimal.NewFromInt(rapid.Int64Range(1, 9).Draw(t, "price"))
		items = append(items, maybeDetailed(t, p))
	}
	for id := int64(1); id <= 9; id++ {
		// The option value is the id, so that it is unique among the variants of a
		// product.
		v := variant(id, rapid.Int64Range(1, 5).Draw(t, "product"), next(), option(1, id))
		if rapid.Bool().Draw(t, "has price") {
			v.Variant.Price = decimal.NewNullDecimal(decimal.NewFromInt(rapid.Int64Range(1, 9).Draw(t, "price")))
		}
		items = append(items, maybeDetailed(t, v))
	}
	return items
}

// maybeDetailed adds further fields to some items, and none to replace those of others.
func maybeDetailed(t *rapid.T, item cohort.CatalogItem) cohort.CatalogItem {
	brand := rapid.Int64Range(0, 2).Draw(t, "brand")
	switch rapid.IntRange(0, 3).Draw(t, "details") {
	case 0:
		return item
	case 1:
		return detailed(item, brand)
	case 2:
		return detailed(item, brand, "is_visible", "false", "page_title", `"T"`, "upc", `"7"`)
	}
	return detailed(item, brand, "is_visible", "true", "sort_order", "7")
}

// someOf leaves out some categories of a catalog. References to them stay valid,
// because the first catalog has all of them.
func someOf(t *rapid.T, items []cohort.CatalogItem) []cohort.CatalogItem {
	return slices.DeleteFunc(items, func(item cohort.CatalogItem) bool {
		// Only categories: the SKUs of a file are unique only together.
		return item.Kind == cohort.CatalogCategory && rapid.Bool().Draw(t, "leave out")
	})
}

// TestReadsOfAnUnmergedImport checks that all queries return the same before and
// after the merge of a published import, and that no query leaves out the rows of
// the import.
func TestReadsOfAnUnmergedImport(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		stores, maxStores := 0, testenv.Times(6, 2)
		rapid.Check(t, func(rt *rapid.T) {
			if stores >= maxStores {
				return
			}
			stores++
			store := fmt.Sprint("s", stores)
			addShops(t, d, store)
			old, items := drawItems(rt, "old"), someOf(rt, drawItems(rt, "new"))
			leaveUnmerged(t, url, d, store, old, items)
			var before catalogReads
			for _, query := range d.BypassedTables(func() { before = reads(t, d, store) }) {
				t.Errorf("a query leaves out the import: %s", query)
			}
			later := service.New(d, service.WithClock(func() time.Time { return t0.Add(time.Hour) }))
			if err := later.FinishImports(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantNothingIncoming(t, d)
			if diff := cmp.Diff(reads(t, d, store), before, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("(-merged +unmerged):\n%s", diff)
			}
		})
	})
}

// leaveUnmerged imports a catalog, adds price records of some variants, and starts
// a second import that crashes after it is published.
func leaveUnmerged(t *testing.T, url string, d *db.DB, store string, old, items []cohort.CatalogItem) {
	t.Helper()
	importAt(t, d, store, t0, old)
	addRecords(t, d, store)
	importer := openImporter(t, url)
	importer.DieWhenPublished()
	_, err := service.New(importer, service.WithClock(func() time.Time { return t0.Add(2 * time.Minute) })).
		ImportCatalog(t.Context(), store, source(items), false)
	if !isUnmerged(err) {
		t.Fatalf("the import ended with %v", err)
	}
}

func wantNothingIncoming(t *testing.T, d *db.DB) {
	t.Helper()
	all := dump(t, d)
	for _, table := range []string{"catalog_imports", "incoming_categories", "incoming_products", "incoming_product_categories", "incoming_variants", "incoming_category_details", "incoming_product_details", "incoming_variant_details"} {
		if len(all[table]) > 0 {
			t.Errorf("table %s is not empty: %v", table, all[table])
		}
	}
}
