package service_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// together calls fn(0) to fn(n-1) concurrently and returns the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errs
}

// wantOne fails unless one call succeeded and the others returned a conflict about the
// field.
func wantOne(t *testing.T, errs []error, field string) {
	t.Helper()
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
			continue
		}
		if e, ok := err.(*cohort.Error); !ok || e.Kind != cohort.KindConflict || e.Field != field || e.Reason == "" { //nolint:errorlint // the front ends need this type
			t.Errorf("got %v, want a conflict about %s", err, field)
		}
	}
	if succeeded != 1 {
		t.Errorf("%d of %d calls succeeded, want 1", succeeded, len(errs))
	}
}

func newBoot(sku string, categories ...int64) cohort.Product {
	return cohort.Product{Name: "Boot", Type: cohort.ProductPhysical, SKU: sku, Price: decimal.NewFromInt(50), Categories: categories}
}

func (s *fixture) mustCategory(t *testing.T, parent int64, name string) cohort.Category {
	t.Helper()
	c, err := s.CreateCategory(t.Context(), "a", cohort.Category{ParentID: parent, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *fixture) mustProduct(t *testing.T, p cohort.Product) cohort.Product {
	t.Helper()
	p, err := s.CreateProduct(t.Context(), "a", p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// contests is the number of rounds of concurrent calls. Fewer calls overlap in the first
// round, while connections are being opened.
var contests = testenv.Times(8, 3)

func TestConcurrentSKU(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		other := s.mustProduct(t, newBoot("OTHER"))
		for n := range contests {
			sku := fmt.Sprint("B-", n)
			wantOne(t, together(9, func(i int) error { return s.takeSKU(t, other, sku, int64(n*10+i+1)) }), "sku")
		}
		// A SKU is unique within a store.
		if _, err := s.CreateProduct(t.Context(), "b", newBoot("B-1")); err != nil {
			t.Errorf("the same SKU in another store: %v", err)
		}
	})
}

// takeSKU gives the SKU to a new product, a new variant or an existing product.
func (s *fixture) takeSKU(t *testing.T, other cohort.Product, sku string, n int64) error {
	switch n % 3 {
	case 0:
		_, err := s.CreateProduct(t.Context(), "a", newBoot(sku))
		return err
	case 1:
		v := cohort.Variant{ProductID: other.ID, SKU: sku, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: n}}}
		_, err := s.CreateVariant(t.Context(), "a", v)
		return err
	}
	p, err := s.CreateProduct(t.Context(), "a", newBoot(""))
	if err != nil {
		t.Errorf("a product without SKU: %v", err)
	}
	_, err = s.UpdateProduct(t.Context(), "a", p.ID, cohort.ProductUpdate{SKU: &sku})
	return err
}

func TestConcurrentCategoryName(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		for n := range contests {
			name := fmt.Sprint("Shoes ", n)
			var moving []cohort.Category
			for i := range 3 {
				parent := s.mustCategory(t, 0, fmt.Sprint(n, " ", i))
				moving = append(moving, s.mustCategory(t, parent.ID, name))
			}
			wantOne(t, together(6, func(i int) error {
				if i%2 == 0 {
					_, err := s.CreateCategory(t.Context(), "a", cohort.Category{Name: name})
					return err
				}
				_, err := s.UpdateCategory(t.Context(), "a", moving[i/2].ID, cohort.CategoryUpdate{ParentID: new(int64(0))})
				return err
			}), "name")
		}
	})
}

func TestConcurrentOptionValues(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		for range contests {
			p := s.mustProduct(t, newBoot(""))
			wantOne(t, together(6, func(i int) error {
				options := []cohort.OptionValue{{OptionID: 1, ValueID: 11}, {OptionID: 2, ValueID: 21}}
				if i%2 == 0 {
					slices.Reverse(options)
				}
				_, err := s.CreateVariant(t.Context(), "a", cohort.Variant{ProductID: p.ID, OptionValues: options})
				return err
			}), "option_values")
		}
	})
}

