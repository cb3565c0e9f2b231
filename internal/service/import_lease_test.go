package service_test

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// beginImport takes the lease of an import into the store "a", like an import that is
// then killed.
func (s *fixture) beginImport(t *testing.T) {
	t.Helper()
	now := s.clock.Now()
	l := db.ImportLease{StoreKey: "a", Owner: "another process", Now: now, Until: now.Add(time.Minute)}
	if err := s.db.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.BeginImport(l)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// catalogWrites returns calls of all methods that write the catalog or the price records
// of the store "a".
func (s *fixture) catalogWrites(t *testing.T) map[string]func() error {
	t.Helper()
	ctx := t.Context()
	c := s.mustCategory(t, 0, "Boots")
	spare := s.mustCategory(t, 0, "Spare")
	p := s.mustProduct(t, newBoot("B-1", c.ID))
	deletable := s.mustProduct(t, newBoot("B-2"))
	v, err := s.CreateVariant(ctx, "a", cohort.Variant{ProductID: p.ID, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.CreatePriceList(ctx, "a", cohort.PriceList{Name: "Wholesale"})
	if err != nil {
		t.Fatal(err)
	}
	record := func(currency string) cohort.PriceRecordUpdate {
		return cohort.PriceRecordUpdate{PriceListID: list.ID, VariantID: p.BaseVariantID, Currency: currency, Price: setPrice(1)}
	}
	name, sku := "New name", "B-9"
	ofCurrency := cohort.PriceRecordFilter{Currencies: []string{"CHF"}}
	option, err := s.CreateOption(ctx, "a", service.OptionRef{ProductID: p.ID}, named("Size", "x", "y"))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.CreateOption(ctx, "a", service.OptionRef{ProductID: p.ID, Kind: cohort.Modifier}, named("Gift"))
	if err != nil {
		t.Fatal(err)
	}
	options := service.OptionRef{ProductID: p.ID, ID: option.ID}
	brand, err := s.CreateBrand(ctx, "a", cohort.Brand{Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	unused, err := s.CreateBrand(ctx, "a", cohort.Brand{Name: "Unused"})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func() error{
		"create a brand": func() error { _, err := s.CreateBrand(ctx, "a", cohort.Brand{Name: "Zeta"}); return err },
		"update a brand": func() error {
			_, err := s.UpdateBrand(ctx, "a", brand.ID, cohort.BrandUpdate{Name: &name})
			return err
		},
		"delete a brand":   func() error { return s.DeleteBrand(ctx, "a", unused.ID) },
		"delete brands":    func() error { return s.DeleteBrands(ctx, "a", cohort.BrandFilter{IDs: []int64{99}}) },
		"create an option": func() error { _, err := s.CreateOption(ctx, "a", options, named("Color")); return err },
		"update an option": func() error { _, err := s.UpdateOption(ctx, "a", options, named("Width")); return err },
		"delete a modifier": func() error {
			return s.DeleteOption(ctx, "a", service.OptionRef{ProductID: p.ID, Kind: cohort.Modifier, ID: gone.ID})
		},
		"create a choice": func() error {
			_, err := s.CreateChoice(ctx, "a", options, cohort.ChoiceUpdate{Label: &name})
			return err
		},
		"update a choice": func() error {
			_, err := s.UpdateChoice(ctx, "a", options, option.Choices[0].ID, cohort.ChoiceUpdate{Label: &name})
			return err
		},
		"delete a choice":   func() error { return s.DeleteChoice(ctx, "a", options, option.Choices[1].ID) },
		"create a category": func() error { _, err := s.CreateCategory(ctx, "a", cohort.Category{Name: "x"}); return err },
		"update a category": func() error {
			_, err := s.UpdateCategory(ctx, "a", c.ID, cohort.CategoryUpdate{Name: &name})
			return err
		},
		"delete a category": func() error { return s.DeleteCategory(ctx, "a", spare.ID) },
		"delete categories": func() error { return s.DeleteCategories(ctx, "a", cohort.CategoryFilter{IDs: []int64{99}}) },
		"create a product":  func() error { _, err := s.CreateProduct(ctx, "a", newBoot("B-3")); return err },
		"update a product": func() error {
			_, err := s.UpdateProduct(ctx, "a", p.ID, cohort.ProductUpdate{Name: &name})
			return err
		},
		"delete a product": func() error { return s.DeleteProduct(ctx, "a", deletable.ID) },
		"delete products":  func() error { return s.DeleteProducts(ctx, "a", cohort.ProductFilter{IDs: []int64{99}}) },
		"create a variant": func() error {
			_, err := s.CreateVariant(ctx, "a", cohort.Variant{
				ProductID: p.ID, OptionValues: []cohort.OptionValue{{OptionID: option.ID, ValueID: option.Choices[0].ID}},
			})
			return err
		},
		"update a variant": func() error {
			_, err := s.UpdateVariant(ctx, "a", p.ID, p.BaseVariantID, cohort.VariantUpdate{SKU: &sku})
			return err
		},
		"put variants": func() error {
			_, err := s.PutVariants(ctx, "a", []service.VariantItem{{ID: p.BaseVariantID, VariantUpdate: cohort.VariantUpdate{SKU: &sku}}})
			return err
		},
		"delete a variant": func() error { return s.DeleteVariant(ctx, "a", p.ID, v.ID) },
		"create records":   func() error { return s.CreatePriceRecords(ctx, "a", []cohort.PriceRecordUpdate{record("CHF")}) },
		"put records":      func() error { return s.PutPriceRecords(ctx, "a", []cohort.PriceRecordUpdate{record("USD")}) },
		"set a record":     func() error { _, err := s.SetPriceRecord(ctx, "a", record("USD")); return err },
		"delete records":   func() error { return s.DeletePriceRecords(ctx, "a", list.ID, ofCurrency) },
		"delete a record": func() error {
			err := s.DeletePriceRecord(ctx, "a", list.ID, p.BaseVariantID, "JPY")
			if cohort.KindOf(err) == cohort.KindNotFound {
				return nil // there is none
			}
			return err
		},
	}
}

// During an import other writes to the store's catalog fail; all other writes succeed.
// They succeed again once the lease of an import that was killed has expired.
func TestCatalogWritesDuringImport(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		writes := s.catalogWrites(t)
		s.beginImport(t)
		for name, write := range writes {
			e, ok := errors.AsType[*cohort.Error](write())
			if !ok || e.Kind != cohort.KindUnavailable || e.Message != "" ||
				e.Reason != "An import into this store's catalog is being finished. Please try again in a moment." {
				t.Errorf("%s: %+v", name, e)
			}
		}
		s.group(t, cohort.Group{Name: "VIP"})
		if _, err := s.CreateCategory(t.Context(), "b", cohort.Category{Name: "x"}); err != nil {
			t.Errorf("a write to another store: %v", err)
		}
		if list, err := s.AllCategories(t.Context(), "a"); len(list) != 2 || err != nil {
			t.Errorf("AllCategories returned %v, error %v", list, err)
		}
		s.later(time.Minute)
		for name, write := range writes {
			if err := write(); err != nil {
				t.Errorf("%s after the lease: %v", name, err)
			}
		}
		s.beginImportAgain(t)
	})
}

// beginImportAgain fails unless the unfinished import can be completed and another one
// begun.
func (s *fixture) beginImportAgain(t *testing.T) {
	t.Helper()
	if err := s.FinishImports(t.Context()); err != nil {
		t.Error(err)
	}
	s.beginImport(t)
	if _, err := s.CreateCategory(t.Context(), "a", cohort.Category{Name: "y"}); cohort.KindOf(err) != cohort.KindUnavailable {
		t.Errorf("a write during the next import: %v", err)
	}
}

// Imports and single writes compete for the same SKUs. Each SKU belongs to the product
// whose write succeeded, and no import stays unfinished.
func TestImportDuringWrites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &fixture{Service: newService(t, d, []string{"a", "b"}), db: d}
		const skus = 5
		rounds := testenv.Times[int64](6, 2)
		for round := range rounds {
			var mu sync.Mutex
			owner := map[string]int64{} // by SKU: the product whose creation succeeded
			var wg sync.WaitGroup
			for writer := range int64(2) {
				wg.Go(func() {
					for i := range int64(skus) {
						sku := fmt.Sprint("S-", round, "-", (i+writer*2)%skus)
						p, err := s.CreateProduct(t.Context(), "a", newBoot(sku))
						if err == nil {
							mu.Lock()
							owner[sku] = p.ID
							mu.Unlock()
						} else if kind := cohort.KindOf(err); kind != cohort.KindConflict && kind != cohort.KindUnavailable {
							t.Error(err)
						}
					}
				})
			}
			imported := false
			wg.Go(func() {
				n := int64(0)
				_, err := s.ImportCatalog(t.Context(), "a", func() (cohort.CatalogItem, error) {
					if n == skus {
						return cohort.CatalogItem{}, io.EOF
					}
					n++
					return cohort.CatalogItem{Line: n, Kind: cohort.CatalogProduct, ID: 1_000_000*(round+1) + n, Product: newBoot(fmt.Sprint("S-", round, "-", n-1))}, nil
				}, false)
				imported = err == nil
				if _, wrong := errors.AsType[*service.ImportMistakes](err); err != nil && !wrong {
					t.Error(err)
				}
			})
			wg.Wait()
			s.wantOwners(t, round, skus, imported, owner)
		}
		if err := s.FinishImports(t.Context()); err != nil {
			t.Error(err)
		}
		s.mustCategory(t, 0, "no import is running")
	})
}

func (s *fixture) wantOwners(t *testing.T, round, skus int64, imported bool, owner map[string]int64) {
	t.Helper()
	for i := range skus {
		sku := fmt.Sprint("S-", round, "-", i)
		var products collected[cohort.Product]
		if _, err := s.ReadProducts(t.Context(), "a", cohort.ProductFilter{SKU: &sku}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 9}, &products); err != nil {
			t.Fatal(err)
		}
		want := owner[sku]
		if imported {
			if want != 0 {
				t.Errorf("product %d was created with the SKU %s, which was also imported", want, sku)
			}
			want = 1_000_000*(round+1) + i + 1
		}
		switch {
		case want == 0 && len(products) > 0, want != 0 && (len(products) != 1 || products[0].ID != want):
			t.Errorf("products with the SKU %s are %+v, want product %d", sku, products, want)
		}
	}
}
