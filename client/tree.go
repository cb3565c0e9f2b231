package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

const (
	// maxTreesInCall is how many trees of categories one request writes.
	maxTreesInCall = 50
	// maxTreeCategoriesInCall is how many categories of trees one request writes.
	maxTreeCategoriesInCall = 50
)

// CategoryNode is a category in a tree, with those below it.
type CategoryNode struct {
	ID int64 `json:"id"`
	// ParentID is 0 for a category at the top.
	ParentID int64 `json:"parent_id"`
	// Depth is 0 at the top, and Path has the ids from the top down to the category. Only
	// [CategoryTreeService.Categories] returns them.
	Depth     int64          `json:"depth"`
	Path      []int64        `json:"path"`
	Name      string         `json:"name"`
	IsVisible bool           `json:"is_visible"`
	URL       string         `json:"url"`
	Children  []CategoryNode `json:"children"`
}

// CategoryTree is a tree of categories. A channel has one tree.
type CategoryTree struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	ChannelIDs []int64 `json:"channels"` // one, or none if it was deleted
}

// CategoryTreePut is a tree to change, by its ID, or a new one, which needs a name and a
// channel.
type CategoryTreePut struct {
	ID         int64        `json:"id,omitempty"`
	Name       Opt[string]  `json:"name,omitzero"` // 1 to 255 characters
	ChannelIDs Opt[[]int64] `json:"channels,omitzero"`
}

// CategoryTreeFilter selects trees. All fields that are set must match. An empty list does not
// filter.
type CategoryTreeFilter struct {
	IDs        []int64 `query:"id:in"`
	ChannelIDs []int64 `query:"channel_id:in"`
}

// CategoryTreeService has the operations on trees of categories, of V3.
type CategoryTreeService struct{ service }

const treesPath = catalogPath + "/trees"

// List returns a page of trees.
func (s *CategoryTreeService) List(ctx context.Context, f CategoryTreeFilter, p Page) ([]CategoryTree, error) {
	return pageOf[CategoryTree](ctx, s.c, treesPath, f, p)
}

// All yields all trees that match. Pages are read by number.
func (s *CategoryTreeService) All(ctx context.Context, f CategoryTreeFilter) iter.Seq2[CategoryTree, error] {
	return allOf(ctx, s.c, treesPath, f, func(t CategoryTree) int64 { return t.ID })
}

// Categories returns the categories at the top of a tree, each with those below it.
func (s *CategoryTreeService) Categories(ctx context.Context, tree int64) ([]CategoryNode, error) {
	path := fmt.Sprintf("%s/%d/categories", treesPath, tree)
	return getData[[]CategoryNode](ctx, s.c, request{method: http.MethodGet, path: path, gate: gateCategoriesOfTree})
}

// Put changes or creates 1 to 50 trees: all of them, or none with a [*BatchError].
func (s *CategoryTreeService) Put(ctx context.Context, trees []CategoryTreePut) ([]CategoryTree, error) {
	r := request{method: http.MethodPut, path: treesPath, body: trees}
	return writeWhole[CategoryTree](ctx, s.c, r, len(trees), maxTreesInCall)
}

// Delete deletes the trees with the ids and their categories, 50 in a request. Ids without a
// tree are skipped. Without ids it sends nothing.
func (s *CategoryTreeService) Delete(ctx context.Context, ids ...int64) error {
	return deleteIDs(ctx, s.c, treesPath, ids)
}

// TreeCategoryURL is the path of the page of a category.
type TreeCategoryURL struct {
	Path string `json:"path"`
	// IsCustomized is false if the path is made from the name.
	IsCustomized Opt[bool] `json:"is_customized,omitzero"`
}

// TreeCategory is a [Category] with its tree. The id is the same.
type TreeCategory struct {
	ID   int64  `json:"category_id"`
	UUID string `json:"category_uuid"`
	// ParentID is 0 for a category at the top.
	ParentID           int64           `json:"parent_id"`
	TreeID             int64           `json:"tree_id"`
	Name               string          `json:"name"`
	Description        string          `json:"description"` // HTML
	Views              int64           `json:"views"`
	SortOrder          int64           `json:"sort_order"`
	PageTitle          string          `json:"page_title"`
	MetaKeywords       []string        `json:"meta_keywords"`
	MetaDescription    string          `json:"meta_description"`
	LayoutFile         string          `json:"layout_file"`
	ImageURL           string          `json:"image_url"`
	IsVisible          bool            `json:"is_visible"`
	SearchKeywords     string          `json:"search_keywords"`
	DefaultProductSort string          `json:"default_product_sort"` // as in Category
	URL                TreeCategoryURL `json:"url,omitzero"`
}