// Each of three categories is moved below the next, concurrently. Any two of the moves
// are valid; all three would make a cycle.
func TestConcurrentMovesMakeNoCycle(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		for n := range contests {
			var ids []int64
			for i := range 3 {
				ids = append(ids, s.mustCategory(t, 0, fmt.Sprint(n, " ", i)).ID)
			}
			rejected := 0
			for _, err := range together(3, func(i int) error {
				_, err := s.UpdateCategory(t.Context(), "a", ids[i], cohort.CategoryUpdate{ParentID: &ids[(i+1)%3]})
				return err
			}) {
				if err != nil {
					wantKind(t, err, cohort.KindInvalid)
					rejected++
				}
			}
			if rejected != 1 {
				t.Errorf("%d of three moves that make a cycle were rejected, want 1", rejected)
			}
			wantTree(t, s, 3*(n+1))
		}
	})
}

// After concurrent random moves the categories still form a tree.
func TestConcurrentRandomMoves(t *testing.T) {
	const callers, categories = 6, 8
	moves := testenv.Times(25, 10)
	eachEngine(t, func(t *testing.T, s *fixture) {
		var ids []int64
		for i := range categories {
			ids = append(ids, s.mustCategory(t, 0, fmt.Sprint(i)).ID)
		}
		together(callers, func(i int) error {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			for range moves {
				id, parent := ids[rng.IntN(categories)], ids[rng.IntN(categories)]
				if rng.IntN(4) == 0 {
					parent = 0
				}
				_, err := s.UpdateCategory(t.Context(), "a", id, cohort.CategoryUpdate{ParentID: &parent})
				if err != nil && cohort.KindOf(err) != cohort.KindInvalid {
					t.Errorf("moving %d below %d: %v", id, parent, err)
				}
			}
			return nil
		})
		wantTree(t, s, categories)
	})
}

// wantTree fails unless the store has this number of categories, all connected to the
// root.
func wantTree(t *testing.T, s *fixture, want int) {
	t.Helper()
	all, err := s.AllCategories(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	below := map[int64][]int64{}
	for _, c := range all {
		below[c.ParentID] = append(below[c.ParentID], c.ID)
	}
	reached := 0
	for next := below[0]; len(next) > 0; next = next[1:] {
		reached++
		next = append(next, below[next[0]]...)
	}
	if reached != want || len(all) != want {
		t.Errorf("%d of %d categories are connected to the root, want %d: %v", reached, len(all), want, below)
	}
}

// Categories are deleted while products are added to them and categories below them. No
// product or category refers to a deleted category afterwards.
func TestConcurrentCategoryDeletion(t *testing.T) {
	rounds := testenv.Times(10, 3)
	eachEngine(t, func(t *testing.T, s *fixture) {
		moving := s.mustProduct(t, newBoot(""))
		for round := range rounds {
			a, b := s.mustCategory(t, 0, fmt.Sprint("a", round)), s.mustCategory(t, 0, fmt.Sprint("b", round))
			errs := together(6, func(i int) error {
				var err error
				switch i {
				case 0:
					return s.DeleteCategory(t.Context(), "a", a.ID)
				case 1:
					return s.DeleteCategories(t.Context(), "a", cohort.CategoryFilter{IDs: []int64{a.ID, b.ID}})
				case 2:
					_, err = s.CreateCategory(t.Context(), "a", cohort.Category{ParentID: b.ID, Name: "below"})
				case 3:
					_, err = s.UpdateProduct(t.Context(), "a", moving.ID, cohort.ProductUpdate{Categories: &[]int64{b.ID, a.ID}})
				default:
					_, err = s.CreateProduct(t.Context(), "a", newBoot("", b.ID, a.ID))
				}
				return err
			})
			for i, err := range errs {
				if kind := cohort.KindOf(err); err != nil && kind != cohort.KindInvalid && kind != cohort.KindNotFound && kind != cohort.KindConflict {
					t.Errorf("caller %d: %v", i, err)
				}
			}
		}
		wantConsistent(t, s)
	})
}

// wantConsistent fails if a category or product refers to a category that does not
// exist, or a product's base variant does not match it.
func wantConsistent(t *testing.T, s *fixture) {
	t.Helper()
	categories, err := s.AllCategories(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[int64]bool{0: true}
	for _, c := range categories {
		exists[c.ID] = true
	}
	for _, c := range categories {
		if !exists[c.ParentID] {
			t.Errorf("category %d has the parent %d, which does not exist", c.ID, c.ParentID)
		}
	}
	var parts collected[service.ProductPart]
	if _, err := s.ReadProductParts(t.Context(), "a", cohort.ProductFilter{}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 1000}, &parts); err != nil {
		t.Fatal(err)
	}
	variants := map[int64][]cohort.Variant{}
	for _, part := range parts {
		if part.Kind == service.ProductVariant {
			variants[part.Product.ID] = append(variants[part.Product.ID], part.Variant.Variant)
		}
	}
	for _, part := range parts {
		if part.Kind != service.ProductBegin {
			continue
		}
		p := part.Product
		for _, id := range p.Categories {
			if !exists[id] {
				t.Errorf("product %d is in category %d, which does not exist", p.ID, id)
			}
		}
		if v := variants[p.ID]; len(v) == 0 || v[0].ID != p.BaseVariantID || v[0].SKU != p.SKU {
			t.Errorf("product %d with the base variant %d and the SKU %q has the variants %v", p.ID, p.BaseVariantID, p.SKU, v)
		}
	}
}

// Concurrent changes of a product's SKU, through the product and through its base
// variant, leave both with the same SKU.
func TestConcurrentSKUOfBaseVariant(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		p := s.mustProduct(t, newBoot("B"))
		for n := range contests {
			for _, err := range together(6, func(i int) error {
				sku := fmt.Sprint("B-", n, "-", i)
				if i%2 == 0 {
					_, err := s.UpdateProduct(t.Context(), "a", p.ID, cohort.ProductUpdate{SKU: &sku})
					return err
				}
				_, err := s.UpdateVariant(t.Context(), "a", p.ID, p.BaseVariantID, cohort.VariantUpdate{SKU: &sku})
				return err
			}) {
				if err != nil {
					t.Error(err)
				}
			}
			wantConsistent(t, s)
		}
	})
}

