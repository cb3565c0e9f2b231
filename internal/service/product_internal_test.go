package service

import (
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// TestProductScansWaitForEachOther lets the lists that may compare all products run.
// Another one waits until its request ends, and a list with an index does not wait.
func TestProductScansWaitForEachOther(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		dbtest.AddStores(t, d, "a")
		s := New(d)
		fillScans(t, s)
		type list struct {
			cohort.ProductFilter
			order cohort.ProductOrder
		}
		read := func(ctx context.Context, l list) error {
			_, err := s.ReadProducts(ctx, "a", l.ProductFilter, l.order, dbtest.OnePage, &rowSlice[cohort.Product]{})
			_, errOfParts := s.ReadProductParts(ctx, "a", l.ProductFilter, l.order, dbtest.OnePage, &rowSlice[ProductPart]{})
			return errors.Join(err, errOfParts)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		for name, l := range map[string]list{
			"keyword": {ProductFilter: cohort.ProductFilter{Keyword: "x"}},
			"type":    {ProductFilter: cohort.ProductFilter{Type: new(cohort.ProductDigital)}},
			"order":   {order: cohort.ProductOrder{By: cohort.SortProductsByName}},
		} {
			if err := read(ended, l); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
		for name, l := range map[string]list{
			"all":      {},
			"by id":    {order: cohort.ProductOrder{By: cohort.SortProductsByID, Descending: true}},
			"ids":      {ProductFilter: cohort.ProductFilter{IDs: []int64{1}, Keyword: "x"}},
			"SKU":      {ProductFilter: cohort.ProductFilter{SKUs: []string{"x"}}},
			"category": {ProductFilter: cohort.ProductFilter{Categories: []int64{1}}},
			"detail":   {ProductFilter: cohort.ProductFilter{Detail: cohort.ProductDetailFilter{IsVisible: new(true)}}},
		} {
			if err := read(t.Context(), l); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
