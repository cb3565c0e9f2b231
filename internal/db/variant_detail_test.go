package db_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// addVariantsOf adds products from an id, each with variants that have details and a value
// of the product's option. It returns the ids of the variants.
func addVariantsOf(t *testing.T, d *db.DB, from, products, variants int64, details string) (ids []int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for p := from; p < from+products; p++ {
			if err := tx.InsertProduct("a", cohort.Product{ID: p, Name: fmt.Sprint(p), Type: cohort.ProductPhysical}); err != nil {
				return err
			}
			o := cohort.Option{ProductID: p, DisplayName: fmt.Sprint("Option of ", p), Type: "dropdown"}
			for v := range variants {
				o.Choices = append(o.Choices, cohort.Choice{Label: fmt.Sprint(v)})
			}
			o, err := tx.CreateOption("a", o, nil)
			if err != nil {
				return err
			}
			for n, c := range o.Choices {
				v := cohort.Variant{
					ID: int64(n)*1000 + p, ProductID: p, OptionValues: []cohort.OptionValue{{OptionID: o.ID, ValueID: c.ID}},
					Details: cohort.Details{"mpn": json.RawMessage(`"` + details + fmt.Sprint(p, "/", n) + `"`)},
				}
				ids = append(ids, v.ID)
				if err := tx.InsertVariant("a", v); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return ids
}

// wantOwn checks that a variant of addVariantsOf has its own details and labels.
func wantOwn(t *testing.T, v db.CatalogVariant) {
	t.Helper()
	n := v.ID / 1000
	want := []cohort.OptionLabel{{Option: fmt.Sprint("Option of ", v.ProductID), Choice: fmt.Sprint(n)}}
	if diff := cmp.Diff(want, v.Labels); diff != "" || v.Product.ID != v.ProductID {
		t.Errorf("variant %d of product %d (-want +got):\n%s", v.ID, v.Product.ID, diff)
	}
	if mpn := v.Details.Text("mpn", ""); strings.TrimLeft(mpn, "x") != fmt.Sprint(v.ProductID, "/", n) {
		t.Errorf("variant %d has the details of %s", v.ID, strings.TrimLeft(mpn, "x"))
	}
}

type variantSink struct {
	variants []db.CatalogVariant
	parts    []service.ProductPart
}

func (s *variantSink) Begin() { *s = variantSink{} }

type partSink struct{ *variantSink }

func (s partSink) Add(p service.ProductPart) bool {
	s.parts = append(s.parts, p)
	return true
}

func (s *variantSink) Add(v db.CatalogVariant) bool {
	s.variants = append(s.variants, v)
	return true
}

// The number of statements of a list does not depend on the number of variants, and depends
// on that of products only by their batches of 50.
func TestStatementsOfVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStores(t, d, "a")
		addVariantsOf(t, d, 1, 250, 2, "")
		statements := d.CountQueries()
		count := func(read func() error) int {
			t.Helper()
			before := statements()
			if err := read(); err != nil {
				t.Fatal(err)
			}
			return statements() - before
		}
		products := func(n int) int {
			var to variantSink
			got := count(func() error {
				_, err := svc.ReadProductParts(t.Context(), "a", cohort.ProductFilter{}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: n}, partSink{&to})
				return err
			})
			if len(to.parts) != 4*n {
				t.Errorf("%d parts of %d products", len(to.parts), n)
			}
			for _, p := range to.parts {
				if p.Kind == service.ProductVariant {
					wantOwn(t, p.Variant)
				}
			}
			return got
		}
		variants := func(n int) int {
			var to variantSink
			got := count(func() error {
				_, err := svc.ReadVariants(t.Context(), "a", cohort.VariantFilter{}, cohort.Page{Number: 1, Size: n}, &to)
				return err
			})
			if len(to.variants) != n {
				t.Errorf("%d variants, want %d", len(to.variants), n)
			}
			for _, v := range to.variants {
				wantOwn(t, v)
			}
			return got
		}
		if few, many := products(5), products(40); few != many || few > 11 {
			t.Errorf("%d statements for 5 products and %d for 40, want as many, at most 11", few, many)
		}
		if n := products(250); n > 50 {
			t.Errorf("%d statements for 250 products, want at most 50", n)
		}
		if few, many := variants(5), variants(200); few != many || few > 6 {
			t.Errorf("%d statements for 5 variants and %d for 200, want as many, at most 6", few, many)
		}
	})
}

