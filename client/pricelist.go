package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// PriceList is a list of prices that replace those of the catalog.
type PriceList struct {
	ID           int64  `json:"id"`
	DateCreated  Time   `json:"date_created"`
	DateModified Time   `json:"date_modified"`
	Name         string `json:"name"`
	Active       bool   `json:"active"`
}

// PriceListUpdate has the fields of a price list to set. A new list needs a name, and is
// active unless it says otherwise.
type PriceListUpdate struct {
	Name   Opt[string] `json:"name,omitzero"`
	Active Opt[bool]   `json:"active,omitzero"`
}

// PriceListFilter selects price lists. All fields that are set must match. An empty list of
// ids does not filter.
type PriceListFilter struct {
	IDs      []int64     `query:"id:in"`
	Name     Opt[string] `query:"name"`
	NameLike string      `query:"name:like"`
	Created  TimeRange   `query:"date_created"`
	Modified TimeRange   `query:"date_modified"`
}

// PriceListService has the operations on price lists, of V3.
type PriceListService struct{ service }

const priceListsPath = "/v3/pricelists"

func priceListPath(id int64) string { return fmt.Sprintf("%s/%d", priceListsPath, id) }

// List returns a page of price lists in the order of their ids.
func (s *PriceListService) List(ctx context.Context, f PriceListFilter, p Page) ([]PriceList, error) {
	return pageOf[PriceList](ctx, s.c, priceListsPath, f, p)
}

// All yields all price lists that match. Pages are read by cursor.
func (s *PriceListService) All(ctx context.Context, f PriceListFilter) iter.Seq2[PriceList, error] {
	return allOf(ctx, s.c, priceListsPath, f, func(l PriceList) int64 { return l.ID })
}

// Get returns a price list.
func (s *PriceListService) Get(ctx context.Context, id int64) (PriceList, error) {
	return getData[PriceList](ctx, s.c, request{method: http.MethodGet, path: priceListPath(id)})
}

// Create creates a price list. The name of another one is an [ErrConflict].
func (s *PriceListService) Create(ctx context.Context, u PriceListUpdate) (PriceList, error) {
	return getData[PriceList](ctx, s.c, request{method: http.MethodPost, path: priceListsPath, body: u, creates: true})
}

// Update changes a price list and returns it.
func (s *PriceListService) Update(ctx context.Context, id int64, u PriceListUpdate) (PriceList, error) {
	return getData[PriceList](ctx, s.c, request{method: http.MethodPut, path: priceListPath(id), body: u})
}

// Delete deletes a price list with its records and assignments.
func (s *PriceListService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: priceListPath(id), gate: gateDeletePriceList})
}

// DeleteMany deletes the price lists with the ids, 50 in a request, with their records and
// assignments. Without ids it sends nothing.
func (s *PriceListService) DeleteMany(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, priceListsPath, ids)
}
