package client

import (
	"errors"
	"slices"
	"testing"
)

func TestBrokenCatalog(t *testing.T) {
	broken := []string{`200 {"data":[{"id":"seven"}]}`, `200 {"data":{}}`, `200 {"data":[{"meta_keywords":"a"}]}`, `200 {"data":[{"custom_url":"/a/"}]}`, `200 {}`, `200 `}
	h, _ := answers(t, append(slices.Clone(broken), broken...)...)
	c, _ := newFake(t, h)
	for _, answer := range broken {
		if _, err := c.Categories.List(t.Context(), CategoryFilter{}, Page{}); !errors.Is(err, ErrResponse) {
			t.Errorf("categories %s: %v", answer, err)
		}
	}
	for _, answer := range broken {
		if _, err := c.Brands.List(t.Context(), BrandFilter{}, Page{}); !errors.Is(err, ErrResponse) {
			t.Errorf("brands %s: %v", answer, err)
		}
	}
}

func TestBodiesOfTheCatalog(t *testing.T) {
	h, got := answers(t, `200 {"data":{"id":3,"parent_id":0,"meta_keywords":null,"custom_url":null,"color":[1]}}`, `200 {"data":{"id":4}}`)
	c, _ := newFake(t, h)
	if category, err := c.Categories.Create(t.Context(), CategoryUpdate{ParentID: Set[int64](0), Name: Set("A & B"), IsVisible: Set(false)}); err != nil || category.ID != 3 {
		t.Errorf("got %+v, %v", category, err)
	}
	if brand, err := c.Brands.Update(t.Context(), 4, BrandUpdate{CustomURL: Set(CatalogURL{URL: "/b/"})}); err != nil || brand.ID != 4 {
		t.Errorf("got %+v, %v", brand, err)
	}
	for name, err := range map[string]error{
		"nothing":    c.Categories.DeleteMany(t.Context(), CategoryFilter{}),
		"an order":   c.Categories.DeleteMany(t.Context(), CategoryFilter{NameLike: "a", Sort: "name"}),
		"fields":     c.Categories.DeleteMany(t.Context(), CategoryFilter{Fields: []string{"name"}}),
		"no brands":  c.Brands.DeleteMany(t.Context(), BrandDeletion{}),
		"empty list": c.Brands.DeleteMany(t.Context(), BrandDeletion{IDs: []int64{}}),
	} {
		if !errors.Is(err, ErrArgument) {
			t.Errorf("a deletion by %s: %v", name, err)
		}
	}
	want := []string{
		`POST /stores/abc/v3/catalog/categories {"parent_id":0,"name":"A & B","is_visible":false}`,
		`PUT /stores/abc/v3/catalog/brands/4 {"custom_url":{"url":"/b/"}}`,
	}
	if !slices.Equal(*got, want) {
		t.Errorf("sent %q, want %q", *got, want)
	}
}
