package cohort_test

import (
	"testing"

	"cohort.example/cohort"
)

// The tree has the branch 1 > 2 > 3 and the root category 4.
func TestAccessDecisions(t *testing.T) {
	parents := cohort.CategoryParents{1: 0, 2: 1, 3: 2, 4: 0}
	of := func(kind cohort.AccessType, categories ...int64) *cohort.Group {
		return &cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: kind, Categories: categories}}
	}
	tests := []struct {
		name       string
		group      *cohort.Group
		categories []int64 // of the product; the first one is also checked as a category
		category   bool
		product    bool
	}{
		{"no group", nil, []int64{3}, true, true},
		{"all", of(cohort.AccessAll), []int64{3}, true, true},
		{"none", of(cohort.AccessNone), []int64{3}, false, false},
		{"the category itself", of(cohort.AccessSpecific, 3), []int64{3}, true, true},
		{"two above", of(cohort.AccessSpecific, 4, 1), []int64{3}, true, true},
		{"below", of(cohort.AccessSpecific, 3), []int64{2}, false, false},
		{"beside", of(cohort.AccessSpecific, 4), []int64{3}, false, false},
		{"one of several is enough", of(cohort.AccessSpecific, 1), []int64{4, 3}, false, true},
		{"one that is not known, to the letter", of(cohort.AccessSpecific, 99), []int64{99}, true, true},
		{"in no category", of(cohort.AccessSpecific, 1), nil, false, false},
		{"in no category, and all may be seen", of(cohort.AccessAll), nil, true, true},
		{"in no category, and nothing may be seen", of(cohort.AccessNone), nil, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var first int64
			if len(tt.categories) > 0 {
				first = tt.categories[0]
			}
			for what, got := range map[string]cohort.AccessDecision{
				"category": cohort.NewAccess(tt.group, parents).Category(first),
				"product":  cohort.NewAccess(tt.group, parents).Product(tt.categories),
			} {
				want := map[string]bool{"category": tt.category, "product": tt.product}[what]
				if got.Allowed != want || got.Reason == "" {
					t.Errorf("%s: %+v, want allowed %v and a reason", what, got, want)
				}
			}
		})
	}
}
