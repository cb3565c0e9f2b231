package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// These tests run imports through the service, because CatalogImport keeps the
// catalog consistent only together with the service's checks.

func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", category(18, 0, "elsewhere"), product(100, "TEE"))
		// References may come before the items that they name.
		counts := importInto(t, d, "a",
			variant(501, 100, "S", option(8, 1), option(7, 1)), variant(40, 100, "", option(7, 2)),
			product(100, "TEE", 19, 18), product(90, ""),
			category(19, 18, "T-Shirts"), category(18, 0, "Shirts"))
		wantCounts(t, counts, [3]int64{}, [3]int64{2, 0, 0}, [3]int64{2, 0, 0}, [3]int64{2, 0, 0})
		want := catalog{
			[]cohort.Category{{ID: 18, TreeID: 1, Name: "Shirts"}, {ID: 19, ParentID: 18, TreeID: 1, Name: "T-Shirts"}},
			[]cohort.Product{storedProduct(90, "", made+2), storedProduct(100, "TEE", made+1, 19, 18)},
			[]cohort.Variant{storedVariant(40, 100, "", option(7, 2)), storedVariant(501, 100, "S", option(8, 1), option(7, 1)), storedVariant(made+1, 100, "TEE"), storedVariant(made+2, 90, "")},
		}
		wantCatalog(t, d, want)

		// New ids are above the imported ones.
		update(t, d, func(tx *db.Tx) error {
			for kind, want := range map[string]int64{"category": 20, "product": 101, "variant": 502} {
				if id, err := tx.NextID("a", kind); id != want || err != nil {
					t.Errorf("the next %s is %d (%v), want %d", kind, id, err, want)
				}
			}
			return nil
		})

		// A variant and a base variant swap SKUs.
		counts = importInto(t, d, "a", product(100, "S", 18), variant(501, 100, "TEE", option(7, 1)), product(90, ""), category(18, 0, "Shirts"))
		wantCounts(t, counts, [3]int64{}, [3]int64{0, 0, 1}, [3]int64{0, 1, 1}, [3]int64{0, 1, 0})
		want.Products[1] = storedProduct(100, "S", made+1, 18)
		want.Variants[1], want.Variants[2] = storedVariant(501, 100, "TEE", option(7, 1)), storedVariant(made+1, 100, "S")
		wantCatalog(t, d, want)
		if other := catalogOf(t, d, "b"); len(other.Categories) != 1 || len(other.Products) != 1 || len(other.Variants) != 1 {
			t.Errorf("the other store's catalog is %+v", other)
		}
	})
}

// TestImportOfDetails checks which details an item replaces, and how it is counted.
func TestImportOfDetails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addShops(t, d, "a")
		importInto(t, d, "a", category(1, 0, "x"), product(1, ""), variant(7, 1, "", option(1, 1)))
		for _, step := range []struct {
			name        string
			item        cohort.CatalogItem
			wantCounts  int // index in added, replaced and unchanged
			wantDetails map[string]string
			wantBrand   int64
		}{
			{"a first category", detailed(category(1, 0, "x"), 0, "is_visible", "false"), 1, map[string]string{"is_visible": "false"}, 0},
			{"the same category", detailed(category(1, 0, "x"), 0, "is_visible", "false"), 2, map[string]string{"is_visible": "false"}, 0},
			{"a category without details", category(1, 0, "y"), 1, map[string]string{"is_visible": "false"}, 0},
			{"another category", detailed(category(1, 0, "y"), 0, "views", "3"), 1, map[string]string{"views": "3"}, 0},
			{"an unset category", detailed(category(1, 0, "y"), 0), 1, nil, 0},
			{"an unset category again", detailed(category(1, 0, "y"), 0), 2, nil, 0},
			{"a brand", detailed(product(1, ""), 1), 1, nil, 1},
			{"the same brand", detailed(product(1, ""), 1), 2, nil, 1},
			{"a field more", detailed(product(1, ""), 1, "upc", `"7"`), 1, map[string]string{"upc": `"7"`}, 1},
			{"a product without details", product(1, "S"), 1, map[string]string{"upc": `"7"`}, 1},
			{"another brand", detailed(product(1, "S"), 2, "upc", `"7"`), 1, map[string]string{"upc": `"7"`}, 2},
			{"an unset product", detailed(product(1, "S"), 0), 1, nil, 0},
			{"an unset product again", detailed(product(1, "S"), 0), 2, nil, 0},
			{"a variant", detailed(variant(7, 1, "", option(1, 1)), 0, "weight", "null"), 1, map[string]string{"weight": "null"}, 0},
			{"the same variant", detailed(variant(7, 1, "", option(1, 1)), 0, "weight", "null"), 2, map[string]string{"weight": "null"}, 0},
			{"a variant without details", variant(7, 1, "V", option(1, 1)), 1, map[string]string{"weight": "null"}, 0},
			{"an unset variant", detailed(variant(7, 1, "V", option(1, 1)), 0), 1, nil, 0},
		} {
			want := make([][3]int64, len(cohort.CatalogKinds()))
			want[slices.Index(cohort.CatalogKinds(), step.item.Kind)][step.wantCounts] = 1
			wantCounts(t, importInto(t, d, "a", step.item), want...)
			c := catalogOf(t, d, "a")
			got, brand := c.Categories[0].Details, c.Products[0].BrandID
			switch step.item.Kind {
			case cohort.CatalogProduct:
				got = c.Products[0].Details
			case cohort.CatalogVariant:
				view(t, d, func(tx *db.Tx) error {
					v, err := tx.Variant("a", 1, 7)
					got = v.Details
					return err
				})
			}
			texts := map[string]string{}
			for name, value := range got {
				texts[name] = string(value)
			}
			if !maps.Equal(texts, step.wantDetails) || brand != step.wantBrand {
				t.Errorf("%s: details %v and brand %d, want %v and %d", step.name, texts, brand, step.wantDetails, step.wantBrand)
			}
		}
		all := dump(t, d)
		for _, table := range []string{"category_details", "product_details", "variant_details"} {
			if len(all[table]) > 0 {
				t.Errorf("%s has rows of items that have no details: %v", table, all[table])
			}
		}
		wantMistakes(t, d, []cohort.CatalogItem{detailed(product(1, ""), 3), detailed(product(2, ""), -1)},
			cohort.ImportMistake{Line: 1, Text: "brand_id: brand 3 is neither in the file nor in the store."}, cohort.ImportMistake{Line: 2, Text: "brand_id: brand -1 is neither in the file nor in the store."})
	})
}

