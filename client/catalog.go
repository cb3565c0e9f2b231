package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

const catalogPath = "/v3/catalog"

// CatalogURL is the path of a page of a storefront.
type CatalogURL struct {
	URL string `json:"url"`
	// IsCustomized is false if the path is made from the name.
	IsCustomized Opt[bool] `json:"is_customized,omitzero"`
	// CreateRedirect is only of products.
	CreateRedirect Opt[bool] `json:"create_redirect,omitzero"`
}

// Category is a category of products.
type Category struct {
	ID int64 `json:"id"`
	// ParentID is 0 for a category at the top.
	ParentID        int64    `json:"parent_id"`
	Name            string   `json:"name"`
	Description     string   `json:"description"` // HTML
	Views           int64    `json:"views"`
	SortOrder       int64    `json:"sort_order"`
	PageTitle       string   `json:"page_title"`
	MetaKeywords    []string `json:"meta_keywords"`
	MetaDescription string   `json:"meta_description"`
	LayoutFile      string   `json:"layout_file"`
	ImageURL        string   `json:"image_url"`
	IsVisible       bool     `json:"is_visible"`
	SearchKeywords  string   `json:"search_keywords"`
	// DefaultProductSort is "use_store_settings", "featured", "newest", "best_selling",
	// "alpha_asc", "alpha_desc", "avg_customer_review", "price_asc" or "price_desc".
	DefaultProductSort string     `json:"default_product_sort"`
	CustomURL          CatalogURL `json:"custom_url,omitzero"`
}

// CategoryUpdate has the fields of a category to set. A new category needs ParentID and Name.
type CategoryUpdate struct {
	// ParentID is 0 for a category at the top.
	ParentID           Opt[int64]      `json:"parent_id,omitzero"`
	Name               Opt[string]     `json:"name,omitzero"` // 1 to 50 characters
	Description        Opt[string]     `json:"description,omitzero"`
	Views              Opt[int64]      `json:"views,omitzero"`
	SortOrder          Opt[int64]      `json:"sort_order,omitzero"`
	PageTitle          Opt[string]     `json:"page_title,omitzero"`
	MetaKeywords       Opt[[]string]   `json:"meta_keywords,omitzero"`
	MetaDescription    Opt[string]     `json:"meta_description,omitzero"`
	LayoutFile         Opt[string]     `json:"layout_file,omitzero"`
	ImageURL           Opt[string]     `json:"image_url,omitzero"`
	IsVisible          Opt[bool]       `json:"is_visible,omitzero"`
	SearchKeywords     Opt[string]     `json:"search_keywords,omitzero"`
	DefaultProductSort Opt[string]     `json:"default_product_sort,omitzero"`
	CustomURL          Opt[CatalogURL] `json:"custom_url,omitzero"`
}

// CategoryFilter selects categories. All fields that are set must match. An empty list does
// not filter.
type CategoryFilter struct {
	IDs           []int64     `query:"id:in"`
	NotIDs        []int64     `query:"id:not_in"`
	IDRange       IntRange    `query:"id"`
	ParentID      Opt[int64]  `query:"parent_id"`
	ParentIDs     []int64     `query:"parent_id:in"`
	ParentIDRange IntRange    `query:"parent_id"`
	Name          Opt[string] `query:"name"`
	NameLike      string      `query:"name:like"`
	PageTitle     Opt[string] `query:"page_title"`
	PageTitleLike string      `query:"page_title:like"`
	Keyword       string      `query:"keyword"` // in the name or the page title
	IsVisible     Opt[bool]   `query:"is_visible"`

	// The fields below are for lists. With one of them a deletion is an [ErrArgument].

	// Sort is "id", "name", "parent_id" or "sort_order"; "" is by id.
	Sort string `query:"sort"`
	// Direction is "asc" or "desc"; "" is ascending.
	Direction string `query:"direction"`
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// CategoryService has the operations on categories, of V3.
type CategoryService struct{ service }

const categoriesPath = catalogPath + "/categories"

func categoryPath(id int64) string { return fmt.Sprintf("%s/%d", categoriesPath, id) }

// List returns a page of categories.
func (s *CategoryService) List(ctx context.Context, f CategoryFilter, p Page) ([]Category, error) {
	return pageOf[Category](ctx, s.c, categoriesPath, f, p)
}

// All yields all categories that match. Pages are read by cursor.
func (s *CategoryService) All(ctx context.Context, f CategoryFilter) iter.Seq2[Category, error] {
	return allOf(ctx, s.c, categoriesPath, f, func(c Category) int64 { return c.ID })
}

// Get returns a category.
func (s *CategoryService) Get(ctx context.Context, id int64) (Category, error) {
	return getData[Category](ctx, s.c, request{method: http.MethodGet, path: categoryPath(id)})
}

// Create creates a category. The name of another one below the same parent is an
// [ErrConflict].
func (s *CategoryService) Create(ctx context.Context, u CategoryUpdate) (Category, error) {
	return getData[Category](ctx, s.c, request{method: http.MethodPost, path: categoriesPath, body: u, creates: true})
}

// Update changes a category and returns it.
func (s *CategoryService) Update(ctx context.Context, id int64, u CategoryUpdate) (Category, error) {
	return getData[Category](ctx, s.c, request{method: http.MethodPut, path: categoryPath(id), body: u})
}

// Delete deletes a category. Cohort removes it from its products, and a category with
// subcategories is an [ErrConflict] there.
func (s *CategoryService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: categoryPath(id)})
}

