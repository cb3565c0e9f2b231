package service_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// Of concurrent creates and renames to one name, one succeeds.
func TestBrandNamesStayUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := service.New(d)
		if _, err := s.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		const others = 4
		for i := range others {
			if _, err := s.CreateBrand(t.Context(), "a", cohort.Brand{Name: fmt.Sprint("brand ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		errs := make([]error, 2*others)
		var all sync.WaitGroup
		for i := range others {
			all.Go(func() { _, errs[i] = s.CreateBrand(t.Context(), "a", cohort.Brand{Name: "One"}) })
			all.Go(func() {
				_, errs[others+i] = s.UpdateBrand(t.Context(), "a", int64(i)+1, cohort.BrandUpdate{Name: new("ONE")})
			})
		}
		all.Wait()
		wantOne(t, errs, "name")
	})
}
