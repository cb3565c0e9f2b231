package cohort

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// MaxCategoryDepth is the maximum depth of the category tree. The vendor's storefronts
// show seven levels.
const MaxCategoryDepth = 32

// MaxCategoryName is the maximum length of a category's name, in Unicode code points.
// Source: the vendor's reference.
const MaxCategoryName = 50

// Category is a node of a store's category tree.
type Category struct {
	ID       int64
	ParentID int64 // 0: a root category
	TreeID   int64 // 0 means the first tree when a category is written
	Name     string
	Details  Details
}

// CategoryDetails are the fields of a category's Details, in the order of responses. Source:
// the vendor's reference.
var CategoryDetails = []DetailField{
	{Name: "description", Kind: DetailText, Default: `""`},
	{Name: "views", Kind: DetailInteger, Max: 1_000_000_000, Default: "0"},
	sortOrder(),
	{Name: "page_title", Kind: DetailText, Max: 255, Default: `""`},
	metaKeywords,
	{Name: "meta_description", Kind: DetailText, Max: 65_535, Default: `""`},
	{Name: "layout_file", Kind: DetailText, Max: 500, Default: `"category.html"`},
	imageURL,
	{Name: "is_visible", Kind: DetailBoolean, Default: "true"},
	{Name: "search_keywords", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "default_product_sort", Kind: DetailText, Default: `"use_store_settings"`, Choices: []string{
		"use_store_settings", "featured", "newest", "best_selling", "alpha_asc", "alpha_desc", "avg_customer_review", "price_asc", "price_desc",
	}},
	customURL(255),
}

// CategoryNode is a category in a tree of categories.
type CategoryNode struct {
	ID, ParentID int64
	Name         string
	IsVisible    bool
	URL          string // "": the client has set none
}

// URL returns the URL that a client has set, or "".
func (c Category) URL() string {
	var url struct{ URL string }
	_ = json.Unmarshal(c.Details["custom_url"], &url) // it may be missing
	return url.URL
}

// CategoryUpdate is a partial update of a category; nil fields are unchanged.
type CategoryUpdate struct {
	ID       int64 // only in a batch of updates
	ParentID *int64
	TreeID   *int64
	Name     *string
	Details  Details // the fields to change
}

// Apply returns c with the update applied, normalized.
func (u CategoryUpdate) Apply(c Category) Category {
	set(&c.ParentID, u.ParentID)
	set(&c.TreeID, u.TreeID)
	set(&c.Name, u.Name)
	c.Details = c.Details.Merge(u.Details)
	return c.Normalized()
}

// IsEmpty reports whether the update changes nothing.
func (u CategoryUpdate) IsEmpty() bool {
	return u.ParentID == nil && u.TreeID == nil && u.Name == nil && len(u.Details) == 0
}

// Normalized returns the category in its stored form, with the name trimmed.
func (c Category) Normalized() Category {
	c.Name = strings.TrimSpace(c.Name)
	return c
}

// Validate checks a normalized category. It returns a KindInvalid error that names the
// first invalid field. It does not check the category's place in the tree; see
// [CategoryParents.CheckPlace].
func (c Category) Validate() error {
	if c.ParentID < 0 {
		return Invalid("parent_id", "The parent is the id of a category, or 0 for none.")
	}
	return checkText("name", c.Name, 1, MaxCategoryName)
}

// CategoryFilter selects categories; the zero value selects all of them.
type CategoryFilter struct {
	IDs, NotIDs            []int64 // nil: all, and none left out
	ParentIDs, TreeIDs     []int64 // nil: all
	NotParentIDs           []int64
	NotTreeIDs             []int64
	IDRange, ParentIDRange IntRange
	Name, PageTitle        *string
	NameLike               string
	PageTitleLike          string
	Keyword                string // in the name or the page title, whatever the case
	IsVisible              *bool
}

// CategorySort is what a list of categories is sorted by.
type CategorySort string

// The orders of a list of categories.
const (
	SortCategoriesByID     CategorySort = "id"
	SortCategoriesByParent CategorySort = "parent_id"
	SortCategoriesByName   CategorySort = "name" // the letters A to Z count as a to z
	SortCategoriesByOrder  CategorySort = "sort_order"
)

// CategoryOrder is the order of a list of categories; the zero value is by id.
type CategoryOrder struct {
	By         CategorySort
	Descending bool
}

// Key returns the cursor of a category in this order; see [Page].
func (o CategoryOrder) Key(c Category) string {
	id := strconv.FormatInt(c.ID, 10)
	switch o.By {
	case SortCategoriesByParent:
		return strconv.FormatInt(c.ParentID, 10) + "/" + id
	case SortCategoriesByName:
		return FoldASCII(c.Name) + "/" + id
	case SortCategoriesByOrder:
		return strconv.FormatInt(c.Details.Integer("sort_order", 0), 10) + "/" + id
	}
	return id
}

// CategoryParents maps categories to their parents. It holds a whole category tree, or
// the part above some categories.
type CategoryParents map[int64]int64

// Path returns the ids from a category up to its root, the category first. It ends early
// if a parent is missing, and after MaxCategoryDepth ids.
func (p CategoryParents) Path(id int64) []int64 {
	path := make([]int64, 0, 8) // deep enough for most
	for id := range p.up(id) {
		path = append(path, id)
	}
	return path
}

// up iterates over the path of a category.
func (p CategoryParents) up(id int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		parent := p[id]
		for range MaxCategoryDepth {
			if !yield(id) || parent == 0 {
				return
			}
			next, known := p[parent]
			if !known {
				return
			}
			id, parent = parent, next
		}
	}
}

// CheckPlace checks whether a category may be under its parent. It returns a KindInvalid
// error if the parent does not exist, the category would be below itself, or the tree
// would get deeper than [MaxCategoryDepth]. For a new category p must contain the parent
// and all above it; for an existing one the whole tree, in which the category itself may
// be missing or at its old place.
func (p CategoryParents) CheckPlace(c Category) error {
	if c.ParentID == 0 {
		return nil
	}
	if _, known := p[c.ParentID]; !known {
		return Invalid("parent_id", fmt.Sprintf("Category id %d does not exist.", c.ParentID))
	}
	above := 0
	for id := range p.up(c.ParentID) {
		if id == c.ID {
			return Invalid("parent_id", "A category must not be below itself.")
		}
		above++
	}
	if above+p.height(c.ID) > MaxCategoryDepth {
		return Invalid("parent_id", fmt.Sprintf("There must be at most %d categories above one another.", MaxCategoryDepth))
	}
	return nil
}

// Below returns the ids of all categories below a category, itself not included.
func (p CategoryParents) Below(id int64) []int64 {
	var ids []int64
	for below := range p {
		for above := range p.up(below) {
			if above == id && below != id {
				ids = append(ids, below)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// height returns the number of levels from a category down, itself included.
func (p CategoryParents) height(id int64) int {
	most := 1
	for below := range p {
		levels := 0
		for above := range p.up(below) {
			levels++
			if above == id {
				most = max(most, levels)
				break
			}
		}
	}
	return most
}