// DeleteMany deletes the categories that match. An empty filter is an [ErrArgument]. For
// Cohort, a category with subcategories that do not match is an [ErrConflict], and nothing is
// deleted.
func (s *CategoryService) DeleteMany(ctx context.Context, f CategoryFilter) error {
	q, err := deletionQuery(f)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: categoriesPath, query: q})
}

// Brand is the maker of products.
type Brand struct {
	ID              int64      `json:"id"`
	Name            string     `json:"name"`
	PageTitle       string     `json:"page_title"`
	MetaKeywords    []string   `json:"meta_keywords"`
	MetaDescription string     `json:"meta_description"`
	ImageURL        string     `json:"image_url"`
	SearchKeywords  string     `json:"search_keywords"`
	CustomURL       CatalogURL `json:"custom_url,omitzero"`
}

// BrandUpdate has the fields of a brand to set. A new brand needs a name.
type BrandUpdate struct {
	Name            Opt[string]     `json:"name,omitzero"` // 1 to 255 characters
	PageTitle       Opt[string]     `json:"page_title,omitzero"`
	MetaKeywords    Opt[[]string]   `json:"meta_keywords,omitzero"`
	MetaDescription Opt[string]     `json:"meta_description,omitzero"`
	ImageURL        Opt[string]     `json:"image_url,omitzero"`
	SearchKeywords  Opt[string]     `json:"search_keywords,omitzero"`
	CustomURL       Opt[CatalogURL] `json:"custom_url,omitzero"`
}

// BrandFilter selects brands. All fields that are set must match. An empty list does not
// filter.
type BrandFilter struct {
	IDs       []int64     `query:"id:in"`
	NotIDs    []int64     `query:"id:not_in"`
	IDRange   IntRange    `query:"id"`
	Name      Opt[string] `query:"name"`
	NameLike  string      `query:"name:like"`
	PageTitle Opt[string] `query:"page_title"`
	// Sort is "id" or "name"; "" is by id.
	Sort string `query:"sort"`
	// Direction is "asc" or "desc"; "" is ascending.
	Direction string `query:"direction"`
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// BrandDeletion selects brands to delete. It must not be empty.
type BrandDeletion struct {
	IDs       []int64     `query:"id:in"`
	Name      Opt[string] `query:"name"`
	PageTitle Opt[string] `query:"page_title"`
}

// BrandService has the operations on brands, of V3.
type BrandService struct{ service }

const brandsPath = catalogPath + "/brands"

func brandPath(id int64) string { return fmt.Sprintf("%s/%d", brandsPath, id) }

// List returns a page of brands.
func (s *BrandService) List(ctx context.Context, f BrandFilter, p Page) ([]Brand, error) {
	return pageOf[Brand](ctx, s.c, brandsPath, f, p)
}

// All yields all brands that match. Pages are read by cursor.
func (s *BrandService) All(ctx context.Context, f BrandFilter) iter.Seq2[Brand, error] {
	return allOf(ctx, s.c, brandsPath, f, func(b Brand) int64 { return b.ID })
}

// Get returns a brand.
func (s *BrandService) Get(ctx context.Context, id int64) (Brand, error) {
	return getData[Brand](ctx, s.c, request{method: http.MethodGet, path: brandPath(id)})
}

// Create creates a brand. The name of another one is an [ErrConflict].
func (s *BrandService) Create(ctx context.Context, u BrandUpdate) (Brand, error) {
	return getData[Brand](ctx, s.c, request{method: http.MethodPost, path: brandsPath, body: u, creates: true})
}

// Update changes a brand and returns it.
func (s *BrandService) Update(ctx context.Context, id int64, u BrandUpdate) (Brand, error) {
	return getData[Brand](ctx, s.c, request{method: http.MethodPut, path: brandPath(id), body: u})
}

// Delete deletes a brand. Its products then have none.
func (s *BrandService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: brandPath(id)})
}

// DeleteMany deletes the brands that match. An empty filter is an [ErrArgument].
func (s *BrandService) DeleteMany(ctx context.Context, d BrandDeletion) error {
	q, err := deletionQuery(d)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: brandsPath, query: q})
}
