package apiv3

import (
	"context"
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) productPlaceRoutes() []api.Route {
	const path = "/catalog/categories/{category_id}/products/sort-order"
	return []api.Route{
		{Operation: "listProductPlaces", Method: "GET", Path: path, Scope: read, Handle: h.listProductPlaces},
		{Operation: "putProductPlaces", Method: "PUT", Path: path, Scope: modify, Handle: h.putProductPlaces},
	}
}

// productPlaceFields has the fields of a product in a body.
var productPlaceFields = api.Fields[cohort.ProductPlace]{
	"product_id": api.Plain(func(p *cohort.ProductPlace) *int64 { return &p.ProductID }, texts.ReadID),
	"sort_order": func(p *cohort.ProductPlace, v api.Value) error {
		if v.IsNull() {
			return nil
		}
		n, ok := v.Int()
		if !ok || n < 0 || n > cohort.MaxProductPlace {
			return cohort.Invalid("", fmt.Sprintf("The value must be a whole number from 0 to %d, or null.", cohort.MaxProductPlace))
		}
		p.Place = &n
		return nil
	},
}

// productPlaceWire is a product in responses. Source: the vendor's reference.
type productPlaceWire struct {
	ProductID int64  `json:"product_id"`
	SortOrder *int64 `json:"sort_order"` // null: none
}

func productPlaceToWire(p cohort.ProductPlace) productPlaceWire {
	return productPlaceWire{p.ProductID, p.Place}
}

func (h *handler) listProductPlaces(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	_, page, err := decodeNumberQuery(r, filters[struct{}]{})
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.ProductPlace]) (int64, error) {
		return h.svc.ReadProductPlaces(ctx, r.Store.Key, id, p, to)
	}
	return writeNumberList(w, r, page, read, productPlaceToWire, cohort.ProductPlace.Key)
}

// putProductPlaces answers with the list of the body, without an object around it, as the
// vendor's reference describes it.
func (h *handler) putProductPlaces(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	list, err := decodeBatch(r, cohort.MaxProductAssignments, productPlaceFields, "product_id", "sort_order")
	if err != nil {
		return err
	}
	if err := h.svc.PutProductPlaces(r.Context(), r.Store.Key, id, list); err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, allToWire(list, productPlaceToWire))
}
