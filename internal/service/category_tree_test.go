package service_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

func newTree(name string, channel int64) cohort.CategoryTreeUpdate {
	return cohort.CategoryTreeUpdate{Name: &name, Channels: &[]int64{channel}}
}

func mustTrees(t *testing.T, svc *service.Service, us ...cohort.CategoryTreeUpdate) []cohort.CategoryTree {
	t.Helper()
	trees, err := svc.PutCategoryTrees(t.Context(), "a", us)
	if err != nil {
		t.Fatal(err)
	}
	return trees
}

// Several trees ask for the same channel at once, the last one that of the first tree. One
// of them gets it.
func TestConcurrentTreesOfAChannel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for n := range contests {
			channel := int64(n + 1)
			succeeded := 0
			for _, err := range together(6, func(i int) error {
				_, err := svc.PutCategoryTrees(t.Context(), "a", []cohort.CategoryTreeUpdate{newTree(fmt.Sprint(n, " ", i), channel)})
				return err
			}) {
				if err == nil {
					succeeded++
				} else if _, ok := errors.AsType[cohort.ItemErrors](err); !ok || cohort.KindOf(err) != cohort.KindInvalid {
					t.Errorf("got %v, want an item that is invalid", err)
				}
			}
			if want := min(n, 1); succeeded != want { // channel 1 has tree 1
				t.Errorf("channel %d: %d of the calls succeeded, want %d", channel, succeeded, want)
			}
		}
	})
}

// Categories are moved between places and trees, by both APIs at once, while a tree is
// deleted. They still form trees, and each category is in the tree of its parent.
func TestConcurrentMovesBetweenTrees(t *testing.T) {
	const callers, categories = 6, 8
	moves := testenv.Times(20, 8)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		mustTrees(t, svc, newTree("Outlet", 2), newTree("Gone", 3))
		var batch []cohort.CategoryUpdate
		for i := range categories {
			batch = append(batch, cohort.CategoryUpdate{Name: new(fmt.Sprint(i)), TreeID: new(int64(i%2 + 1))})
		}
		created, err := svc.CreateCategories(t.Context(), "a", batch)
		if err != nil {
			t.Fatal(err)
		}
		together(callers, func(i int) error {
			rng := rand.New(rand.NewPCG(2, uint64(i)))
			id := func() int64 { return created[rng.IntN(categories)].ID }
			for n := range moves {
				var err error
				u := cohort.CategoryUpdate{ID: id(), ParentID: new(id())}
				if rng.IntN(3) == 0 {
					*u.ParentID = 0
				}
				switch {
				case i == 0 && n == moves/2:
					err = svc.DeleteCategoryTrees(t.Context(), "a", []int64{3})
				case i%2 == 0:
					_, err = svc.UpdateCategory(t.Context(), "a", u.ID, cohort.CategoryUpdate{ParentID: u.ParentID})
				default:
					u.TreeID = new(int64(rng.IntN(2) + 1))
					err = svc.UpdateCategories(t.Context(), "a", []cohort.CategoryUpdate{u, {ID: u.ID%categories + 1, ParentID: new(int64(0))}})
				}
				if err != nil && cohort.KindOf(err) != cohort.KindInvalid {
					t.Errorf("caller %d: %v", i, err)
				}
			}
			return nil
		})
		wantForest(t, svc, categories)
	})
}

// wantForest fails unless the store has this number of categories, each connected to the
// top and in the tree of its parent.
func wantForest(t *testing.T, svc *service.Service, want int) {
	t.Helper()
	var list collected[cohort.Category]
	if _, err := svc.ReadCategories(t.Context(), "a", cohort.CategoryFilter{}, cohort.CategoryOrder{}, cohort.Page{Number: 1, Size: 1000}, &list); err != nil {
		t.Fatal(err)
	}
	byID, parents := map[int64]cohort.Category{}, cohort.CategoryParents{}
	for _, c := range list {
		byID[c.ID], parents[c.ID] = c, c.ParentID
	}
	for _, c := range list {
		path := parents.Path(c.ID)
		if root := byID[path[len(path)-1]]; root.ParentID != 0 {
			t.Errorf("category %d is not connected to the top: %v", c.ID, path)
		}
		if parent, ok := byID[c.ParentID]; ok && parent.TreeID != c.TreeID {
			t.Errorf("category %d is in tree %d, its parent %d in tree %d", c.ID, c.TreeID, parent.ID, parent.TreeID)
		}
	}
	if len(list) != want {
		t.Errorf("%d categories, want %d", len(list), want)
	}
}

