package cohort_test

import (
	"slices"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCategoryParentsPath(t *testing.T) {
	deep := cohort.CategoryParents{1: 0}
	for id := int64(2); id <= 100; id++ {
		deep[id] = id - 1
	}
	around := make([]int64, cohort.MaxCategoryDepth)
	for i := range around {
		around[i] = int64(1 + i%2)
	}
	tests := []struct {
		name    string
		parents cohort.CategoryParents
		id      int64
		want    []int64
	}{
		{"at the top", cohort.CategoryParents{1: 0}, 1, []int64{1}},
		{"below others", cohort.CategoryParents{1: 0, 2: 1, 3: 2, 4: 2}, 3, []int64{3, 2, 1}},
		{"unknown itself", cohort.CategoryParents{1: 0}, 9, []int64{9}},
		{"of no tree", nil, 9, []int64{9}},
		{"below one that is missing", cohort.CategoryParents{3: 2, 2: 8}, 3, []int64{3, 2}},
		{"as deep as can be", deep, cohort.MaxCategoryDepth, countdown(cohort.MaxCategoryDepth, 1)},
		{"too deep", deep, 100, countdown(100, 101-cohort.MaxCategoryDepth)},
		{"above itself", cohort.CategoryParents{1: 2, 2: 1}, 1, around},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.parents.Path(tt.id)); diff != "" {
				t.Fatalf("path (-want +got):\n%s", diff)
			}
		})
	}
}

func countdown(from, to int64) []int64 {
	var ids []int64
	for id := from; id >= to; id-- {
		ids = append(ids, id)
	}
	return ids
}

// covers reports whether ancestor is the category id or above it.
func covers(parents cohort.CategoryParents, ancestor, id int64) bool {
	return slices.Contains(parents.Path(id), ancestor)
}

func TestCategoryParentsCovers(t *testing.T) {
	parents := cohort.CategoryParents{1: 0, 2: 1, 3: 2, 4: 1}
	for _, tt := range []struct {
		ancestor, id int64
		want         bool
	}{
		{2, 2, true}, {2, 3, true}, {1, 3, true}, {3, 2, false}, {4, 3, false}, {9, 9, true}, {0, 1, false},
	} {
		if got := covers(parents, tt.ancestor, tt.id); got != tt.want {
			t.Errorf("category %d covers %d: %t", tt.ancestor, tt.id, got)
		}
	}
}

// In any tree a path leads from parent to parent, and ends at a root, at a missing parent
// or at the maximum depth.
func TestCategoryParentsPathOfAnyTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parents := cohort.CategoryParents(rapid.MapOfN(rapid.Int64Range(-1, 9), rapid.Int64Range(-1, 10), 0, 11).Draw(t, "parents"))
		id := rapid.Int64Range(-1, 10).Draw(t, "id")
		path := parents.Path(id)
		if len(path) == 0 || path[0] != id || len(path) > cohort.MaxCategoryDepth {
			t.Fatalf("the path of %d is %v", id, path)
		}
		for i, next := range path[1:] {
			if parents[path[i]] != next {
				t.Fatalf("the path %v jumps to %d", path, next)
			}
		}
		end := parents[path[len(path)-1]]
		if _, known := parents[end]; end != 0 && known && len(path) < cohort.MaxCategoryDepth {
			t.Fatalf("the path %v ends below %d", path, end)
		}
		if !slices.ContainsFunc(path, func(above int64) bool { return covers(parents, above, id) }) {
			t.Fatalf("no category on the path %v covers %d", path, id)
		}
	})
}
