package cohort

import (
	"strconv"
	"strings"
)

// MaxBrandName is the maximum length of a brand's name, in Unicode code points. Source: the
// vendor's reference.
const MaxBrandName = 255

// Brand is the maker of products.
type Brand struct {
	ID      int64
	Name    string // unique in the store, without regard to case
	Details Details
}

// BrandDetails are the fields of a brand's Details, in the order of responses. Source: the
// vendor's reference.
var BrandDetails = []DetailField{
	{Name: "page_title", Kind: DetailText, Max: 255, Default: `""`},
	metaKeywords,
	{Name: "meta_description", Kind: DetailText, Max: 65_535, Default: `""`},
	imageURL,
	{Name: "search_keywords", Kind: DetailText, Max: 65_535, Default: `""`},
	customURL(1024),
}

// BrandUpdate is a partial update of a brand; nil fields are unchanged.
type BrandUpdate struct {
	Name    *string
	Details Details // the fields to change
}

// IsEmpty reports whether the update changes nothing.
func (u BrandUpdate) IsEmpty() bool { return u.Name == nil && len(u.Details) == 0 }

// Apply returns b with the update applied, normalized.
func (u BrandUpdate) Apply(b Brand) Brand {
	set(&b.Name, u.Name)
	b.Details = b.Details.Merge(u.Details)
	return b.Normalized()
}

// Normalized returns the brand in its stored form, with the name trimmed.
func (b Brand) Normalized() Brand {
	b.Name = strings.TrimSpace(b.Name)
	return b
}

// Validate checks a normalized brand. It returns a KindInvalid error that names the
// invalid field.
func (b Brand) Validate() error { return checkText("name", b.Name, 1, MaxBrandName) }

// BrandFilter selects brands; the zero value selects all of them.
type BrandFilter struct {
	IDs, NotIDs []int64 // nil: all, and none left out
	IDRange     IntRange
	Name        *string
	NameLike    string
	PageTitle   *string
}

// BrandSort is what a list of brands is sorted by.
type BrandSort string

// The orders of a list of brands.
const (
	SortBrandsByID   BrandSort = "id"
	SortBrandsByName BrandSort = "name" // the letters A to Z count as a to z
)

// BrandOrder is the order of a list of brands; the zero value is by id.
type BrandOrder struct {
	By         BrandSort
	Descending bool
}

// Key returns the cursor of a brand in this order; see [Page].
func (o BrandOrder) Key(b Brand) string {
	id := strconv.FormatInt(b.ID, 10)
	if o.By == SortBrandsByName {
		return FoldASCII(b.Name) + "/" + id
	}
	return id
}
