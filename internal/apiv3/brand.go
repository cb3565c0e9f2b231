package apiv3

import (
	"context"
	"encoding/json"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) brandRoutes() []api.Route {
	return []api.Route{
		{Operation: "listBrands", Method: "GET", Path: "/catalog/brands", Scope: read, Handle: h.listBrands},
		{Operation: "createBrand", Method: "POST", Path: "/catalog/brands", Scope: modify, Handle: h.createBrand},
		{Operation: "deleteBrands", Method: "DELETE", Path: "/catalog/brands", Scope: modify, Handle: h.deleteBrands},
		{Operation: "getBrand", Method: "GET", Path: "/catalog/brands/{brand_id}", Scope: read, Handle: h.getBrand},
		{Operation: "updateBrand", Method: "PUT", Path: "/catalog/brands/{brand_id}", Scope: modify, Handle: h.updateBrand},
		{Operation: "deleteBrand", Method: "DELETE", Path: "/catalog/brands/{brand_id}", Scope: modify, Handle: h.deleteBrand},
	}
}

// brandFields has the fields of a body of a brand.
var brandFields = addDetails(api.Fields[cohort.BrandUpdate]{
	"id":   nil,
	"name": api.Optional(func(u *cohort.BrandUpdate) **string { return &u.Name }, readText),
}, cohort.BrandDetails, func(u *cohort.BrandUpdate) *cohort.Details { return &u.Details })

// brandMembers has the members of a brand in the order of responses.
var brandMembers = append(
	[]member[cohort.Brand]{
		valueMember("id", func(b *cohort.Brand) int64 { return b.ID }),
		valueMember("name", func(b *cohort.Brand) string { return b.Name }),
	},
	detailMembers(cohort.BrandDetails, func(b *cohort.Brand) cohort.Details { return b.Details }, map[string]func(*cohort.Brand) json.RawMessage{
		"custom_url": func(b *cohort.Brand) json.RawMessage {
			return defaultURL(BrandPath(b.Name))
		},
	})...)

// brandQuery has the parameters of a list of brands.
type brandQuery struct {
	cohort.BrandFilter
	order  cohort.BrandOrder
	fields fieldSelection
}

var brandFilters = func() filters[brandQuery] {
	table := filters[brandQuery]{
		"id":         idFilter(func(q *brandQuery) *[]int64 { return &q.IDs }),
		"id:in":      idFilter(func(q *brandQuery) *[]int64 { return &q.IDs }),
		"id:not_in":  idFilter(func(q *brandQuery) *[]int64 { return &q.NotIDs }),
		"name":       api.TextFilter(func(q *brandQuery) **string { return &q.Name }),
		"name:like":  partFilter(func(q *brandQuery) *string { return &q.NameLike }),
		"page_title": api.TextFilter(func(q *brandQuery) **string { return &q.PageTitle }),
		"direction":  directionFilter(func(q *brandQuery) *bool { return &q.order.Descending }),
		"sort":       sortFilter(func(q *brandQuery) *cohort.BrandSort { return &q.order.By }, cohort.SortBrandsByName, cohort.SortBrandsByID),
	}
	intFilters(table, "id", func(q *brandQuery) *cohort.IntRange { return &q.IDRange })
	selectionFilters(table, brandMembers, func(q *brandQuery) *fieldSelection { return &q.fields })
	return table
}()

// brandDeletionFilters has the filters of the deletion of brands.
var brandDeletionFilters = filters[brandQuery]{
	"id:in":      brandFilters["id:in"],
	"name":       brandFilters["name"],
	"page_title": brandFilters["page_title"],
}

func (h *handler) listBrands(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, brandFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Brand]) (int64, error) {
		return h.svc.ReadBrands(ctx, r.Store.Key, query.BrandFilter, query.order, p, to)
	}
	members := selected(query.fields, brandMembers)
	toWire := func(b cohort.Brand) object[cohort.Brand] { return object[cohort.Brand]{members, b} }
	return writeCollection(w, r, page, read, toWire, query.order.Key)
}

func (h *handler) createBrand(w http.ResponseWriter, r *api.Request) error {
	u, err := decodeBody(r, brandFields, "name")
	if err != nil {
		return err
	}
	b, err := h.svc.CreateBrand(r.Context(), r.Store.Key, u.Apply(cohort.Brand{}))
	if err != nil {
		return err
	}
	return writeBrand(w, b, fieldSelection{})
}

func writeBrand(w http.ResponseWriter, b cohort.Brand, fields fieldSelection) error {
	return writeSingle(w, object[cohort.Brand]{selected(fields, brandMembers), b})
}

func (h *handler) deleteBrands(w http.ResponseWriter, r *api.Request) error {
	query, err := decodeDeletion(r, brandDeletionFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteBrands(r.Context(), r.Store.Key, query.BrandFilter); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) getBrand(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("brand_id")
	if err != nil {
		return err
	}
	fields, err := readSelection(r, brandMembers)
	if err != nil {
		return err
	}
	b, err := h.svc.Brand(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeBrand(w, b, fields)
}

func (h *handler) updateBrand(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("brand_id")
	if err != nil {
		return err
	}
	u, err := decodeBody(r, brandFields)
	if err != nil {
		return err
	}
	b, err := h.svc.UpdateBrand(r.Context(), r.Store.Key, id, u)
	if err != nil {
		return err
	}
	return writeBrand(w, b, fieldSelection{})
}

func (h *handler) deleteBrand(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("brand_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteBrand(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	return noContent(w)
}
