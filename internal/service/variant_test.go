package service_test

import (
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// Batches that have the same variants in different orders do not wait for each other in a
// circle, and what each of them writes is complete.
func TestConcurrentVariantBatches(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		var items []service.VariantItem
		for range 4 {
			p := s.mustProduct(t, newBoot(""))
			items = append(items, service.VariantItem{ID: p.BaseVariantID})
		}
		batch := func(mpn string) []service.VariantItem {
			list := slices.Clone(items)
			for i := range list {
				list[i].Details = cohort.Details{"mpn": []byte(mpn)}
			}
			return list
		}
		for range 5 {
			var all sync.WaitGroup
			errs := make([]error, 2)
			all.Go(func() { _, errs[0] = s.PutVariants(t.Context(), "a", batch(`"forwards"`)) })
			all.Go(func() {
				list := batch(`"backwards"`)
				slices.Reverse(list)
				_, errs[1] = s.PutVariants(t.Context(), "a", list)
			})
			all.Wait()
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			var list collected[service.CatalogVariant]
			if _, err := s.ReadVariants(t.Context(), "a", cohort.VariantFilter{}, cohort.Page{Number: 1, Size: 10}, &list); err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				if got, want := v.Details.Text("mpn", ""), list[0].Details.Text("mpn", ""); got != want || got == "" {
					t.Errorf("variant %d is of the batch %q and the first of %q", v.ID, got, want)
				}
			}
		}
	})
}
