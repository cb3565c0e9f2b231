package cohort_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"

	"pgregory.net/rapid"
)

func TestCategoryValidate(t *testing.T) {
	tests := []struct {
		name     string
		category cohort.Category
		field    string // "": valid
	}{
		{"top", cohort.Category{Name: "Shoes"}, ""},
		{"below", cohort.Category{Name: "Shoes", ParentID: 1}, ""},
		{"50 characters", cohort.Category{Name: strings.Repeat("ß", 50)}, ""},
		{"51 characters", cohort.Category{Name: strings.Repeat("ß", 51)}, "name"},
		{"no name", cohort.Category{Name: " \t"}, "name"},
		{"zero character", cohort.Category{Name: "a\x00"}, "name"},
		{"negative parent", cohort.Category{Name: "Shoes", ParentID: -1}, "parent_id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFault(t, tt.category.Normalized().Validate(), tt.field) })
	}
}

// A random move is valid if and only if the result is a tree: every category reaches the
// root within the maximum depth, through existing categories.
func TestCheckPlaceKeepsTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := cohort.CategoryParents{}
		// Start with two long branches, because random moves make flat trees.
		for _, branch := range []int64{0, 50} {
			for n := range int64(rapid.IntRange(1, cohort.MaxCategoryDepth).Draw(t, "branch")) {
				tree[branch+n+1] = branch + n
			}
			tree[branch+1] = 0
		}
		for id := range int64(10) {
			tree[100+id] = 0
		}
		ids := slices.Sorted(maps.Keys(tree))
		for range rapid.IntRange(1, 30).Draw(t, "moves") {
			c := cohort.Category{
				ID:       rapid.SampledFrom(ids).Draw(t, "category"),
				ParentID: rapid.SampledFrom(append([]int64{0, 999}, ids...)).Draw(t, "parent"),
			}
			moved := maps.Clone(tree)
			moved[c.ID] = c.ParentID
			err := tree.CheckPlace(c)
			if got, want := err == nil, isTree(moved); got != want {
				t.Fatalf("category %d under %d in %v: got %v, want valid: %v", c.ID, c.ParentID, tree, err, want)
			}
			if err == nil {
				tree = moved
			}
		}
	})
}

// isTree is a slow implementation that does not use the checked code.
func isTree(p cohort.CategoryParents) bool {
	for id := range p {
		depth := 0
		for at := id; at != 0; at = p[at] {
			if _, known := p[at]; !known || depth == cohort.MaxCategoryDepth {
				return false
			}
			depth++
		}
	}
	return true
}

func TestCheckPlaceOfNewCategory(t *testing.T) {
	deep := cohort.CategoryParents{}
	for id := range int64(cohort.MaxCategoryDepth) {
		deep[id+1] = id
	}
	for parent, ok := range map[int64]bool{0: true, 1: true, cohort.MaxCategoryDepth - 1: true, cohort.MaxCategoryDepth: false, 999: false} {
		err := deep.CheckPlace(cohort.Category{ParentID: parent, Name: "new"})
		field := "parent_id"
		if ok {
			field = ""
		}
		wantFault(t, err, field)
	}
}

// wantFault fails unless the error is about the field; "" wants no error.
func wantFault(t rapid.TB, err error, field string) {
	t.Helper()
	if field != "" {
		wantInvalid(t, err, field)
	} else if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
}
