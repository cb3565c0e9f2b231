package client

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBrokenProducts(t *testing.T) {
	broken := []string{
		`200 {"data":[{"id":"seven"}]}`, `200 {"data":{}}`, `200 {"data":[{"price":"dear"}]}`, `200 {"data":[{"price":1e999}]}`,
		`200 {"data":[{"weight":{}}]}`, `200 {"data":[{"option_values":{}, "variants":{}}]}`, `200 {"meta":{}}`, `200 [`, `200 `,
	}
	h, _ := answers(t, append(slices.Clone(broken), broken...)...)
	c, _ := newFake(t, h)
	for _, answer := range broken {
		if _, err := c.Products.List(t.Context(), ProductFilter{}, Page{}); !errors.Is(err, ErrResponse) {
			t.Errorf("products %s: %v", answer, err)
		}
	}
	for _, answer := range broken {
		if _, err := c.Variants.List(t.Context(), VariantFilter{}, Page{}); !errors.Is(err, ErrResponse) && !strings.Contains(answer, "variants") {
			t.Errorf("variants %s: %v", answer, err)
		}
	}
}

func TestBodiesOfProducts(t *testing.T) {
	h, got := answers(t,
		`200 {"data":{"id":3,"price":"10.50","preorder_release_date":null,"date_created":"2026-01-02T03:04:05+00:00","images":[{"id":4}],"primary_image":null,"options":[{"id":5,"config":{"a":[1]},"option_values":null}],"color":[1]}}`,
		`200 {"data":{"id":9,"price":null,"inventory_level":null,"upc":null,"option_values":[]}}`)
	c, _ := newFake(t, h)
	u := ProductUpdate{Name: Set("A & B"), Type: Set("physical"), Price: Set(MustAmount("10.50")), SalePrice: Null[Amount](), CustomURL: Set(CatalogURL{URL: "/a/", CreateRedirect: Set(true)})}
	u.Images = Set([]ProductImagePut{{ID: 4}, {ImageURL: Set("https://x.example/a.png")}})
	p, err := c.Products.Create(t.Context(), ProductCreate{u, []VariantUpdate{{OptionValues: Set([]VariantOption{{Label: "Red", OptionDisplayName: "Color"}})}}})
	if err != nil || !p.Price.Equal(MustAmount("10.5").Decimal) || !p.PrimaryImage.IsNull() || string(p.Options.Or(nil)[0].Config) != `{"a":[1]}` || !p.Variants.IsZero() {
		t.Errorf("got %+v, %v", p, err)
	}
	v, err := c.Variants.Update(t.Context(), 3, 9, VariantUpdate{Price: Null[Amount](), InventoryLevel: Set[int64](0)})
	if err != nil || !v.Price.IsNull() || !v.InventoryLevel.IsNull() || v.UPC != "" {
		t.Errorf("got %+v, %v", v, err)
	}
	want := []string{
		`POST /stores/abc/v3/catalog/products {"name":"A & B","type":"physical","price":10.5,"sale_price":null,"custom_url":{"url":"/a/","create_redirect":true},"images":[{"id":4},{"image_url":"https://x.example/a.png"}],"variants":[{"option_values":[{"label":"Red","option_display_name":"Color"}]}]}`,
		`PUT /stores/abc/v3/catalog/products/3/variants/9 {"price":null,"inventory_level":0}`,
	}
	if !slices.Equal(*got, want) {
		t.Errorf("sent %q\nwant %q", *got, want)
	}
}

// TestProductsInParts has a batch with a wrong item, which is sent again without it.
func TestProductsInParts(t *testing.T) {
	nine := strings.Repeat(`{"id":1},`, 8) + `{"id":1}`
	h, got := answers(t, `404 {"status":404,"title":"not found","errors":{"3.id":"Product does not exist."}}`, `200 {"data":[`+nine+`]}`, `200 {"data":[{"id":2}]}`)
	c, _ := newFake(t, h)
	var failures []int
	for r := range c.Products.UpdateAll(t.Context(), make([]ProductChange, 11)) {
		if item, ok := errors.AsType[ItemError](r.Err); ok && item.Fields["id"] != "" && errors.Is(r.Err, ErrNotFound) {
			failures = append(failures, r.Index)
		} else if r.Err != nil || r.Value.ID == 0 {
			t.Errorf("%d: %+v, %v", r.Index, r.Value, r.Err)
		}
	}
	if !slices.Equal(failures, []int{3}) || len(*got) != 3 {
		t.Errorf("failed %v, in %d requests", failures, len(*got))
	}
}

// TestPartOfABatch: a service that changes a part of a batch sends back that part.
func TestPartOfABatch(t *testing.T) {
	answer := `207 {"data":[{"id":2}],"errors":[{"status":422,"errors":{"id":"wrong"}}],"meta":{}}`
	h, _ := answers(t, answer, answer)
	c, _ := newFake(t, h)
	done, err := c.Products.UpdateMany(t.Context(), []ProductChange{{ID: 1}, {ID: 2}})
	if !errors.Is(err, ErrResponse) || len(done) != 1 || done[0].ID != 2 {
		t.Errorf("got %+v, %v", done, err)
	}
	done2, err := c.Variants.Put(t.Context(), []VariantPut{{ID: 1}, {ID: 2}})
	if !errors.Is(err, ErrResponse) || len(done2) != 1 {
		t.Errorf("got %+v, %v", done2, err)
	}
}

func TestArgumentsOfProducts(t *testing.T) {
	h, got := answers(t)
	c, _ := newFake(t, h)
	for name, err := range map[string]error{
		"none":          second(c.Products.UpdateMany(t.Context(), nil)),
		"too many":      second(c.Products.UpdateMany(t.Context(), make([]ProductChange, 11))),
		"no variants":   second(c.Variants.Put(t.Context(), nil)),
		"many variants": second(c.Variants.Put(t.Context(), make([]VariantPut, 51))),
		"everything":    c.Products.DeleteMany(t.Context(), ProductFilter{}),
		"by a part":     c.Products.DeleteMany(t.Context(), ProductFilter{Include: []string{"images"}, NameLike: "a"}),
		"a comma":       second(c.Products.List(t.Context(), ProductFilter{SKUs: []string{"a,b"}}, Page{})),
	} {
		if !errors.Is(err, ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(*got) != 0 {
		t.Errorf("sent %v", *got)
	}
}
