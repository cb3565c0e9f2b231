package apiv3

import (
	"context"
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// A product may have 600 variants with 250 option values each, which is 9 MB of JSON.
// So products with their variants are read and encoded in parts.

// writeProductsWithVariants sends a page of products.
func (h *handler) writeProductsWithVariants(w http.ResponseWriter, r *api.Request, query productQuery, page paging) error {
	for field, key := range map[string]string{"after": page.After, "before": page.Before} {
		if _, inside := service.ProductCursor(key); inside { // no page begins there
			return cohort.Invalid(field, "The value is not a cursor of this list.")
		}
	}
	list := h.productParts(r, query, page.Page)
	list.Open = openCollection
	list.Close = func(dst []byte, e api.Extent) ([]byte, error) {
		e.First, _ = service.ProductCursor(e.First)
		return closeCollection(dst, page.meta(e))
	}
	return writePage(w, r, list)
}

// writeProductWithVariants sends one product.
func (h *handler) writeProductWithVariants(w http.ResponseWriter, r *api.Request, id int64, query productQuery) error {
	query.IDs = []int64{id}
	list := h.productParts(r, query, cohort.Page{Number: 1, Size: 1})
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

func (h *handler) productParts(r *api.Request, query productQuery, p cohort.Page) api.List[service.ProductPart] {
	toWire := query.toWire()
	return api.List[service.ProductPart]{
		Page: p,
		Read: func(ctx context.Context, p cohort.Page, to *api.Piece[service.ProductPart]) (int64, error) {
			return h.svc.ReadProductParts(ctx, r.Store.Key, query.ProductFilter, query.order, p, to)
		},
		Key:    service.ProductPart.Cursor,
		Part:   partOfElement,
		Append: func(dst []byte, p service.ProductPart) ([]byte, error) { return appendPart(dst, p, toWire) },
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
func appendPart(dst []byte, p service.ProductPart, toWire func(cohort.Product) object[cohort.Product]) ([]byte, error) {
	switch p.Kind {
	case service.ProductBegin:
		dst, err := api.AppendJSON(dst, toWire(p.Product))
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
	return object[service.CatalogVariant]{variantMembers, p.Variant}.append(dst)
}
