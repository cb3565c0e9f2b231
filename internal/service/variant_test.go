package service_test

import (
	"errors"
	"fmt"
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

// labeledVariant returns a new variant with a choice for each option.
func labeledVariant(labels ...cohort.OptionLabel) cohort.VariantUpdate {
	return cohort.VariantUpdate{OptionLabels: labels}
}

// A product can come with as many variants, options and choices as it can have, and with no
// more.
func TestMostVariantsOfNewProduct(t *testing.T) {
	label := func(option, choice int) cohort.OptionLabel {
		return cohort.OptionLabel{Option: fmt.Sprint("option ", option), Choice: fmt.Sprint("choice ", choice)}
	}
	var most, wide []cohort.VariantUpdate
	for i := range cohort.MaxVariants {
		most = append(most, labeledVariant(label(0, i%cohort.MaxChoices), label(1, i/cohort.MaxChoices)))
	}
	for i := range 2 {
		var all []cohort.OptionLabel
		for option := range cohort.MaxOptions {
			all = append(all, label(option, i))
		}
		wide = append(wide, labeledVariant(all...))
	}
	var choices []cohort.VariantUpdate
	for i := range cohort.MaxChoices + 1 {
		choices = append(choices, labeledVariant(label(0, i)))
	}
	eachEngine(t, func(t *testing.T, s *fixture) {
		for _, variants := range [][]cohort.VariantUpdate{most, wide} {
			p, err := s.CreateProduct(t.Context(), "a", newBoot(""), variants...)
			if err != nil {
				t.Fatal(err)
			}
			var list collected[service.CatalogVariant]
			_, err = s.ReadVariantsOf(t.Context(), "a", p.ID, cohort.Page{Number: 1, Size: 1000}, &list)
			if err != nil || len(list) != len(variants)+1 {
				t.Fatalf("%d variants, error %v", len(list), err)
			}
			for i, v := range list[1:] {
				if !slices.Equal(v.Labels, variants[i].OptionLabels) {
					t.Errorf("variant %d has the labels %v, want %v", v.ID, v.Labels, variants[i].OptionLabels)
				}
			}
		}
		for name, tt := range map[string]struct {
			variants []cohort.VariantUpdate
			at       int
		}{
			"choices":       {choices, cohort.MaxChoices},
			"options":       {append(slices.Clone(wide), labeledVariant(label(cohort.MaxOptions, 0))), 2},
			"option values": {[]cohort.VariantUpdate{labeledVariant(append(slices.Clone(wide[0].OptionLabels), label(9, 9))...)}, 0},
		} {
			_, err := s.CreateProduct(t.Context(), "a", newBoot(""), tt.variants...)
			part, ok := errors.AsType[service.PartErrors](err)
			if !ok || len(part.Errors) != 1 || cohort.KindOf(part.Errors[tt.at]) != cohort.KindInvalid {
				t.Errorf("more %s than allowed: %v", name, err)
			}
		}
	})
}
