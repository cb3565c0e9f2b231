package db_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// An import is tested as the service does it, because only together with its
// checks does it keep the catalog whole.

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

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

// made is below the ids of the variants that imports make.
const made = 1_000_000_000

func option(id, value int64) cohort.OptionValue {
	return cohort.OptionValue{OptionID: id, ValueID: value}
}

// source returns items one after another, each in the line of its place.
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

func importInto(t *testing.T, d *db.DB, store string, items ...cohort.CatalogItem) []service.ImportCount {
	t.Helper()
	counts, err := service.New(d).ImportCatalog(t.Context(), store, source(items), false)
	if err != nil {
		t.Fatalf("%v %+v", err, err)
	}
	return counts
}

func wantCounts(t *testing.T, got []service.ImportCount, want ...[3]int64) {
	t.Helper()
	var figures [][3]int64
	for _, c := range got {
		figures = append(figures, [3]int64{c.Added, c.Replaced, c.Unchanged})
	}
	if diff := cmp.Diff(want, figures); diff != "" {
		t.Errorf("added, replaced and unchanged (-want +got):\n%s", diff)
	}
}

// wantMistakes fails unless an import is refused with these mistakes, and leaves
// everything as it was.
func wantMistakes(t *testing.T, d *db.DB, items []cohort.CatalogItem, want ...service.ImportMistake) {
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
		t.Errorf("a refused import has changed (-before +after):\n%s", diff)
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

// tee is what the product of the item is kept as.
func tee(id int64, sku string, base int64, categories ...int64) cohort.Product {
	p := product(id, sku, categories...).Product
	p.ID, p.BaseVariantID = id, base
	return p
}

func kept(id, product int64, sku string, options ...cohort.OptionValue) cohort.Variant {
	return cohort.Variant{ID: id, ProductID: product, SKU: sku, OptionValues: options}
}

func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", category(18, 0, "elsewhere"), product(100, "TEE"))
		// Whatever is named comes later.
		counts := importInto(t, d, "a",
			variant(501, 100, "S", option(8, 1), option(7, 1)), variant(40, 100, "", option(7, 2)),
			product(100, "TEE", 19, 18), product(90, ""),
			category(19, 18, "T-Shirts"), category(18, 0, "Shirts"))
		wantCounts(t, counts, [3]int64{2, 0, 0}, [3]int64{2, 0, 0}, [3]int64{2, 0, 0})
		want := catalog{
			[]cohort.Category{{ID: 18, Name: "Shirts"}, {ID: 19, ParentID: 18, Name: "T-Shirts"}},
			[]cohort.Product{tee(90, "", made+2), tee(100, "TEE", made+1, 19, 18)},
			[]cohort.Variant{kept(40, 100, "", option(7, 2)), kept(501, 100, "S", option(8, 1), option(7, 1)), kept(made+1, 100, "TEE"), kept(made+2, 90, "")},
		}
		wantCatalog(t, d, want)

		// Ids that are given out go on above.
		update(t, d, func(tx *db.Tx) error {
			for kind, want := range map[string]int64{"category": 20, "product": 101, "variant": 502} {
				if id, err := tx.NextID("a", kind); id != want || err != nil {
					t.Errorf("the next %s is %d (%v), want %d", kind, id, err, want)
				}
			}
			return nil
		})

		// SKUs change places, also with the variant that stands for a product.
		counts = importInto(t, d, "a", product(100, "S", 18), variant(501, 100, "TEE", option(7, 1)), product(90, ""), category(18, 0, "Shirts"))
		wantCounts(t, counts, [3]int64{0, 0, 1}, [3]int64{0, 1, 1}, [3]int64{0, 1, 0})
		want.Products[1] = tee(100, "S", made+1, 18)
		want.Variants[1], want.Variants[2] = kept(501, 100, "TEE", option(7, 1)), kept(made+1, 100, "S")
		wantCatalog(t, d, want)
		if other := catalogOf(t, d, "b"); len(other.Categories) != 1 || len(other.Products) != 1 || len(other.Variants) != 1 {
			t.Errorf("the other store: %+v", other)
		}
	})
}

