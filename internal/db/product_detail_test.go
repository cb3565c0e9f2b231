package db_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/shopspring/decimal"
)

// detailedProducts returns products of which most have details.
func detailedProducts(rng *rand.Rand, n int) []cohort.Product {
	list := make([]cohort.Product, n)
	for i := range list {
		id := int64(i) + 1
		p := cohort.Product{
			ID: id, Name: fmt.Sprint("Name/", rng.IntN(5)), Type: cohort.ProductPhysical, BaseVariantID: id,
			Price: decimal.New(int64(rng.IntN(5)), -1), SalePrice: decimal.New(int64(rng.IntN(4)), -1),
			DateCreated: time.UnixMilli(0).UTC(), DateModified: time.UnixMilli(int64(rng.IntN(5))).UTC(),
		}
		if rng.IntN(4) > 0 {
			p.Name = strings.ToLower(p.Name)
			p.BrandID = int64(rng.IntN(3))
			p.Details = cohort.Details{
				"is_visible":              json.RawMessage(strconv.FormatBool(rng.IntN(2) == 0)),
				"inventory_level":         json.RawMessage(strconv.Itoa(rng.IntN(4))),
				"condition":               json.RawMessage([]string{`"New"`, `"Used"`}[rng.IntN(2)]),
				"availability":            json.RawMessage([]string{`"available"`, `"preorder"`}[rng.IntN(2)]),
				"upc":                     json.RawMessage([]string{`""`, `"77"`}[rng.IntN(2)]),
				"mpn":                     json.RawMessage([]string{`""`, `"M"`}[rng.IntN(2)]),
				"is_featured":             json.RawMessage(strconv.FormatBool(rng.IntN(2) == 0)),
				"is_free_shipping":        json.RawMessage(strconv.FormatBool(rng.IntN(2) == 0)),
				"inventory_tracking":      json.RawMessage([]string{`"none"`, `"product"`}[rng.IntN(2)]),
				"inventory_warning_level": json.RawMessage(strconv.Itoa(rng.IntN(4))),
			}
		}
		list[i] = p
	}
	return list
}