// TreeCategoryUpdate has the fields of a category to set. A new category needs Name, and
// TreeID or ParentID. A new TreeID moves a category with those below it.
type TreeCategoryUpdate struct {
	// ParentID is 0 for a category at the top.
	ParentID           Opt[int64]           `json:"parent_id,omitzero"`
	TreeID             Opt[int64]           `json:"tree_id,omitzero"`
	Name               Opt[string]          `json:"name,omitzero"` // 1 to 50 characters
	Description        Opt[string]          `json:"description,omitzero"`
	Views              Opt[int64]           `json:"views,omitzero"`
	SortOrder          Opt[int64]           `json:"sort_order,omitzero"`
	PageTitle          Opt[string]          `json:"page_title,omitzero"`
	MetaKeywords       Opt[[]string]        `json:"meta_keywords,omitzero"`
	MetaDescription    Opt[string]          `json:"meta_description,omitzero"`
	LayoutFile         Opt[string]          `json:"layout_file,omitzero"`
	ImageURL           Opt[string]          `json:"image_url,omitzero"`
	IsVisible          Opt[bool]            `json:"is_visible,omitzero"`
	SearchKeywords     Opt[string]          `json:"search_keywords,omitzero"`
	DefaultProductSort Opt[string]          `json:"default_product_sort,omitzero"`
	URL                Opt[TreeCategoryURL] `json:"url,omitzero"`
}

// TreeCategoryChange has the fields of a category to set, in a batch.
type TreeCategoryChange struct {
	ID int64 `json:"category_id"`
	TreeCategoryUpdate
}

// TreeCategoryFilter selects categories. All fields that are set must match. An empty list does
// not filter.
type TreeCategoryFilter struct {
	UUIDs         []string    `query:"category_uuid:in"`
	NotUUIDs      []string    `query:"category_uuid:not_in"`
	IDs           []int64     `query:"category_id:in"`
	NotIDs        []int64     `query:"category_id:not_in"`
	TreeIDs       []int64     `query:"tree_id:in"`
	NotTreeIDs    []int64     `query:"tree_id:not_in"`
	ParentIDs     []int64     `query:"parent_id:in"`
	NotParentIDs  []int64     `query:"parent_id:not_in"`
	Name          Opt[string] `query:"name"`
	NameLike      string      `query:"name:like"`
	PageTitle     Opt[string] `query:"page_title"`
	PageTitleLike string      `query:"page_title:like"`
	Keyword       string      `query:"keyword"` // in the name or the page title
	IsVisible     Opt[bool]   `query:"is_visible"`
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// TreeCategoryDeletion selects categories to delete. It must not be empty.
type TreeCategoryDeletion struct {
	UUIDs     []string `query:"category_uuid:in"`
	IDs       []int64  `query:"category_id:in"`
	TreeIDs   []int64  `query:"tree_id:in"`
	ParentIDs []int64  `query:"parent_id:in"`
}

// TreeCategoryService has the operations on the categories of all trees in batches, of V3.
// They are those of [CategoryService]. What is an [ErrConflict] there is an [ErrInvalid] here.
type TreeCategoryService struct{ service }

const treeCategoriesPath = treesPath + "/categories"

// List returns a page of categories in the order of their ids.
func (s *TreeCategoryService) List(ctx context.Context, f TreeCategoryFilter, p Page) ([]TreeCategory, error) {
	return pageOf[TreeCategory](ctx, s.c, treeCategoriesPath, f, p)
}

// All yields all categories that match. Pages are read by number.
func (s *TreeCategoryService) All(ctx context.Context, f TreeCategoryFilter) iter.Seq2[TreeCategory, error] {
	return allOf(ctx, s.c, treeCategoriesPath, f, func(c TreeCategory) int64 { return c.ID })
}

// Create creates 1 to 50 categories: all of them, or none with a [*BatchError]. The vendor's
// service may create a part of them. Those are then returned beside an [ErrResponse].
func (s *TreeCategoryService) Create(ctx context.Context, categories []TreeCategoryUpdate) ([]TreeCategory, error) {
	r := request{method: http.MethodPost, path: treeCategoriesPath, body: categories, creates: true}
	return writeWhole[TreeCategory](ctx, s.c, r, len(categories), maxTreeCategoriesInCall)
}

// CreateAll creates any number of categories, fifty in a request, and yields the outcome of
// each.
func (s *TreeCategoryService) CreateAll(ctx context.Context, categories []TreeCategoryUpdate) iter.Seq[Result[TreeCategory]] {
	return inBatches(ctx, categories, maxTreeCategoriesInCall, s.Create)
}

// Update changes 1 to 50 categories: all of them, or none with a [*BatchError]. The vendor's
// service may change a part of them, which is an [ErrResponse].
func (s *TreeCategoryService) Update(ctx context.Context, categories []TreeCategoryChange) error {
	if len(categories) < 1 || len(categories) > maxTreeCategoriesInCall {
		return argument("PUT %s takes 1 to %d items, not %d", treeCategoriesPath, maxTreeCategoriesInCall, len(categories))
	}
	counts, err := get[struct {
		Meta struct {
			Failed int `json:"failed"`
		} `json:"meta"`
	}](ctx, s.c, request{method: http.MethodPut, path: treeCategoriesPath, body: categories})
	if err != nil {
		return batchError(err, len(categories))
	}
	if counts.Meta.Failed != 0 {
		return fmt.Errorf("client: PUT %s: %w: %d of %d items failed", treeCategoriesPath, ErrResponse, counts.Meta.Failed, len(categories))
	}
	return nil
}

// DeleteMany deletes the categories that match. An empty filter is an [ErrArgument]. For
// Cohort, a category with subcategories that do not match is an [ErrInvalid], and nothing is
// deleted.
func (s *TreeCategoryService) DeleteMany(ctx context.Context, d TreeCategoryDeletion) error {
	q, err := deletionQuery(d)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: treeCategoriesPath, query: q})
}