// What a store has can be written to a file and read back, the variants that
// stand for products among it; and so can what another system has.
func TestImportOfBaseVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		items := []cohort.CatalogItem{product(1, "ONE"), variant(77, 1, "ONE"), product(2, "TWO"), variant(78, 2, "", option(1, 1))}
		wantCounts(t, importInto(t, d, "a", items...), [3]int64{}, [3]int64{2, 0, 0}, [3]int64{2, 0, 0})
		want := catalog{
			Products: []cohort.Product{tee(1, "ONE", 77), tee(2, "TWO", made+1)},
			Variants: []cohort.Variant{kept(77, 1, "ONE"), kept(78, 2, "", option(1, 1)), kept(made+1, 2, "TWO")},
		}
		wantCatalog(t, d, want)
		wantCounts(t, importInto(t, d, "a", append(items, variant(made+1, 2, "TWO"))...), [3]int64{}, [3]int64{0, 0, 2}, [3]int64{0, 0, 3})
		wantCatalog(t, d, want)
		wantMistakes(t, d, []cohort.CatalogItem{variant(77, 1, "ELSE"), variant(80, 1, "X"), variant(made+1, 1, "TWO", option(1, 1))},
			service.ImportMistake{Line: 1, Text: "variant 77 is the base variant of product 1, so it must have that product_id, the product's SKU and no option values. To use the id for another variant, import products and variants in one file."},
			service.ImportMistake{Line: 2, Text: "option_values: variant 80 has none, so it must be the base variant of product 1, but the product has another base variant or another SKU."},
			service.ImportMistake{Line: 3, Text: "variant 1000000001 is the base variant of product 2, so it must have that product_id, the product's SKU and no option values. To use the id for another variant, import products and variants in one file."})
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

func TestImportRefusesWhatDoesNotGoTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		importInto(t, d, "b", category(30, 0, "x"), product(130, "BBB"))
		importInto(t, d, "a", category(18, 0, "Shirts"), category(19, 18, "Blue"), product(100, "TEE"), variant(501, 100, "S", option(7, 1)))
		wrong := func(line int64, text string) service.ImportMistake {
			return service.ImportMistake{Line: line, Text: text}
		}
		list := func(items ...cohort.CatalogItem) []cohort.CatalogItem { return items }
		for _, c := range []struct {
			items []cohort.CatalogItem
			want  []service.ImportMistake
		}{
			{list(category(5, 0, "x"), category(5, 0, "y"), product(5, ""), category(5, 0, "z")), []service.ImportMistake{
				wrong(2, "id: category 5 is in line 1 already."), wrong(4, "id: category 5 is in line 1 already.")}},
			{list(category(5, 30, "x"), product(5, "", 18, 30), variant(5, 130, "", option(7, 1))), []service.ImportMistake{
				wrong(1, "parent_id: category 30 is neither in the file nor in the store."),
				wrong(2, "categories: category 30 is neither in the file nor in the store."),
				wrong(3, "product_id: product 130 is neither in the file nor in the store.")}},
			{list(category(18, 19, "Shirts"), category(7, 7, "x")), []service.ImportMistake{
				wrong(1, "parent_id: the category is below itself: 18 under 19 under 18."),
				wrong(2, "parent_id: the category is below itself: 7 under 7.")}},
			{list(category(5, 18, "Blue"), category(6, 0, "y"), category(7, 0, "y")), []service.ImportMistake{
				wrong(1, "name: category 19 of the store, under the same parent, has the same name."),
				wrong(3, "name: category 6 under the same parent, in line 2, has the same name.")}},
			{list(product(5, "S"), product(6, "A"), variant(9, 6, "A", option(7, 1)), product(7, "TEE")), []service.ImportMistake{
				wrong(1, "sku: variant 501 of product 100 has the same SKU, and is not in the file."),
				wrong(3, "sku: line 2 has the same SKU, and no two variants may share one. A product's SKU is also that of its base variant."),
				wrong(4, "sku: variant 1000000001 of product 100 has the same SKU, and is not in the file.")}},
			{list(variant(5, 100, "", option(7, 1)), variant(6, 100, "", option(1, 1), option(2, 2)), variant(7, 100, "", option(2, 2), option(1, 1))), []service.ImportMistake{
				wrong(1, "option_values: variant 501 of product 100 has the same option values, and is not in the file."),
				wrong(3, "option_values: line 2 is a variant of product 100 with the same option values.")}},
			{list(category(0, 0, "x"), category(1, 0, ""), category(cohort.MaxCatalogID+1, 0, "x")), []service.ImportMistake{
				wrong(1, "id: An id is an integer from 1 to 1000000000000000."), wrong(2, "name: The value must not be empty."),
				wrong(3, "id: An id is an integer from 1 to 1000000000000000.")}},
		} {
			wantMistakes(t, d, c.items, c.want...)
		}
		// Who names a line that is wrong is not wrong for that.
		wantMistakes(t, d, list(category(5, 0, ""), category(6, 5, "x"), product(7, "", 5)), wrong(1, "name: The value must not be empty."))
	})
}

