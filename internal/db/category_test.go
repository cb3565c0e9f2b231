package db_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

func addCategories(t testing.TB, d *db.DB, store string, categories ...cohort.Category) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for _, c := range categories {
			if err := tx.InsertCategory(store, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestCategoryParents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		tree := cohort.CategoryParents{}
		var categories []cohort.Category
		for id := range int64(5000) { // more than maxTreeIDs
			categories = append(categories, cohort.Category{ID: id + 100, Name: "x"})
			tree[id+100] = 0
		}
		// A branch, a branch whose root does not exist, and a cycle, which the
		// service never creates.
		for id, parent := range map[int64]int64{1: 0, 2: 1, 3: 2, 4: 2, 10: 99, 11: 10, 20: 21, 21: 22, 22: 20} {
			categories = append(categories, cohort.Category{ID: id, ParentID: parent, Name: "x"})
			tree[id] = parent
		}
		addCategories(t, d, "a", categories...)
		addCategories(t, d, "b", cohort.Category{ID: 3, ParentID: 1, Name: "x"}, cohort.Category{ID: 99, Name: "x"})
		many := make([]int64, 0, len(categories))
		for _, c := range categories {
			many = append(many, c.ID)
		}
		view(t, d, func(tx *db.Tx) error {
			for _, tt := range []struct {
				ids  []int64
				want cohort.CategoryParents
			}{
				{nil, cohort.CategoryParents{}},
				{[]int64{999_999}, cohort.CategoryParents{}},
				{[]int64{1}, cohort.CategoryParents{1: 0}},
				{[]int64{3, 3, 1, 150}, cohort.CategoryParents{3: 2, 2: 1, 1: 0, 150: 0}},
				{[]int64{3, 4}, cohort.CategoryParents{3: 2, 4: 2, 2: 1, 1: 0}},
				{[]int64{11}, cohort.CategoryParents{11: 10, 10: 99}},
				{[]int64{20}, cohort.CategoryParents{20: 21, 21: 22, 22: 20}},
				{many[:4096], nil}, // exactly maxTreeIDs
				{many, tree},
			} {
				got, err := tx.CategoryParentsOf("a", tt.ids)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" && tt.want != nil {
					t.Errorf("ancestors of %v (-want +got):\n%s", tt.ids, diff)
				}
			}
			got, err := tx.CategoryParents("a")
			if diff := cmp.Diff(tree, got); diff != "" {
				t.Errorf("the whole tree (-want +got):\n%s", diff)
			}
			return err
		})
	})
}
