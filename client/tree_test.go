package client

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBrokenTrees(t *testing.T) {
	broken := []string{`200 {"data":{}}`, `200 {"data":[{"id":"seven","category_id":"seven","product_id":"seven"}]}`, `200 {"meta":{}}`, `200 [`, `200 `}
	h, _ := answers(t, slices.Repeat(broken, 7)...)
	c, _ := newFake(t, h)
	for name, read := range map[string]func() error{
		"tree":               func() error { return second(c.Categories.Tree(t.Context())) },
		"trees":              func() error { return second(c.CategoryTrees.List(t.Context(), CategoryTreeFilter{}, Page{})) },
		"categories of tree": func() error { return second(c.CategoryTrees.Categories(t.Context(), 1)) },
		"categories":         func() error { return second(c.TreeCategories.List(t.Context(), TreeCategoryFilter{}, Page{})) },
		"channels":           func() error { return second(c.ProductChannels.List(t.Context(), ProductChannelFilter{}, Page{})) },
		"in categories":      func() error { return second(c.ProductCategories.List(t.Context(), ProductCategoryFilter{}, Page{})) },
		"places":             func() error { return second(c.Categories.ListPlaces(t.Context(), 1, Page{})) },
	} {
		for i := range broken {
			if err := read(); !errors.Is(err, ErrResponse) {
				t.Errorf("%s, answer %d: %v", name, i, err)
			}
		}
	}
}

func TestUpdatesOfTrees(t *testing.T) {
	h, got := answers(t,
		`200 {"meta":{"total":2,"success":2,"failed":0}}`, `207 {"meta":{"total":2,"success":1,"failed":1}}`, `200 {"meta":[]}`, `200 `,
		`422 {"errors":{"1.name":"The name is taken."}}`, `201 {"data":[{"category_id":4}]}`, `200 [{"product_id":1,"sort_order":null}]`)
	c, _ := newFake(t, h)
	two := []TreeCategoryChange{{ID: 4, TreeCategoryUpdate: TreeCategoryUpdate{URL: Set(TreeCategoryURL{Path: "/a/"})}}, {ID: 5}}
	if err := c.TreeCategories.Update(t.Context(), two); err != nil {
		t.Error(err)
	}
	for range 3 {
		if err := c.TreeCategories.Update(t.Context(), two); !errors.Is(err, ErrResponse) {
			t.Errorf("got %v", err)
		}
	}
	if batch, ok := errors.AsType[*BatchError](c.TreeCategories.Update(t.Context(), two)); !ok || batch.Items[0].Index != 1 {
		t.Errorf("got %v", batch)
	}
	if done, err := c.TreeCategories.Create(t.Context(), make([]TreeCategoryUpdate, 2)); !errors.Is(err, ErrResponse) || done[0].ID != 4 {
		t.Errorf("got %v, %v", done, err)
	}
	if err := c.Categories.PutPlaces(t.Context(), 3, []ProductPlace{{ProductID: 1}, {ProductID: 2, SortOrder: Set[int64](0)}}); err != nil {
		t.Error(err)
	}
	for i, want := range map[int]string{
		0: `PUT /stores/abc/v3/catalog/trees/categories [{"category_id":4,"url":{"path":"/a/"}},{"category_id":5}]`,
		6: `PUT /stores/abc/v3/catalog/categories/3/products/sort-order [{"product_id":1,"sort_order":null},{"product_id":2,"sort_order":0}]`,
	} {
		if (*got)[i] != want {
			t.Errorf("sent %s\nwant %s", (*got)[i], want)
		}
	}
}

// TestPlacementsInParts has a batch with a wrong item, which is sent again without it.
func TestPlacementsInParts(t *testing.T) {
	h, got := answers(t, `422 {"errors":{"999.product_id":"Product id 0 does not exist."}}`, `204 `, `204 `)
	c, _ := newFake(t, h)
	var failures []int
	for r := range c.ProductChannels.PutAll(t.Context(), make([]ProductChannel, 1001)) {
		if r.Err != nil {
			failures = append(failures, r.Index)
		}
	}
	if !slices.Equal(failures, []int{999}) || len(*got) != 3 || strings.Count((*got)[1], "{") != 999 {
		t.Errorf("failed %v, in %d requests", failures, len(*got))
	}
}

func TestArgumentsOfTrees(t *testing.T) {
	h, got := answers(t)
	c, _ := newFake(t, h)
	for name, err := range map[string]error{
		"no trees":          second(c.CategoryTrees.Put(t.Context(), nil)),
		"many trees":        second(c.CategoryTrees.Put(t.Context(), make([]CategoryTreePut, 51))),
		"no categories":     c.TreeCategories.Update(t.Context(), nil),
		"many categories":   c.TreeCategories.Update(t.Context(), make([]TreeCategoryChange, 51)),
		"new categories":    second(c.TreeCategories.Create(t.Context(), make([]TreeCategoryUpdate, 51))),
		"all categories":    c.TreeCategories.DeleteMany(t.Context(), TreeCategoryDeletion{}),
		"all channels":      c.ProductChannels.Delete(t.Context(), ProductChannelFilter{}),
		"of all categories": c.ProductCategories.Delete(t.Context(), ProductCategoryFilter{ProductIDs: []int64{}}),
		"no products":       c.ProductChannels.Put(t.Context(), nil),
		"many products":     c.ProductCategories.Put(t.Context(), make([]ProductCategory, 1001)),
		"many places":       c.Categories.PutPlaces(t.Context(), 1, make([]ProductPlace, 1001)),
	} {
		if !errors.Is(err, ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.CategoryTrees.Delete(t.Context()); err != nil || len(*got) != 0 {
		t.Errorf("sent %v, %v", *got, err)
	}
}
