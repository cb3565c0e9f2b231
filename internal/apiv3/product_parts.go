package apiv3

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// A product may have 600 variants with 250 option values each, which is 9 MB of JSON.
// So products with their variants are read and encoded in parts.

// writeProductsWithVariants sends a page of products.
func (h *handler) writeProductsWithVariants(w http.ResponseWriter, r *api.Request, query productQuery, page paging) error {
	for field, key := range map[string]string{"after": page.After, "before": page.Before} {
		if strings.Contains(key, "/") { // the key of a variant, where no page begins
			return cohort.Invalid(field, "The value is not a cursor of this list.")
		}
	}
	list := h.productParts(r, query.ProductFilter, page.Page, query.productParts)
	list.Open = openCollection
	list.Close = func(dst []byte, e api.Extent) ([]byte, error) {
		e.First, _, _ = strings.Cut(e.First, "/")
		return closeCollection(dst, page.meta(e))
	}
	return writePage(w, r, list)
}

// writeProductWithVariants sends one product.
func (h *handler) writeProductWithVariants(w http.ResponseWriter, r *api.Request, id int64, parts productParts) error {
	list := h.productParts(r, cohort.ProductFilter{IDs: []int64{id}}, cohort.Page{Number: 1, Size: 1}, parts)
	list.Open = `{"data":`
	list.Close = func(dst []byte, _ api.Extent) ([]byte, error) { return append(dst, `,"meta":{}}`...), nil }
	page, err := api.ReadPage(r, list)
	if err != nil {
		return err
	}
	if page.Count() == 0 {
		return cohort.NotFound(fmt.Sprintf("product %d", id))
	}
	return page.Write(w)
}

func (h *handler) productParts(r *api.Request, f cohort.ProductFilter, p cohort.Page, parts productParts) api.List[service.ProductPart] {
	return api.List[service.ProductPart]{
		Page: p,
		Read: func(ctx context.Context, p cohort.Page, to *api.Piece[service.ProductPart]) (int64, error) {
			return h.svc.ReadProductParts(ctx, r.Store.Key, f, p, to)
		},
		Key:    service.ProductPart.Cursor,
		Part:   partOfElement,
		Append: parts.appendPart,
	}
}

func partOfElement(p service.ProductPart) api.Part {
	switch p.Kind {
	case service.ProductBegin:
		return api.Begin
	case service.ProductEnd:
		return api.End
	}
	return api.Middle
}

// appendPart appends a part of a product. The variants are its last field.
func (parts productParts) appendPart(dst []byte, p service.ProductPart) ([]byte, error) {
	switch p.Kind {
	case service.ProductBegin:
		dst, err := api.AppendJSON(dst, parts.toWire(p.Product))
		if err != nil {
			return dst, err
		}
		return append(dst[:len(dst)-1], `,"variants":[`...), nil
	case service.ProductEnd:
		return append(dst, "]}"...), nil
	}
	if !p.First {
		dst = append(dst, ',')
	}
	return api.AppendJSON(dst, variantToWire(service.CatalogVariant{Variant: p.Variant, Product: p.Product}))
}