// Details and labels are read for many variants at once, but not for more than fit into
// memory.
func TestLargeVariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addVariantsOf(t, d, 1, 3, 250, "")
		addVariantsOf(t, d, 4, 1, 3, strings.Repeat("x", 400<<10))
		queries := func(products ...int64) (texts []string) {
			view(t, d, func(tx *db.Tx) error {
				tx.Trace(func(query string, _ []any) { texts = append(texts, query) })
				var list []cohort.Product
				for _, id := range products {
					list = append(list, cohort.Product{ID: id})
				}
				var last db.CatalogVariant
				n := 0
				err := tx.ReadVariantsOf("a", list, 0, func(v db.CatalogVariant) bool {
					wantOwn(t, v)
					if at := slices.Index(products, v.ProductID); n > 0 && v.ID < last.ID && at <= slices.Index(products, last.ProductID) {
						t.Errorf("variant %d of product %d follows %d of %d", v.ID, v.ProductID, last.ID, last.ProductID)
					}
					n++
					last = v
					return true
				})
				if want := map[int64]int{4: 753, 2: 750}[products[0]]; n != want && len(products) > 1 {
					t.Errorf("%d variants, want %d", n, want)
				}
				return err
			})
			return texts
		}
		counted := func(part string, texts []string) (n int) {
			for _, text := range texts {
				if strings.Contains(text, part) {
					n++
				}
			}
			return n
		}
		if texts := queries(2, 1, 3); counted("option_values", texts) != 2 {
			t.Errorf("the variants of three products are read with %d queries, want 2", counted("option_values", texts))
		}
		if texts := queries(4, 3, 2, 1); counted("details FROM", texts) < 3 {
			t.Errorf("large details are read with %d queries", counted("details FROM", texts))
		}
	})
}

// A variant with more labels than are read at once has all of them.
func TestManyLabels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		want := map[int64][]cohort.OptionLabel{}
		update(t, d, func(tx *db.Tx) error {
			if err := tx.InsertProduct("a", cohort.Product{ID: 1, Name: "x", Type: cohort.ProductPhysical}); err != nil {
				return err
			}
			variants := make([]cohort.Variant, 6)
			for n := range cohort.MaxOptionValues {
				o := cohort.Option{ProductID: 1, DisplayName: fmt.Sprint("o", n), Type: "dropdown"}
				for v := range variants {
					o.Choices = append(o.Choices, cohort.Choice{Label: fmt.Sprint(n, "/", v)})
				}
				o, err := tx.CreateOption("a", o, nil)
				if err != nil {
					return err
				}
				for i := range variants {
					v := &variants[i]
					v.ID, v.ProductID = int64(i+1), 1
					v.OptionValues = append(v.OptionValues, cohort.OptionValue{OptionID: o.ID, ValueID: o.Choices[i].ID})
					want[v.ID] = append(want[v.ID], cohort.OptionLabel{Option: o.DisplayName, Choice: o.Choices[i].Label})
				}
			}
			for _, v := range variants {
				if err := tx.InsertVariant("a", v); err != nil {
					return err
				}
			}
			return nil
		})
		got := map[int64][]cohort.OptionLabel{}
		view(t, d, func(tx *db.Tx) error {
			return tx.ReadCatalogVariants("a", cohort.VariantFilter{}, onePage, func(v db.CatalogVariant) bool {
				got[v.ID] = v.Labels
				return true
			})
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// An import that is published and not merged yet replaces variants, and not their details
// and labels.
func TestVariantDetailsDuringImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addVariantsOf(t, d, 1, 2, 2, "")
		update(t, d, func(tx *db.Tx) error {
			v, err := tx.Variant("a", 1, 1)
			if err != nil {
				return err
			}
			v.Details["upc"] = json.RawMessage(`"12"`)
			if err := tx.UpdateVariant("a", cohort.Variant{}, v); err != nil {
				return err
			}
			for _, query := range []string{
				"INSERT INTO catalog_imports VALUES ('a', 'published', 'an owner', 17)",
				"INSERT INTO incoming_variants SELECT store_hash, id, product_id, 'NEW', price, sale_price, retail_price, map_price, option_values FROM variants WHERE id = 1",
				"INSERT INTO incoming_variants VALUES ('a', 5000, 1, '', -1, -1, -1, -1, '[]')",
			} {
				if _, err := tx.Exec(query); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, d, func(tx *db.Tx) error {
			v, err := tx.Variant("a", 1, 1)
			if err != nil {
				return err
			}
			if v.SKU != "NEW" || v.Details.Text("upc", "") != "12" {
				t.Errorf("variant %+v", v)
			}
			read := func(what string, want []int64, list func(fn func(db.CatalogVariant) bool) error) {
				t.Helper()
				var ids []int64
				err := list(func(v db.CatalogVariant) bool {
					ids = append(ids, v.ID)
					if v.ID != 5000 {
						wantOwn(t, v)
					}
					return true
				})
				if !slices.Equal(ids, want) || err != nil {
					t.Errorf("%s: %v, want %v, error %v", what, ids, want, err)
				}
			}
			read("all", []int64{1, 2, 1001, 1002, 5000}, func(fn func(db.CatalogVariant) bool) error {
				return tx.ReadCatalogVariants("a", cohort.VariantFilter{}, onePage, fn)
			})
			read("with a UPC", []int64{1}, func(fn func(db.CatalogVariant) bool) error {
				return tx.ReadCatalogVariants("a", cohort.VariantFilter{UPC: new("12")}, onePage, fn)
			})
			read("without a UPC", []int64{2, 1001, 1002, 5000}, func(fn func(db.CatalogVariant) bool) error {
				return tx.ReadCatalogVariants("a", cohort.VariantFilter{UPC: new("")}, onePage, fn)
			})
			read("of products", []int64{2, 1002, 1, 1001, 5000}, func(fn func(db.CatalogVariant) bool) error {
				return tx.ReadVariantsOf("a", []cohort.Product{{ID: 2}, {ID: 1}}, 0, fn)
			})
			return nil
		})
	})
}
