package apiv3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) categoryTreeRoutes() []api.Route {
	const path = "/catalog/trees"
	return []api.Route{
		{Operation: "listCategoryTrees", Method: "GET", Path: path, Scope: read, Handle: h.listCategoryTrees},
		{Operation: "putCategoryTrees", Method: "PUT", Path: path, Scope: modify, Handle: h.putCategoryTrees},
		{Operation: "deleteCategoryTrees", Method: "DELETE", Path: path, Scope: modify, Handle: h.deleteCategoryTrees},
		// The concurrency limit is in the vendor's reference.
		{Operation: "getCategoriesOfTree", Method: "GET", Path: path + "/{tree_id}/categories", Scope: read, Concurrency: 1, Handle: h.getCategoriesOfTree},
	}
}

// categoryTreeFields has the fields of a tree in a body.
var categoryTreeFields = api.Fields[cohort.CategoryTreeUpdate]{
	"id":       api.Plain(func(u *cohort.CategoryTreeUpdate) *int64 { return &u.ID }, texts.ReadID),
	"name":     api.Optional(func(u *cohort.CategoryTreeUpdate) **string { return &u.Name }, readText),
	"channels": api.Optional(func(u *cohort.CategoryTreeUpdate) **[]int64 { return &u.Channels }, readIDs),
}

// categoryTreeWire is a tree in responses.
type categoryTreeWire struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Channels []int64 `json:"channels"`
}

func categoryTreeToWire(t cohort.CategoryTree) categoryTreeWire {
	return categoryTreeWire{t.ID, t.Name, t.Channels()}
}

func categoryTreeKey(t cohort.CategoryTree) string { return strconv.FormatInt(t.ID, 10) }

var categoryTreeFilters = filters[cohort.CategoryTreeFilter]{
	"id:in":         idFilter(func(f *cohort.CategoryTreeFilter) *[]int64 { return &f.IDs }),
	"channel_id:in": idFilter(func(f *cohort.CategoryTreeFilter) *[]int64 { return &f.ChannelIDs }),
}

// batchMeta is the meta of the response to a batch that was done.
func batchMeta(items int64) batchCountWire {
	return batchCountWire{Total: int(items), Success: int(items)}
}

// countedWire is a response with resources and the counts of their batch.
type countedWire[W any] struct {
	Data []W            `json:"data"`
	Meta batchCountWire `json:"meta"`
}

func (h *handler) listCategoryTrees(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, categoryTreeFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.CategoryTree]) (int64, error) {
		return h.svc.ReadCategoryTrees(ctx, r.Store.Key, filter, p, to)
	}
	return writeNumberList(w, r, page, read, categoryTreeToWire, categoryTreeKey)
}

func (h *handler) putCategoryTrees(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeTrees(r)
	if err != nil {
		return err
	}
	trees, err := h.svc.PutCategoryTrees(r.Context(), r.Store.Key, updates)
	if err != nil {
		return invalidConflict(err)
	}
	return api.WriteJSON(w, http.StatusOK, countedWire[categoryTreeWire]{allToWire(trees, categoryTreeToWire), batchMeta(int64(len(trees)))})
}

// decodeTrees decodes a batch of trees. The response to one that is too large is the
// vendor's.
func decodeTrees(r *api.Request) ([]cohort.CategoryTreeUpdate, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	if values, ok := v.Array(); ok && len(values) > cohort.MaxCategoryTreesWritten {
		return nil, &api.HTTPError{
			Status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The request payload is too large. The maximum trees allowed in the array is %d.", cohort.MaxCategoryTreesWritten),
		}
	}
	values, err := batchValues(v, cohort.MaxCategoryTreesWritten)
	if err != nil {
		return nil, err
	}
	return decodeArray(values, categoryTreeFields)
}

// invalidConflict gives a conflict the status 422. The vendor's reference has no 409 for
// trees.
func invalidConflict(err error) error {
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || cohort.KindOf(err) != cohort.KindConflict {
		return err
	}
	body := described(http.StatusUnprocessableEntity, titleInvalid, err, e)
	body.Type = api.StatusType
	return &customError{status: http.StatusUnprocessableEntity, err: err, body: body}
}

func (h *handler) deleteCategoryTrees(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, filters[cohort.CategoryTreeFilter]{"id:in": categoryTreeFilters["id:in"]})
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCategoryTrees(r.Context(), r.Store.Key, filter.IDs); err != nil {
		return err
	}
	return noContent(w)
}

// nodeWire is a category in its tree, with its descendants.
type nodeWire struct {
	ID        int64      `json:"id"`
	ParentID  int64      `json:"parent_id"` // 0: top level
	Depth     int64      `json:"depth"`     // 0: top level
	Path      []int64    `json:"path"`      // the ids from the top down, its own among them
	Name      string     `json:"name"`
	IsVisible bool       `json:"is_visible"`
	Children  []nodeWire `json:"children"`
	URL       string     `json:"url"`
}

func (h *handler) getCategoriesOfTree(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("tree_id")
	if err != nil {
		return err
	}
	most, err := readDepth(r)
	if err != nil {
		return err
	}
	list, err := h.svc.CategoriesOfTree(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	below := map[int64][]cohort.CategoryNode{}
	for _, c := range list {
		below[c.ParentID] = append(below[c.ParentID], c)
	}
	return writeSingle(w, nodes(below, 0, most, nil))
}

// readDepth reads the parameter "depth", and ignores the others, as every operation that
// is not a list. Without it the result is the deepest level that a tree can have.
func readDepth(r *api.Request) (int64, error) {
	params, err := r.ParseQuery()
	if err != nil {
		return 0, err
	}
	most := int64(cohort.MaxCategoryDepth)
	for _, p := range params {
		if p.Name != "depth" {
			r.Unread.IgnoreParam(p.Name)
			continue
		}
		if most, err = readInteger(p.Value); err != nil || most < 0 {
			return 0, located("depth", cohort.Invalid("", "The value must be a whole number from 0."))
		}
	}
	return most, nil
}

// nodes returns the descendants of a category down to a depth, recursively. path is that
// of the category.
func nodes(below map[int64][]cohort.CategoryNode, parentID, most int64, path []int64) []nodeWire {
	depth := int64(len(path))
	if depth > most {
		return []nodeWire{}
	}
	wires := make([]nodeWire, len(below[parentID]))
	for i, c := range below[parentID] {
		own := slices.Concat(path, []int64{c.ID})
		wires[i] = nodeWire{c.ID, c.ParentID, depth, own, c.Name, c.IsVisible, nodes(below, c.ID, most, own), cmp.Or(c.URL, NamedPath(c.Name))}
	}
	return wires
}
