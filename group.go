package cohort

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxNameLength is the longest group name, in Unicode code points.
const MaxNameLength = 255

// MaxCategoriesOfGroup is how many category ids the access of one group may name,
// as for a product. Without it a body of 1 MiB holds 148 000 of them.
const MaxCategoriesOfGroup = 1000

// Group is a customer group of one store.
type Group struct {
	// ID counts up from 1 within the store and is never given out twice.
	ID             int64
	Name           string
	CategoryAccess CategoryAccess
	// DiscountRules keeps the order in which they were given.
	DiscountRules []DiscountRule
	// IsDefault: new customers of the store join this group. At most one group
	// of a store has it.
	IsDefault bool
	// IsGroupForGuests: visitors who are not signed in are treated as members.
	// At most one group of a store has it.
	IsGroupForGuests bool
	DateCreated      time.Time
	DateModified     time.Time
}

// AccessType says how a group sees the catalog.
type AccessType string

// The access types.
const (
	AccessAll      AccessType = "all"      // every category
	AccessNone     AccessType = "none"     // no category
	AccessSpecific AccessType = "specific" // the named categories
)

// CategoryAccess is what a group may see of the catalog.
type CategoryAccess struct {
	Type AccessType
	// Categories are category ids in the order given, without repeats; nil
	// unless Type is AccessSpecific.
	Categories []int64
}

// Normalized returns the group as it is kept: the name trimmed, access to
// everything when none is said, and no category ids that mean nothing.
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
	seen := make(map[int64]bool, len(a.Categories))
	kept := make([]int64, 0, len(a.Categories))
	for _, id := range a.Categories {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return CategoryAccess{Type: a.Type, Categories: kept}
}

// Validate checks a normalized group. It returns a KindInvalid error that
// names the first field at fault.
func (g Group) Validate() error {
	if err := checkText("name", g.Name, 1, MaxNameLength); err != nil {
		return err
	}
	if err := g.CategoryAccess.Validate(); err != nil {
		return err
	}
	return ValidateRules(g.DiscountRules)
}

// Validate returns a KindInvalid error that names the first field at fault.
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

// GroupUpdate is a partial change of a group; nil fields stay as they are.
type GroupUpdate struct {
	Name             *string
	CategoryAccess   *CategoryAccess
	DiscountRules    *[]DiscountRule // replaces the whole list
	IsDefault        *bool
	IsGroupForGuests *bool
}

// IsEmpty reports whether the update changes nothing.
func (u GroupUpdate) IsEmpty() bool { return u == GroupUpdate{} }

// MovesFlag reports whether the update gives the group one of the flags that only
// one group of a store has, or takes one away.
func (u GroupUpdate) MovesFlag() bool { return u.IsDefault != nil || u.IsGroupForGuests != nil }

// Apply returns g with the update's fields in place, normalized.
func (u GroupUpdate) Apply(g Group) Group {
	set(&g.Name, u.Name)
	set(&g.CategoryAccess, u.CategoryAccess)
	set(&g.DiscountRules, u.DiscountRules)
	set(&g.IsDefault, u.IsDefault)
	set(&g.IsGroupForGuests, u.IsGroupForGuests)
	return g.Normalized()
}

// Validate checks what the update has changed in a group; after is the group with
// the update applied. What the update leaves alone may have been stored before a
// rule existed, and is not checked again. Errors are those of [Group.Validate].
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
	NameLike         string  // a part of the name, compared under Unicode folding
	IsDefault        *bool
	IsGroupForGuests *bool
	DateCreated      TimeRange
	DateModified     TimeRange
}

// OnlyFlagged reports whether the filter lets one group through at most, because
// it has to have a flag that one group has at most.
func (f GroupFilter) OnlyFlagged() bool {
	return f.IsDefault != nil && *f.IsDefault || f.IsGroupForGuests != nil && *f.IsGroupForGuests
}
