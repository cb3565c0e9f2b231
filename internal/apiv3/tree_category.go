package apiv3

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The categories of /v3/catalog/categories in batches, with their trees. Their id is called
// category_id, and custom_url is url with other names of its members.

func (h *handler) treeCategoryRoutes() []api.Route {
	const path = "/catalog/trees/categories"
	return []api.Route{
		{Operation: "listCategoriesOfTrees", Method: "GET", Path: path, Scope: read, Handle: h.listCategoriesOfTrees},
		{Operation: "createCategoriesInTrees", Method: "POST", Path: path, Scope: modify, Handle: h.createCategoriesInTrees},
		{Operation: "updateCategoriesInTrees", Method: "PUT", Path: path, Scope: modify, Handle: h.updateCategoriesInTrees},
		{Operation: "deleteCategoriesInTrees", Method: "DELETE", Path: path, Scope: modify, Handle: h.deleteCategoriesInTrees},
	}
}

// treeCategory is a category of a store in responses.
type treeCategory struct {
	cohort.Category
	store string
}

// The name of a category's URL in its details, and where the trees API differs.
const customURL, treeURL = "custom_url", "url"

// The beginnings of a URL in details and in the trees API. In its stored form the path is
// the first member.
var (
	storedURLStart = []byte(`{"url":`)
	treeURLStart   = []byte(`{"path":`)
)

// treeURLField reads the URL of a body.
var treeURLField = cohort.DetailField{Name: treeURL, Kind: cohort.DetailObject, Fields: []cohort.DetailField{
	{Name: "path", Kind: cohort.DetailText, Min: 1, Max: 255, Required: true},
	{Name: "is_customized", Kind: cohort.DetailBoolean, Default: "true"},
}}

// treeCategoryFields has the fields of a category in a body.
var treeCategoryFields = func() api.Fields[cohort.CategoryUpdate] {
	table := maps.Clone(categoryFields)
	delete(table, "id")
	delete(table, customURL)
	table["category_id"] = api.Plain(func(u *cohort.CategoryUpdate) *int64 { return &u.ID }, texts.ReadID)
	table["category_uuid"] = nil
	table["tree_id"] = api.Optional(func(u *cohort.CategoryUpdate) **int64 { return &u.TreeID }, texts.ReadID)
	table[treeURL] = func(u *cohort.CategoryUpdate, v api.Value) error {
		parsed, err := treeURLField.Parse(v.JSON())
		if err != nil {
			return err
		}
		u.Details = u.Details.Merge(cohort.Details{customURL: replaceStart(parsed, treeURLStart, storedURLStart)})
		return nil
	}
	return table
}()

// newTreeCategoryFields has the fields of a new category in a body.
var newTreeCategoryFields = func() api.Fields[cohort.CategoryUpdate] {
	table := maps.Clone(treeCategoryFields)
	table["category_id"] = nil
	return table
}()

func replaceStart(value json.RawMessage, from, to []byte) json.RawMessage {
	if rest, ok := bytes.CutPrefix(value, from); ok {
		return append(bytes.Clone(to), rest...)
	}
	return value
}

// treeCategoryMembers has the members of a category in the order of responses.
var treeCategoryMembers = append([]member[treeCategory]{
	valueMember("category_id", func(c *treeCategory) int64 { return c.ID }),
	valueMember("category_uuid", func(c *treeCategory) string { return cohort.CategoryUUID(c.store, c.ID) }),
	valueMember("parent_id", func(c *treeCategory) int64 { return c.ParentID }), // 0: top level
	valueMember("tree_id", func(c *treeCategory) int64 { return c.TreeID }),
	valueMember("name", func(c *treeCategory) string { return c.Name }),
}, treeDetailMembers()...)

func treeDetailMembers() []member[treeCategory] {
	members := detailMembers(cohort.CategoryDetails, func(c *treeCategory) cohort.Details { return c.Details }, map[string]func(*treeCategory) json.RawMessage{
		customURL: func(c *treeCategory) json.RawMessage { return defaultURL(NamedPath(c.Name)) },
	})
	for i, m := range members {
		if m.name == customURL {
			members[i] = member[treeCategory]{treeURL, func(dst []byte, c *treeCategory) ([]byte, error) {
				value, err := m.write(nil, c)
				return append(dst, replaceStart(value, storedURLStart, treeURLStart)...), err
			}}
		}
	}
	return members
}

// treeCategoryQuery has the parameters of a list of categories.
type treeCategoryQuery struct {
	cohort.CategoryFilter
	uuids, notUUIDs []string // nil: not sent
	fields          fieldSelection
}