// Every order lists every product once, by page number and by cursor in both directions,
// and every filter selects what it says.
func TestListsOfDetailedProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		products := detailedProducts(rand.New(rand.NewPCG(1, 2)), 60)
		addStores(t, d, "a", "b")
		update(t, d, func(tx *db.Tx) error {
			for id := range int64(2) {
				if err := tx.InsertBrand("a", cohort.Brand{ID: id + 1, Name: fmt.Sprint(id)}); err != nil {
					return err
				}
			}
			for _, store := range []string{"a", "b"} {
				for _, p := range products {
					if err := tx.InsertProduct(store, p); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for _, by := range []cohort.ProductSort{
			cohort.SortProductsByID, cohort.SortProductsByName, cohort.SortProductsBySKU, cohort.SortProductsByPrice, cohort.SortProductsByCalculated,
			cohort.SortProductsByDateModified, cohort.SortProductsByInventory, cohort.SortProductsByVisibility,
		} {
			for _, descending := range []bool{false, true} {
				o := cohort.ProductOrder{By: by, Descending: descending}
				want := sortedProducts(products, o)
				wantProducts(t, fmt.Sprint(o, " by cursor"), want, pagesOf(t, d, cohort.ProductFilter{}, o))
			}
		}
		for name, c := range detailFilters() {
			var want []int64
			for _, p := range products {
				if c.passes(p) {
					want = append(want, p.ID)
				}
			}
			f := cohort.ProductFilter{Detail: c.filter}
			wantProducts(t, name, want, pagesOf(t, d, f, cohort.ProductOrder{}))
			view(t, d, func(tx *db.Tx) error {
				n, err := tx.CountProducts("a", f)
				if n != int64(len(want)) {
					t.Errorf("%s: %d counted, want %d", name, n, len(want))
				}
				return err
			})
		}
	})
}

// detailFilter is a filter, and the products that pass it.
type detailFilter struct {
	filter cohort.ProductDetailFilter
	passes func(cohort.Product) bool
}

// detailFilters returns a filter of each kind, both with and without the products that have
// no details.
func detailFilters() map[string]detailFilter {
	filters := map[string]detailFilter{
		"brand":         {cohort.ProductDetailFilter{BrandIDs: []int64{2}}, func(p cohort.Product) bool { return p.BrandID == 2 }},
		"a brand or no": {cohort.ProductDetailFilter{BrandIDs: []int64{0, 2}}, func(p cohort.Product) bool { return p.BrandID != 1 }},
		"several": {
			cohort.ProductDetailFilter{BrandIDs: []int64{1, 2}, IsVisible: new(true), Condition: new("Used")},
			func(p cohort.Product) bool {
				return p.BrandID > 0 && p.Details.Bool("is_visible", true) && p.Details.Text("condition", "New") == "Used"
			},
		},
	}
	level := func(p cohort.Product) int64 { return p.Details.Integer("inventory_level", 0) }
	tracked := func(p cohort.Product) bool { return p.Details.Text("inventory_tracking", "none") != "none" }
	for n := range int64(3) {
		levels := []int64{n, 3}
		among := func(p cohort.Product) bool { return slices.Contains(levels, level(p)) }
		filters[fmt.Sprint("levels ", levels)] = detailFilter{cohort.ProductDetailFilter{InventoryLevels: levels}, among}
		filters[fmt.Sprint("not levels ", levels)] = detailFilter{
			cohort.ProductDetailFilter{NotInventoryLevels: levels}, func(p cohort.Product) bool { return !among(p) },
		}
		filters[fmt.Sprint("at least ", n)] = detailFilter{
			cohort.ProductDetailFilter{InventoryLevel: cohort.IntRange{Min: &n}}, func(p cohort.Product) bool { return level(p) >= n },
		}
		filters[fmt.Sprint("at most ", n-1)] = detailFilter{
			cohort.ProductDetailFilter{InventoryLevel: cohort.IntRange{Max: new(n - 1)}}, func(p cohort.Product) bool { return level(p) <= n-1 },
		}
	}
	texts := func(field string, set func(*cohort.ProductDetailFilter) **string, standard string, values ...string) {
		for _, value := range values {
			f := detailFilter{passes: func(p cohort.Product) bool { return p.Details.Text(field, standard) == value }}
			*set(&f.filter) = &value
			filters[field+" "+value] = f
		}
	}
	texts("condition", func(f *cohort.ProductDetailFilter) **string { return &f.Condition }, "New", "New", "Used")
	texts("availability", func(f *cohort.ProductDetailFilter) **string { return &f.Availability }, "available", "available", "preorder")
	texts("upc", func(f *cohort.ProductDetailFilter) **string { return &f.UPC }, "", "", "77")
	texts("mpn", func(f *cohort.ProductDetailFilter) **string { return &f.MPN }, "", "", "M")
	flags := func(name string, set func(*cohort.ProductDetailFilter) **bool, value func(cohort.Product) bool) {
		for _, want := range []bool{false, true} {
			f := detailFilter{passes: func(p cohort.Product) bool { return value(p) == want }}
			*set(&f.filter) = &want
			filters[fmt.Sprint(name, " ", want)] = f
		}
	}
	flags("visible", func(f *cohort.ProductDetailFilter) **bool { return &f.IsVisible }, func(p cohort.Product) bool { return p.Details.Bool("is_visible", true) })
	flags("featured", func(f *cohort.ProductDetailFilter) **bool { return &f.IsFeatured }, func(p cohort.Product) bool { return p.Details.Bool("is_featured", false) })
	flags("free shipping", func(f *cohort.ProductDetailFilter) **bool { return &f.IsFreeShipping }, func(p cohort.Product) bool {
		return p.Details.Bool("is_free_shipping", false)
	})
	flags("low", func(f *cohort.ProductDetailFilter) **bool { return &f.LowInventory }, func(p cohort.Product) bool {
		return tracked(p) && level(p) <= p.Details.Integer("inventory_warning_level", 0)
	})
	flags("out of stock", func(f *cohort.ProductDetailFilter) **bool { return &f.OutOfStock }, func(p cohort.Product) bool { return tracked(p) && level(p) == 0 })
	return filters
}

func sortedProducts(products []cohort.Product, o cohort.ProductOrder) (ids []int64) {
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(key, 10, 64)
		return n
	}
	compare := func(a, b cohort.Product) int {
		first, second := o.Key(a), o.Key(b)
		first, second = first[:max(strings.LastIndexByte(first, '/'), 0)], second[:max(strings.LastIndexByte(second, '/'), 0)]
		return cmp.Or(cmp.Compare(number(first), number(second)), cmp.Compare(first, second), cmp.Compare(a.ID, b.ID))
	}
	for _, p := range slices.SortedFunc(slices.Values(products), compare) {
		ids = append(ids, p.ID)
	}
	if o.Descending {
		slices.Reverse(ids)
	}
	return ids
}

