package cohort

import (
	"fmt"
	"iter"
	"strings"
)

// MaxCategoryDepth is how many categories may be above one another, itself
// included. The vendor's storefronts show seven.
const MaxCategoryDepth = 32

// MaxCategoryName is the longest name of a category, in Unicode code points.
// Source: the vendor's reference.
const MaxCategoryName = 50

// Category is a node of a store's category tree.
type Category struct {
	ID       int64
	ParentID int64 // 0: at the top
	Name     string
}

// CategoryUpdate is a partial change of a category; nil fields stay as they are.
type CategoryUpdate struct {
	ParentID *int64
	Name     *string
}

// Apply returns c with the update's fields in place.
func (u CategoryUpdate) Apply(c Category) Category {
	set(&c.ParentID, u.ParentID)
	set(&c.Name, u.Name)
	return c.Normalized()
}

// IsEmpty reports whether the update changes nothing.
func (u CategoryUpdate) IsEmpty() bool { return u == CategoryUpdate{} }

// Normalized returns the category as it is kept: the name trimmed.
func (c Category) Normalized() Category {
	c.Name = strings.TrimSpace(c.Name)
	return c
}

// Validate checks a normalized category. It returns a KindInvalid error that
// names the first field at fault. Whether it may have its place is for whoever
// knows the tree; see [CategoryParents.CheckPlace].
func (c Category) Validate() error {
	if c.ParentID < 0 {
		return Invalid("parent_id", "The parent is the id of a category, or 0 for none.")
	}
	return checkText("name", c.Name, 1, MaxCategoryName)
}

// CategoryFilter selects categories; the zero value selects all of them.
type CategoryFilter struct {
	IDs       []int64 // nil: all
	ParentIDs []int64 // nil: all
	Name      *string
	NameLike  string
}

// CategoryParents is a category tree, or the part of it above some categories:
// the parent of each.
type CategoryParents map[int64]int64

// Path returns the ids from a category up to the top, the category first. It
// ends early where a parent is missing, and after MaxCategoryDepth.
func (p CategoryParents) Path(id int64) []int64 {
	path := make([]int64, 0, 8) // deep enough for most
	for id := range p.up(id) {
		path = append(path, id)
	}
	return path
}

// up goes along the path of a category.
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

// CheckPlace checks whether a category may be under its parent. It returns a
// KindInvalid error if there is no such parent, if the category would be below
// itself, or if the tree would get deeper than [MaxCategoryDepth]. For a new
// category p needs what is above the parent, for others the whole tree, with the
// category in it or not, wherever it is.
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

// height returns how many categories are below one another from a category on,
// itself included.
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
