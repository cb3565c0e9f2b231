package cohort

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxNameLength is the maximum length of a group's name, in Unicode code points.
const MaxNameLength = 255

// MaxCategoriesOfGroup is the maximum number of category ids in a group's access, as for
// a product. A request body of 1 MiB could hold 148 000.
const MaxCategoriesOfGroup = 1000

// Group is a customer group of one store.
type Group struct {
	// ID counts from 1 within the store and is never reused.
	ID             int64
	Name           string
	CategoryAccess CategoryAccess
	// DiscountRules are in the order of the request.
	DiscountRules []DiscountRule
	// IsDefault: new customers of the store join this group. At most one group of a
	// store has this flag.
	IsDefault bool
	// IsGroupForGuests: visitors who are not signed in are treated as members. At most
	// one group of a store has this flag.
	IsGroupForGuests bool
	DateCreated      time.Time
	DateModified     time.Time
}

// AccessType is the extent of a group's access to the catalog.
type AccessType string

// The access types.
const (
	AccessAll      AccessType = "all"      // every category
	AccessNone     AccessType = "none"     // no category
	AccessSpecific AccessType = "specific" // the named categories
)

// CategoryAccess is the part of the catalog that a group may see.
type CategoryAccess struct {
	Type AccessType
	// Categories are distinct category ids in the order of the request; nil unless Type
	// is AccessSpecific.
	Categories []int64
}

// Normalized returns the group in its stored form: the name trimmed, AccessAll if no
// access is set, and category ids only with AccessSpecific, without repeats.
func (g Group) Normalized() Group {
	g.Name = strings.TrimSpace(g.Name)
	g.CategoryAccess = g.CategoryAccess.normalized()
	return g
}

func (a CategoryAccess) normalized() CategoryAccess {
	if a.Type == "" {
		a.Type = AccessAll
	}
	if a.Type != AccessSpecific {
		return CategoryAccess{Type: a.Type}
	}
	return CategoryAccess{Type: a.Type, Categories: distinct(a.Categories)}
}

// distinct returns the first occurrence of each id, in order. The result is not nil.
func distinct(ids []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	list := make([]int64, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list
}

// Validate checks a normalized group. It returns a KindInvalid error that names the
// first invalid field.
func (g Group) Validate() error {
	if err := checkText("name", g.Name, 1, MaxNameLength); err != nil {
		return err
	}
	if err := g.CategoryAccess.Validate(); err != nil {
		return err
	}
	return ValidateRules(g.DiscountRules)
}

// Validate returns a KindInvalid error that names the first invalid field.
func (a CategoryAccess) Validate() error {
	switch a.Type {
	case AccessAll, AccessNone:
		return nil
	case AccessSpecific:
		if len(a.Categories) == 0 {
			return Invalid("categories", "At least one category id is required when the type is specific.")
		}
		if len(a.Categories) > MaxCategoriesOfGroup {
			return Invalid("categories", fmt.Sprintf("A group names at most %d categories.", MaxCategoriesOfGroup))
		}
		if slices.ContainsFunc(a.Categories, func(id int64) bool { return id < 1 }) {
			return Invalid("categories", "Category ids are positive integers.")
		}
		return nil
	}
	return Invalid("type", "The type must be all, none or specific.")
}

// GroupUpdate is a partial update of a group; nil fields are unchanged.
type GroupUpdate struct {
	Name             *string
	CategoryAccess   *CategoryAccess
	DiscountRules    *[]DiscountRule // replaces the whole list
	IsDefault        *bool
	IsGroupForGuests *bool
}

// IsEmpty reports whether the update changes nothing.
func (u GroupUpdate) IsEmpty() bool { return u == GroupUpdate{} }

// MovesFlag reports whether the update sets or clears a flag that at most one group of a
// store has.
func (u GroupUpdate) MovesFlag() bool { return u.IsDefault != nil || u.IsGroupForGuests != nil }

// Apply returns g with the update applied, normalized.
func (u GroupUpdate) Apply(g Group) Group {
	set(&g.Name, u.Name)
	set(&g.CategoryAccess, u.CategoryAccess)
	set(&g.DiscountRules, u.DiscountRules)
	set(&g.IsDefault, u.IsDefault)
	set(&g.IsGroupForGuests, u.IsGroupForGuests)
	return g.Normalized()
}

// Validate checks the fields that the update sets; after is the group with the update
// applied. It does not check the other fields, which may have been stored before a rule
// was introduced. Errors are those of [Group.Validate].
func (u GroupUpdate) Validate(after Group) error {
	if u.Name == nil {
		after.Name = "unchanged"
	}
	if u.CategoryAccess == nil {
		after.CategoryAccess = CategoryAccess{Type: AccessAll}
	}
	if u.DiscountRules == nil {
		after.DiscountRules = nil
	}
	return after.Validate()
}

// GroupFilter selects groups of a store; the zero value selects all of them.
type GroupFilter struct {
	Name             *string // the exact name
	NameLike         string  // a part of the name, compared with Unicode case folding
	IsDefault        *bool
	IsGroupForGuests *bool
	DateCreated      TimeRange
	DateModified     TimeRange
}

// OnlyFlagged reports whether the filter requires a flag that at most one group of a store
// has, so that at most one group passes.
func (f GroupFilter) OnlyFlagged() bool {
	return f.IsDefault != nil && *f.IsDefault || f.IsGroupForGuests != nil && *f.IsGroupForGuests
}
