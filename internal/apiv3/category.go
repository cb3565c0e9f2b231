package apiv3

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"

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
var categoryFields = addDetails(api.Fields[cohort.CategoryUpdate]{
	"id":        nil,
	"parent_id": api.Optional(func(u *cohort.CategoryUpdate) **int64 { return &u.ParentID }, texts.ReadIDOrNone),
	"name":      api.Optional(func(u *cohort.CategoryUpdate) **string { return &u.Name }, readText),
}, cohort.CategoryDetails, func(u *cohort.CategoryUpdate) *cohort.Details { return &u.Details })

// categoryMembers has the members of a category in the order of responses.
var categoryMembers = append(
	[]member[cohort.Category]{
		valueMember("id", func(c *cohort.Category) int64 { return c.ID }),
		valueMember("parent_id", func(c *cohort.Category) int64 { return c.ParentID }), // 0: top level
		valueMember("name", func(c *cohort.Category) string { return c.Name }),
	},
	detailMembers(cohort.CategoryDetails, func(c *cohort.Category) cohort.Details { return c.Details }, map[string]func(*cohort.Category) json.RawMessage{
		"custom_url": func(c *cohort.Category) json.RawMessage { return defaultURL(NamedPath(c.Name)) },
	})...)

// categoryQuery has the parameters of a list of categories.
type categoryQuery struct {
	cohort.CategoryFilter
	order  cohort.CategoryOrder
	fields fieldSelection
}

// categoryFilters has the filters of a deletion, which are those of a list.
var categoryFilters = func() filters[categoryQuery] {
	table := filters[categoryQuery]{
		"id":           idFilter(func(q *categoryQuery) *[]int64 { return &q.IDs }),
		"id:in":        idFilter(func(q *categoryQuery) *[]int64 { return &q.IDs }),
		"id:not_in":    idFilter(func(q *categoryQuery) *[]int64 { return &q.NotIDs }),
		"parent_id":    idFilter(func(q *categoryQuery) *[]int64 { return &q.ParentIDs }),
		"parent_id:in": idFilter(func(q *categoryQuery) *[]int64 { return &q.ParentIDs }),
	}
	categoryTextFilters(table, func(q *categoryQuery) *cohort.CategoryFilter { return &q.CategoryFilter })
	intFilters(table, "id", func(q *categoryQuery) *cohort.IntRange { return &q.IDRange })
	intFilters(table, "parent_id", func(q *categoryQuery) *cohort.IntRange { return &q.ParentIDRange })
	return table
}()

// categoryTextFilters adds the filters by which both APIs of categories look into them.
func categoryTextFilters[Q any](table filters[Q], at func(*Q) *cohort.CategoryFilter) {
	table["name"] = api.TextFilter(func(q *Q) **string { return &at(q).Name })
	table["name:like"] = partFilter(func(q *Q) *string { return &at(q).NameLike })
	table["page_title"] = api.TextFilter(func(q *Q) **string { return &at(q).PageTitle })
	table["page_title:like"] = partFilter(func(q *Q) *string { return &at(q).PageTitleLike })
	table["keyword"] = partFilter(func(q *Q) *string { return &at(q).Keyword })
	table["is_visible"] = flagFilter(func(q *Q) **bool { return &at(q).IsVisible })
}

// categoryParameters has the filters and the parameters that change the response.
var categoryParameters = func() filters[categoryQuery] {
	table := maps.Clone(categoryFilters)
	table["sort"] = sortFilter(func(q *categoryQuery) *cohort.CategorySort { return &q.order.By },
		cohort.SortCategoriesByName, cohort.SortCategoriesByID, cohort.SortCategoriesByParent, cohort.SortCategoriesByOrder)
	table["direction"] = directionFilter(func(q *categoryQuery) *bool { return &q.order.Descending })
	selectionFilters(table, categoryMembers, func(q *categoryQuery) *fieldSelection { return &q.fields })
	return table
}()

func writeCategory(w http.ResponseWriter, c cohort.Category, fields fieldSelection) error {
	return writeSingle(w, object[cohort.Category]{selected(fields, categoryMembers), c})
}

func (h *handler) listCategories(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, categoryParameters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Category]) (int64, error) {
		return h.svc.ReadCategories(ctx, r.Store.Key, query.CategoryFilter, query.order, p, to)
	}
	members := selected(query.fields, categoryMembers)
	toWire := func(c cohort.Category) object[cohort.Category] { return object[cohort.Category]{members, c} }
	return writeCollection(w, r, page, read, toWire, query.order.Key)
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
	return writeCategory(w, c, fieldSelection{})
}

func (h *handler) deleteCategories(w http.ResponseWriter, r *api.Request) error {
	query, err := decodeDeletion(r, categoryFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCategories(r.Context(), r.Store.Key, query.CategoryFilter); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) getCategory(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("category_id")
	if err != nil {
		return err
	}
	fields, err := readSelection(r, categoryMembers)
	if err != nil {
		return err
	}
	c, err := h.svc.Category(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeCategory(w, c, fields)
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
	return writeCategory(w, c, fieldSelection{})
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
	ID        int64        `json:"id"`
	ParentID  int64        `json:"parent_id"` // 0: top level
	Name      string       `json:"name"`
	IsVisible bool         `json:"is_visible"`
	URL       string       `json:"url"`
	Children  []branchWire `json:"children"`
}

func (h *handler) getCategoryTree(w http.ResponseWriter, r *api.Request) error {
	list, err := h.svc.AllCategories(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	below := map[int64][]cohort.CategoryNode{}
	for _, c := range list {
		below[c.ParentID] = append(below[c.ParentID], c)
	}
	return writeSingle(w, branches(below, 0))
}

// branches returns the descendants of a category, recursively. Categories whose
// parent does not exist are not in the tree.
func branches(below map[int64][]cohort.CategoryNode, parentID int64) []branchWire {
	wires := make([]branchWire, len(below[parentID]))
	for i, c := range below[parentID] {
		wires[i] = branchWire{c.ID, c.ParentID, c.Name, c.IsVisible, cmp.Or(c.URL, NamedPath(c.Name)), branches(below, c.ID)}
	}
	return wires
}
