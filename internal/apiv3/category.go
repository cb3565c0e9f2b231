package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) categoryRoutes() []api.Route {
	return []api.Route{
		{Operation: "listCategories", Method: "GET", Path: "/catalog/categories", Scope: read, Handle: h.listCategories},
		{Operation: "createCategory", Method: "POST", Path: "/catalog/categories", Scope: modify, Handle: h.createCategory},
		{Operation: "deleteCategories", Method: "DELETE", Path: "/catalog/categories", Scope: modify, Handle: h.deleteCategories},
		{Operation: "getCategoryTree", Method: "GET", Path: "/catalog/categories/tree", Scope: read, Handle: h.getCategoryTree},
		{Operation: "getCategory", Method: "GET", Path: "/catalog/categories/{category_id}", Scope: read, Handle: h.getCategory},
		{Operation: "updateCategory", Method: "PUT", Path: "/catalog/categories/{category_id}", Scope: modify, Handle: h.updateCategory},
		{Operation: "deleteCategory", Method: "DELETE", Path: "/catalog/categories/{category_id}", Scope: modify, Handle: h.deleteCategory},
	}
}

// categoryFields has the fields of a body of a category.
var categoryFields = api.Fields[cohort.CategoryUpdate]{
	"id":        nil,
	"parent_id": api.Optional(func(u *cohort.CategoryUpdate) **int64 { return &u.ParentID }, texts.ReadIDOrNone),
	"name":      api.Optional(func(u *cohort.CategoryUpdate) **string { return &u.Name }, readText),
}

var categoryFilters = filters[cohort.CategoryFilter]{
	"id":           idFilter(func(f *cohort.CategoryFilter) *[]int64 { return &f.IDs }),
	"id:in":        idFilter(func(f *cohort.CategoryFilter) *[]int64 { return &f.IDs }),
	"parent_id":    idFilter(func(f *cohort.CategoryFilter) *[]int64 { return &f.ParentIDs }),
	"parent_id:in": idFilter(func(f *cohort.CategoryFilter) *[]int64 { return &f.ParentIDs }),
	"name":         api.TextFilter(func(f *cohort.CategoryFilter) **string { return &f.Name }),
	"name:like":    partFilter(func(f *cohort.CategoryFilter) *string { return &f.NameLike }),
}

// categoryWire is a category in responses.
type categoryWire struct {
	ID       int64  `json:"id"`
	ParentID int64  `json:"parent_id"` // 0: top level
	Name     string `json:"name"`
}

func categoryToWire(c cohort.Category) categoryWire {
	return categoryWire{ID: c.ID, ParentID: c.ParentID, Name: c.Name}
}

func (h *handler) listCategories(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, categoryFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Category]) (int64, error) {
		return h.svc.ReadCategories(ctx, r.Store.Key, filter, p, to)
	}
	return writeCollection(w, r, page, read, categoryToWire, func(c cohort.Category) string { return strconv.FormatInt(c.ID, 10) })
}

func (h *handler) createCategory(w http.ResponseWriter, r *api.Request) error {
	u, err := decodeBody(r, categoryFields, "name", "parent_id")
	if err != nil {
		return err
	}
	c, err := h.svc.CreateCategory(r.Context(), r.Store.Key, u.Apply(cohort.Category{}))
	if err != nil {
		return err
	}
	return writeSingle(w, categoryToWire(c))
}

func (h *handler) deleteCategories(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, categoryFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCategories(r.Context(), r.Store.Key, filter); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) getCategory(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	c, err := h.svc.Category(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeSingle(w, categoryToWire(c))
}

func (h *handler) updateCategory(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	u, err := decodeBody(r, categoryFields)
	if err != nil {
		return err
	}
	c, err := h.svc.UpdateCategory(r.Context(), r.Store.Key, id, u)
	if err != nil {
		return err
	}
	return writeSingle(w, categoryToWire(c))
}

func (h *handler) deleteCategory(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCategory(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	return noContent(w)
}

// branchWire is a category in the tree, with its descendants.
type branchWire struct {
	categoryWire
	Children []branchWire `json:"children"`
}

func (h *handler) getCategoryTree(w http.ResponseWriter, r *api.Request) error {
	list, err := h.svc.AllCategories(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	below := map[int64][]cohort.Category{}
	for _, c := range list {
		below[c.ParentID] = append(below[c.ParentID], c)
	}
	return writeSingle(w, branches(below, 0))
}

// branches returns the descendants of a category, recursively. Categories whose
// parent does not exist are not in the tree.
func branches(below map[int64][]cohort.Category, parentID int64) []branchWire {
	wires := make([]branchWire, len(below[parentID]))
	for i, c := range below[parentID] {
		wires[i] = branchWire{categoryToWire(c), branches(below, c.ID)}
	}
	return wires
}