// TestImportOfParts checks the ids of custom fields, images and videos.
func TestImportOfParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addShops(t, d, "a")
		fields := func(product int) string {
			return string(catalogOf(t, d, "a").Products[product].Details["custom_fields"])
		}
		importInto(t, d, "a", detailed(product(1, ""), 0, "custom_fields", `[{"name":"a","value":"1"},{"id":7,"name":"b","value":"1"}]`))
		if got, want := fields(0), `[{"id":8,"name":"a","value":"1"},{"id":7,"name":"b","value":"1"}]`; got != want {
			t.Errorf("the first import has %s, want %s", got, want)
		}
		again := []cohort.CatalogItem{
			detailed(product(1, ""), 0, "custom_fields", `[{"name":"b","value":"1"},{"name":"a","value":"1"}]`),
			detailed(product(2, ""), 0, "custom_fields", `[{"name":"a","value":"1"}]`, "videos", `[{"video_id":"v"}]`),
		}
		wantCounts(t, importInto(t, d, "a", again...), [3]int64{}, [3]int64{}, [3]int64{1, 1, 0}, [3]int64{})
		wantCounts(t, importInto(t, d, "a", again...), [3]int64{}, [3]int64{}, [3]int64{0, 0, 2}, [3]int64{})
		if got, want := fields(0)+fields(1), `[{"id":7,"name":"b","value":"1"},{"id":8,"name":"a","value":"1"}][{"id":9,"name":"a","value":"1"}]`; got != want {
			t.Errorf("the second import has %s, want %s", got, want)
		}
		update(t, d, func(tx *db.Tx) error {
			for kind, want := range map[string]int64{"custom_field": 10, "video": 2, "image": 1} {
				if id, err := tx.NextID("a", kind); id != want || err != nil {
					t.Errorf("the next %s is %d (%v), want %d", kind, id, err, want)
				}
			}
			return nil
		})
		wantMistakes(t, d, []cohort.CatalogItem{
			detailed(product(3, ""), 0, "images", `[{"id":7,"image_url":"a"},{"image_url":"b"}]`),
			detailed(product(4, ""), 0, "images", `[{"id":8,"image_url":"a"},{"id":7,"image_url":"b"}]`),
			detailed(product(5, ""), 0, "images", `[{"image_url":"a"},{"is_thumbnail":true}]`),
			detailed(product(6, ""), 0, "custom_fields", `[{"name":"a","value":"1"},{"name":"a","value":"1"}]`, "videos", `[{"id":1000000000000001,"video_id":"v"}]`),
			detailed(product(7, ""), 0, "custom_fields", `[{"name":"a","value":"1"},{"name":"a","value":"1"}]`),
		},
			cohort.ImportMistake{Line: 2, Text: "images: id 7 is in line 1 already."},
			cohort.ImportMistake{Line: 3, Text: "images: element 2: image_url: The field is required."},
			cohort.ImportMistake{Line: 4, Text: "videos: element 1: id: An id is an integer from 1 to 1000000000000000."},
			cohort.ImportMistake{Line: 5, Text: "custom_fields: element 2: Another one in the list has the same name and value."})
	})
}

// TestImportOfLargeDetails checks that an import writes large details in many batches.
func TestImportOfLargeDetails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addShops(t, d, "a")
		const products, size = 12, 100_000
		var items []cohort.CatalogItem
		for id := range int64(products) {
			items = append(items, detailed(product(id+1, ""), 0, "description", `"`+strings.Repeat("é", size/2)+`"`))
		}
		updates := d.CountUpdates()
		importInto(t, d, "a", items...)
		// At most three of them fit into a batch, in both steps.
		if n := updates(); n < 2*products/3 {
			t.Errorf("the import is %d transactions", n)
		}
		for _, p := range catalogOf(t, d, "a").Products {
			if len(p.Details["description"]) != size+2 {
				t.Errorf("product %d has a description of %d bytes", p.ID, len(p.Details["description"]))
			}
		}
	})
}

func TestImportIntoMissingStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, err := service.New(d).ImportCatalog(t.Context(), "nowhere", func() (cohort.CatalogItem, error) {
			t.Error("the import read an item")
			return cohort.CatalogItem{}, io.EOF
		}, false)
		wantKind(t, err, cohort.KindNotFound)
	})
}

// manyItems returns a catalog of 300 items of each kind. Catalogs with different
// first ids overlap: some items are added, some replaced.
func manyItems(first int64) (items []cohort.CatalogItem) {
	for id := first; id < first+300; id++ {
		items = append(items, category(id, 0, string(rune('a'+first))+amount("1").String()+decimal.NewFromInt(id).String()),
			product(id, "P"+decimal.NewFromInt(id).String(), id), variant(id, id, "V"+decimal.NewFromInt(id).String(), option(1, id)))
	}
	return items
}

var errBrokenPipe = errors.New("the pipe is broken")

// earlyEnds are imports that end before they write.
var earlyEnds = map[string]func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error{
	"dry run": func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error {
		counts, err := s.ImportCatalog(t.Context(), "a", source(items), true)
		wantCounts(t, counts, [3]int64{}, [3]int64{150, 150, 0}, [3]int64{150, 0, 150}, [3]int64{150, 0, 150})
		return err
	},
	"cancelled while it reads": func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error {
		ctx, cancel := context.WithCancel(t.Context())
		next := source(items)
		_, err := s.ImportCatalog(ctx, "a", func() (cohort.CatalogItem, error) {
			item, err := next()
			if item.Line == 700 {
				cancel()
			}
			return item, err
		}, false)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		return nil
	},
	"cancelled at the end": func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error {
		ctx, cancel := context.WithCancel(t.Context())
		next := source(items)
		_, err := s.ImportCatalog(ctx, "a", func() (cohort.CatalogItem, error) {
			item, err := next()
			if err != nil {
				cancel()
			}
			return item, err
		}, false)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		return nil
	},
	"broken pipe": func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error {
		next := source(items)
		_, err := s.ImportCatalog(t.Context(), "a", func() (cohort.CatalogItem, error) {
			item, err := next()
			if err != nil {
				err = errBrokenPipe
			}
			return item, err
		}, false)
		if !errors.Is(err, errBrokenPipe) {
			t.Errorf("error %v", err)
		}
		return nil
	},
}

// TestImportThatEndsEarly checks that an import that ends before it writes leaves
// no rows, and that the next import succeeds.
func TestImportThatEndsEarly(t *testing.T) {
	for name, fail := range earlyEnds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addStores(t, d, "a", "b")
				importInto(t, d, "a", manyItems(1)...)
				before := dump(t, d)
				items := manyItems(151)
				if err := fail(t, service.New(d), items); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(before, dump(t, d)); diff != "" {
					t.Errorf("the database has changed (-before +after):\n%s", diff)
				}
				wantCounts(t, importInto(t, d, "a", items...), [3]int64{}, [3]int64{150, 150, 0}, [3]int64{150, 0, 150}, [3]int64{150, 0, 150})
			})
		})
	}
}

// BenchmarkImport imports a catalog into an empty store, and the same catalog
// again. Each product is in two categories and has two variants.
func BenchmarkImport(b *testing.B) {
	const categories, products = 200, 20_000
	var items []cohort.CatalogItem
	for id := range int64(categories) {
		items = append(items, category(id+1, id/10, fmt.Sprint("Category ", id)))
	}
	for id := range int64(products) {
		items = append(items, product(id+1, fmt.Sprint("SKU-", id), id%categories+1, id*7%(categories-1)+2),
			variant(2*id+1, id+1, fmt.Sprint("SKU-", id, "-a"), option(7, 1)), variant(2*id+2, id+1, fmt.Sprint("SKU-", id, "-b"), option(7, 2)))
	}
	for i := range items {
		items[i].Product.Categories = items[i].Product.Normalized().Categories
	}
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": pgtest.URL} {
		b.Run(name, func(b *testing.B) {
			for _, content := range []string{"new", "same"} {
				b.Run(content, func(b *testing.B) {
					for b.Loop() {
						b.StopTimer()
						d := dbtest.Open(b, url(b))
						svc := service.New(d)
						if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: "a"}); err != nil {
							b.Fatal(err)
						}
						if content == "same" {
							if _, err := svc.ImportCatalog(b.Context(), "a", source(items), false); err != nil {
								b.Fatal(err)
							}
						}
						b.StartTimer()
						if _, err := svc.ImportCatalog(b.Context(), "a", source(items), false); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(len(items)*b.N)/b.Elapsed().Seconds(), "lines/s")
				})
			}
		})
	}
}
