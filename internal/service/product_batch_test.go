package service_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// Products that name a new brand at the same time, singly and in batches, share one brand.
func TestConcurrentProductsShareNewBrand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		first, second := newProduct(t, s), newProduct(t, s)
		const n = 4
		errs := make([]error, 2*n)
		brands := make([]int64, 2*n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				p, err := s.CreateProduct(t.Context(), "a", cohort.Product{Name: "Boot", Type: cohort.ProductPhysical, BrandName: "OFS"})
				brands[i], errs[i] = p.BrandID, err
			})
			all.Go(func() {
				ps, err := s.UpdateProducts(t.Context(), "a", []cohort.ProductUpdate{
					{ID: second, BrandName: new(fmt.Sprint("other ", i))}, {ID: first, BrandName: new("ofs")},
				})
				if errs[n+i] = err; err == nil {
					brands[n+i] = ps[1].BrandID
				}
			})
		}
		all.Wait()
		for i, brand := range brands {
			if errs[i] != nil || brand != brands[0] || brand == 0 {
				t.Errorf("write %d: brand %d, error %v, want brand %d", i, brand, errs[i], brands[0])
			}
		}
	})
}

// Concurrent assignments add up, and a product is in at most 1 000 categories.
func TestConcurrentCategoryAssignments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		product := newProduct(t, s)
		updates := make([]cohort.CategoryUpdate, cohort.MaxCategoriesOfProduct+1)
		for i := range updates {
			updates[i] = cohort.CategoryUpdate{Name: new(fmt.Sprint("category ", i))}
		}
		categories, err := s.CreateCategories(t.Context(), "a", updates)
		if err != nil {
			t.Fatal(err)
		}
		assigned := func(from, to int) (list []cohort.ProductAssignment) {
			for _, c := range categories[from:to] {
				list = append(list, cohort.ProductAssignment{ProductID: product, TargetID: c.ID})
			}
			return list
		}
		errs := make([]error, 2)
		var all sync.WaitGroup
		all.Go(func() { errs[0] = s.AssignProductCategories(t.Context(), "a", assigned(0, 510)) })
		all.Go(func() { errs[1] = s.AssignProductCategories(t.Context(), "a", assigned(490, 1000)) })
		all.Wait()
		p, err := s.Product(t.Context(), "a", product)
		if len(p.Categories) != 1000 || err != nil || errs[0] != nil || errs[1] != nil {
			t.Fatalf("%d categories, errors %v, %v, want 1000", len(p.Categories), err, errs)
		}
		wantKind(t, s.AssignProductCategories(t.Context(), "a", assigned(1000, 1001)), cohort.KindInvalid)
		if after, err := s.Product(t.Context(), "a", product); len(after.Categories) != 1000 || !after.DateModified.Equal(p.DateModified) || err != nil {
			t.Errorf("%d categories, modified at %v, error %v, want the product as before", len(after.Categories), after.DateModified, err)
		}
	})
}

// Entries of lists are given ids that no other product has, when products are written at
// the same time.
func TestConcurrentPartIDs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		const n = 6
		lists := make([]string, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				p, err := s.CreateProduct(t.Context(), "a", cohort.Product{Name: "Boot", Type: cohort.ProductPhysical, Details: cohort.Details{
					"videos": []byte(`[{"video_id":"a"},{"video_id":"b"}]`),
				}})
				if err != nil {
					t.Error(err)
				}
				lists[i] = string(p.Details["videos"])
			})
		}
		all.Wait()
		seen := map[string]bool{}
		for _, list := range lists {
			if seen[list] {
				t.Errorf("two products have the videos %s", list)
			}
			seen[list] = true
		}
	})
}