// Ids of one store's catalog mean nothing in another store.
func TestCatalogsAreSeparate(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		c := s.mustCategory(t, 0, "Shoes")
		p := s.mustProduct(t, newBoot("B-1", c.ID))
		v, err := s.CreateVariant(t.Context(), "a", cohort.Variant{ProductID: p.ID, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		calls := map[string]func() error{
			"category": func() error { _, err := s.Category(ctx, "b", c.ID); return err },
			"update category": func() error {
				_, err := s.UpdateCategory(ctx, "b", c.ID, cohort.CategoryUpdate{Name: new("x")})
				return err
			},
			"delete category": func() error { return s.DeleteCategory(ctx, "b", c.ID) },
			"product":         func() error { _, err := s.Product(ctx, "b", p.ID); return err },
			"update product": func() error {
				_, err := s.UpdateProduct(ctx, "b", p.ID, cohort.ProductUpdate{Name: new("x")})
				return err
			},
			"delete product": func() error { return s.DeleteProduct(ctx, "b", p.ID) },
			"variant":        func() error { _, err := s.Variant(ctx, "b", p.ID, v.ID); return err },
			"update variant": func() error {
				_, err := s.UpdateVariant(ctx, "b", p.ID, v.ID, cohort.VariantUpdate{SKU: new("x")})
				return err
			},
			"delete variant": func() error { return s.DeleteVariant(ctx, "b", p.ID, v.ID) },
		}
		for name, call := range calls {
			if err := call(); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v, want KindNotFound", name, err)
			}
		}
		_, err = s.CreateProduct(ctx, "b", newBoot("", c.ID))
		wantKind(t, err, cohort.KindInvalid)
		_, err = s.CreateCategory(ctx, "b", cohort.Category{ParentID: c.ID, Name: "x"})
		wantKind(t, err, cohort.KindInvalid)
		for _, err := range []error{
			s.DeleteCategories(ctx, "b", cohort.CategoryFilter{IDs: []int64{c.ID}}),
			s.DeleteProducts(ctx, "b", cohort.ProductFilter{Categories: []int64{c.ID}}),
			s.DeleteProducts(ctx, "b", cohort.ProductFilter{SKUs: []string{"B-1"}}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		after, err := s.Variant(ctx, "a", p.ID, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, after); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
		var list collected[service.CatalogVariant]
		if total, err := s.ReadVariants(ctx, "b", cohort.VariantFilter{}, cohort.Page{Number: 1, Size: 10}, &list); len(list) > 0 || total > 0 || err != nil {
			t.Errorf("b has the variants %v (%d, %v)", list, total, err)
		}
	})
}