// filter returns the filter for a store.
func (q treeCategoryQuery) filter(store string) cohort.CategoryFilter {
	f := q.CategoryFilter
	ids := func(uuids []string) []int64 {
		list := make([]int64, len(uuids))
		for i, uuid := range uuids {
			list[i] = cohort.CategoryIDOfUUID(store, uuid) // no category has the id 0
		}
		return list
	}
	if q.uuids != nil {
		narrow(&f.IDs, ids(q.uuids))
	}
	f.NotIDs = append(f.NotIDs, ids(q.notUUIDs)...)
	return f
}

// treeDeletionFilters has the filters of a deletion.
var treeDeletionFilters = filters[treeCategoryQuery]{
	"category_uuid:in": uuidFilter(func(q *treeCategoryQuery) *[]string { return &q.uuids }),
	"category_id:in":   idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.IDs }),
	"tree_id:in":       idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.TreeIDs }),
	"parent_id:in":     idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.ParentIDs }),
}

// treeCategoryFilters has the parameters of a list.
var treeCategoryFilters = func() filters[treeCategoryQuery] {
	table := maps.Clone(treeDeletionFilters)
	table["category_uuid:not_in"] = uuidFilter(func(q *treeCategoryQuery) *[]string { return &q.notUUIDs })
	table["category_id:not_in"] = idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.NotIDs })
	table["tree_id:not_in"] = idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.NotTreeIDs })
	table["parent_id:not_in"] = idFilter(func(q *treeCategoryQuery) *[]int64 { return &q.NotParentIDs })
	categoryTextFilters(table, func(q *treeCategoryQuery) *cohort.CategoryFilter { return &q.CategoryFilter })
	selectionFilters(table, treeCategoryMembers, func(q *treeCategoryQuery) *fieldSelection { return &q.fields })
	return table
}()

// uuidFilter returns the entry for a list of UUIDs, separated by commas.
func uuidFilter[F any](field func(*F) *[]string) func(*F, string) error {
	return listFilter(field, func(value string) (string, error) {
		if !cohort.IsUUID(value) {
			return "", cohort.Invalid("", "The value must be a UUID, or several with commas between them.")
		}
		return strings.ToLower(value), nil
	})
}

func (h *handler) listCategoriesOfTrees(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeNumberQuery(r, treeCategoryFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Category]) (int64, error) {
		return h.svc.ReadCategories(ctx, r.Store.Key, query.filter(r.Store.Key), cohort.CategoryOrder{}, p, to)
	}
	key := func(c cohort.Category) string { return strconv.FormatInt(c.ID, 10) }
	return writeNumberList(w, r, page, read, treeCategoriesToWire(r, query.fields), key)
}

// treeCategoriesToWire returns a function that converts categories for the response to a
// request.
func treeCategoriesToWire(r *api.Request, fields fieldSelection) func(cohort.Category) object[treeCategory] {
	members := selected(fields, treeCategoryMembers)
	return func(c cohort.Category) object[treeCategory] {
		return object[treeCategory]{members, treeCategory{c, r.Store.Key}}
	}
}

func (h *handler) createCategoriesInTrees(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeBatch(r, cohort.MaxCategoriesWritten, newTreeCategoryFields, "name")
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, u := range updates {
		if u.TreeID == nil && u.ParentID == nil {
			wrong[i] = cohort.Invalid("tree_id", "One of tree_id and parent_id is required.")
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	categories, err := h.svc.CreateCategories(r.Context(), r.Store.Key, updates)
	if err != nil {
		return invalidConflict(err)
	}
	data := allToWire(categories, treeCategoriesToWire(r, fieldSelection{}))
	return api.WriteJSON(w, http.StatusCreated, countedWire[object[treeCategory]]{data, batchMeta(int64(len(data)))})
}

// countsWire is a response with nothing but the counts of a batch.
type countsWire struct {
	Meta batchCountWire `json:"meta"`
}

func (h *handler) updateCategoriesInTrees(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeBatch(r, cohort.MaxCategoriesWritten, treeCategoryFields, "category_id")
	if err != nil {
		return err
	}
	if err := h.svc.UpdateCategories(r.Context(), r.Store.Key, updates); err != nil {
		return invalidConflict(err)
	}
	return api.WriteJSON(w, http.StatusOK, countsWire{batchMeta(int64(len(updates)))})
}

func (h *handler) deleteCategoriesInTrees(w http.ResponseWriter, r *api.Request) error {
	query, err := decodeDeletion(r, treeDeletionFilters)
	if err != nil {
		return err
	}
	n, err := h.svc.DeleteCategoriesOfTrees(r.Context(), r.Store.Key, query.filter(r.Store.Key))
	if err != nil {
		return invalidConflict(err)
	}
	return api.WriteJSON(w, http.StatusAccepted, countsWire{batchMeta(n)})
}