// A tree is deleted while categories are added to it. None is left without a tree.
func TestConcurrentTreeDeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for n := range contests {
			tree := mustTrees(t, svc, newTree("Outlet", int64(n+2)))[0].ID
			errs := together(6, func(i int) error {
				if i == 3 {
					return svc.DeleteCategoryTrees(t.Context(), "a", []int64{tree})
				}
				_, err := svc.CreateCategories(t.Context(), "a", []cohort.CategoryUpdate{{Name: new(fmt.Sprint(i)), TreeID: &tree}})
				return err
			})
			for i, err := range errs {
				if err != nil && (i == 3 || cohort.KindOf(err) != cohort.KindInvalid) {
					t.Errorf("caller %d: %v", i, err)
				}
			}
			if _, err := svc.CategoriesOfTree(t.Context(), "a", tree); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("the deleted tree: %v", err)
			}
			wantForest(t, svc, 0)
		}
	})
}

// A channel is deleted while its tree gets another name. The tree is without a channel
// afterwards.
func TestConcurrentDeletionOfTheChannel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for n := range contests {
			c, err := svc.CreateChannel(t.Context(), "a", cohort.Channel{Name: fmt.Sprint(n), Type: cohort.ChannelPOS, Platform: "custom"})
			if err != nil {
				t.Fatal(err)
			}
			tree := mustTrees(t, svc, newTree("Outlet", c.ID))[0].ID
			for i, err := range together(4, func(i int) error {
				if i == 1 {
					_, err := svc.UpdateChannel(t.Context(), "a", c.ID, cohort.ChannelUpdate{Status: new(cohort.ChannelDeleted)})
					return err
				}
				_, err := svc.PutCategoryTrees(t.Context(), "a", []cohort.CategoryTreeUpdate{{ID: tree, Name: new(fmt.Sprint(i))}})
				return err
			}) {
				if err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			}
			after := mustTrees(t, svc, cohort.CategoryTreeUpdate{ID: tree})[0]
			if after.ChannelID != 0 {
				t.Errorf("the tree has channel %d, which is deleted", after.ChannelID)
			}
		}
	})
}

// Trees and categories of one store mean nothing in another.
func TestTreesAreSeparate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		ctx := t.Context()
		tree := mustTrees(t, svc, newTree("Outlet", 2))[0].ID
		created, err := svc.CreateCategories(ctx, "a", []cohort.CategoryUpdate{{Name: new("Shoes"), TreeID: &tree}})
		if err != nil {
			t.Fatal(err)
		}
		_, put := svc.PutCategoryTrees(ctx, "b", []cohort.CategoryTreeUpdate{{ID: tree, Name: new("x")}})
		wantKind(t, put, cohort.KindInvalid)
		_, create := svc.CreateCategories(ctx, "b", []cohort.CategoryUpdate{{Name: new("x"), TreeID: &tree}})
		wantKind(t, create, cohort.KindInvalid)
		_, create = svc.CreateCategories(ctx, "b", []cohort.CategoryUpdate{{Name: new("x"), ParentID: &created[0].ID}})
		wantKind(t, create, cohort.KindInvalid)
		wantKind(t, svc.UpdateCategories(ctx, "b", []cohort.CategoryUpdate{{ID: created[0].ID, Name: new("x")}}), cohort.KindInvalid)
		_, read := svc.CategoriesOfTree(ctx, "b", tree)
		wantKind(t, read, cohort.KindNotFound)
		if err := svc.DeleteCategoryTrees(ctx, "b", []int64{tree}); err != nil {
			t.Error(err)
		}
		if n, err := svc.DeleteCategoriesOfTrees(ctx, "b", cohort.CategoryFilter{TreeIDs: []int64{tree}}); n != 0 || err != nil {
			t.Errorf("%d categories deleted (%v)", n, err)
		}
		nodes, err := svc.CategoriesOfTree(ctx, "a", tree)
		if err != nil || len(nodes) != 1 {
			t.Errorf("the tree of a has %v (%v)", nodes, err)
		}
	})
}

// A store has a bounded number of trees.
func TestTooManyTrees(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		var us []cohort.CategoryTreeUpdate
		for i := range cohort.MaxCategoryTrees - 1 {
			us = append(us, newTree("x", int64(i+2)))
		}
		if _, err := svc.PutCategoryTrees(t.Context(), "a", append(slices.Clone(us), newTree("x", 9999))); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("one too many: %v", err)
		}
		mustTrees(t, svc, us...)
		_, err := svc.PutCategoryTrees(t.Context(), "a", []cohort.CategoryTreeUpdate{newTree("x", 9999)})
		wantKind(t, err, cohort.KindInvalid)
	})
}