// pagesOf returns the ids of all products that pass, read by cursors: forwards, and then
// checked against the pages backwards.
func pagesOf(t *testing.T, d *db.DB, f cohort.ProductFilter, o cohort.ProductOrder) (ids []int64) {
	t.Helper()
	read := func(p cohort.Page) (list []cohort.Product) {
		t.Helper()
		view(t, d, func(tx *db.Tx) error {
			return tx.ReadProducts("a", f, o, p, func(p cohort.Product) bool {
				list = append(list, p)
				return true
			})
		})
		return list
	}
	first := read(cohort.Page{Number: 1, Size: 7})
	for page := first; len(page) > 0; page = read(cohort.Page{Number: 1, Size: 7, After: o.Key(page[len(page)-1])}) {
		before := read(cohort.Page{Number: 1, Size: 3, Before: o.Key(page[0])})
		for i, p := range before {
			if at := len(ids) - len(before) + i; at < 0 || ids[at] != p.ID {
				t.Errorf("%v: before %d come %d products, the one at %d is %d", o, page[0].ID, len(before), i, p.ID)
			}
		}
		for _, p := range page {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func wantProducts(t *testing.T, what string, want, got []int64) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Details are read for many products at once, but not for more than fit into memory.
func TestLargeDetails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		add := func(from int64, size int) {
			update(t, d, func(tx *db.Tx) error {
				for id := from; id < from+10; id++ {
					p := cohort.Product{ID: id, Name: fmt.Sprint(id), Type: cohort.ProductPhysical, Details: cohort.Details{
						"description": json.RawMessage(`"` + strings.Repeat("x", size) + strconv.FormatInt(id, 10) + `"`),
					}}
					if err := tx.InsertProduct("a", p); err != nil {
						return err
					}
				}
				return nil
			})
		}
		add(1, 10)
		add(11, 400<<10)
		queries := func(ids ...int64) (n int) {
			view(t, d, func(tx *db.Tx) error {
				tx.Trace(func(query string, _ []any) {
					if strings.Contains(query, "details FROM product_details") {
						n++
					}
				})
				return tx.ReadProducts("a", cohort.ProductFilter{IDs: ids}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 50}, func(p cohort.Product) bool {
					if !strings.HasSuffix(p.Details.Text("description", ""), "x"+strconv.FormatInt(p.ID, 10)) {
						t.Errorf("product %d has the description of another", p.ID)
					}
					return true
				})
			})
			return n
		}
		if n := queries(1, 2, 3, 4, 5, 6, 7, 8, 9, 10); n != 1 {
			t.Errorf("%d queries for small details, want 1", n)
		}
		if n := queries(11, 12, 13, 14); n != 2 {
			t.Errorf("%d queries for large details, want 2", n)
		}
	})
}
