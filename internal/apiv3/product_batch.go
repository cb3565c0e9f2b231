package apiv3

import (
	"fmt"
	"maps"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// productChangeFields has the fields of a product in a batch.
var productChangeFields = func() api.Fields[cohort.ProductUpdate] {
	table := maps.Clone(productFields)
	table["id"] = api.Plain(func(u *cohort.ProductUpdate) *int64 { return &u.ID }, texts.ReadID)
	return table
}()

func (h *handler) updateProducts(w http.ResponseWriter, r *api.Request) error {
	parts, err := readParts(r)
	if err != nil {
		return err
	}
	updates, err := decodeLargeBatch(r, cohort.MaxProductBatch, productChangeFields, "id")
	if err != nil {
		return err
	}
	products, err := h.svc.UpdateProducts(r.Context(), r.Store.Key, updates)
	if err != nil {
		return err
	}
	for i, p := range products {
		if products[i], err = h.withParts(r, parts, p); err != nil {
			return err
		}
	}
	whole := paging{Page: cohort.Page{Number: 1, Size: cohort.MaxProductBatch}}
	return api.WriteJSON(w, http.StatusOK, struct {
		Data []object[cohort.Product] `json:"data"`
		Meta meta                     `json:"meta"`
	}{allToWire(products, parts.toWire()), meta{Pagination: whole.pagination(len(products), int64(len(products)))}})
}

// decodeLargeBatch is decodeBatch with the vendor's response to a batch that is too large.
func decodeLargeBatch[T any](r *api.Request, limit int, fields api.Fields[T], required ...string) ([]T, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	if values, ok := v.Array(); ok && len(values) > limit {
		return nil, &api.HTTPError{
			Status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The request payload is too large. The maximum items allowed in the array is %d.", limit),
		}
	}
	values, err := batchValues(v, limit)
	if err != nil {
		return nil, err
	}
	return decodeArray(values, fields, required...)
}