func TestImportBoundsTheTree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var chain []cohort.CatalogItem
		for id := range int64(cohort.MaxCategoryDepth) {
			chain = append(chain, category(id+1, id, "x"))
		}
		slices.Reverse(chain)
		importInto(t, d, "a", chain...)
		wantMistakes(t, d, []cohort.CatalogItem{category(50, cohort.MaxCategoryDepth, "x")},
			service.ImportMistake{Line: 1, Text: "parent_id: category 50 would be 33 deep, and may be 32."})
		// What gets too deep may be in the store alone.
		wantMistakes(t, d, []cohort.CatalogItem{category(60, 0, "top"), category(1, 60, "x")},
			service.ImportMistake{Line: 2, Text: "parent_id: category 32 would be 33 deep, and may be 32."})
		importInto(t, d, "a", category(32, 0, "moved"), category(60, 0, "top"), category(1, 60, "x"))
	})
}

func TestImportBoundsTheVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		items := []cohort.CatalogItem{product(1, "")}
		for i := range int64(cohort.MaxVariants) {
			items = append(items, variant(i+1, 1, "", option(1, i+1)))
		}
		importInto(t, d, "a", items...)
		wantMistakes(t, d, []cohort.CatalogItem{variant(9000, 1, "", option(2, 1))},
			service.ImportMistake{Line: 1, Text: "product_id: product 1 would have 601 variants, and may have 600."})
	})
}

// Of many mistakes the first are told, and how many there are.
func TestImportTellsTheFirstMistakes(t *testing.T) {
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

func TestImportIntoNoStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, err := service.New(d).ImportCatalog(t.Context(), "nowhere", func() (cohort.CatalogItem, error) {
			t.Error("it reads")
			return cohort.CatalogItem{}, io.EOF
		}, false)
		wantKind(t, err, cohort.KindNotFound)
	})
}

// manyItems is a catalog of some hundred rows of each kind, as a second import
// sees it: some is new, some is different.
func manyItems(first int64) (items []cohort.CatalogItem) {
	for id := first; id < first+300; id++ {
		items = append(items, category(id, 0, string(rune('a'+first))+amount("1").String()+decimal.NewFromInt(id).String()),
			product(id, "P"+decimal.NewFromInt(id).String(), id), variant(id, id, "V"+decimal.NewFromInt(id).String(), option(1, id)))
	}
	return items
}

// Whatever ends an import leaves nothing of it, and the next one works.
func TestImportLeavesNothing(t *testing.T) {
	broken := errors.New("the pipe is broken")
	for name, fail := range map[string]func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error{
		"dry run": func(t *testing.T, s *service.Service, items []cohort.CatalogItem) error {
			counts, err := s.ImportCatalog(t.Context(), "a", source(items), true)
			wantCounts(t, counts, [3]int64{150, 150, 0}, [3]int64{150, 0, 150}, [3]int64{150, 0, 150})
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
					err = broken
				}
				return item, err
			}, false)
			if !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addStores(t, d, "a", "b")
				importInto(t, d, "a", manyItems(1)...)
				before := dump(t, d)
				items := manyItems(151)
				if err := fail(t, service.New(d), items); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(before, dump(t, d)); diff != "" {
					t.Errorf("it has left (-before +after):\n%s", diff)
				}
				wantCounts(t, importInto(t, d, "a", items...), [3]int64{150, 150, 0}, [3]int64{150, 0, 150}, [3]int64{150, 0, 150})
			})
		})
	}
}

// The ids of variants that are made stay apart from those that come along.
func TestImportNumbersWhatItMakes(t *testing.T) {
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
		// Where the others have come so far, they are counted together.
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
