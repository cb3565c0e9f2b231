package cohort

import "strconv"

// AccessDecision is the decision whether a shopper may see a category or product.
type AccessDecision struct {
	Allowed bool
	Reason  string // a sentence that explains the decision
}

// Access decides what the members of a group may see. It remembers the result for each
// category, because a product can be in a thousand of them. It must not be used by
// several goroutines at the same time.
type Access struct {
	group   *Group // nil: no group
	parents CategoryParents
	visible map[int64]struct{} // the categories in the group's access
	found   map[int64]ancestor // by category
}

// ancestor is a visible category: the category itself or one above it.
type ancestor struct {
	id int64
	ok bool // false: there is none
}

// NewAccess returns the access of the members of a group, nil for no group. The caller
// must not change the group or the parents afterwards.
func NewAccess(g *Group, parents CategoryParents) *Access {
	a := &Access{group: g, parents: parents}
	if g != nil && g.CategoryAccess.Type == AccessSpecific {
		a.visible, a.found = make(map[int64]struct{}, len(g.CategoryAccess.Categories)), map[int64]ancestor{}
		for _, id := range g.CategoryAccess.Categories {
			a.visible[id] = struct{}{}
		}
	}
	return a
}

// Category decides whether a category may be seen: if the category, or one above it, is
// in the group's access.
func (a *Access) Category(id int64) AccessDecision {
	if d, decided := wholeCatalog(a.group); decided {
		return d
	}
	if d, ok := a.reach(id, "category"); ok {
		return d
	}
	return AccessDecision{false, "The group may see neither this category nor one above it."}
}

// Product decides whether a product may be seen: if one of its categories may.
func (a *Access) Product(categories []int64) AccessDecision {
	if d, decided := wholeCatalog(a.group); decided {
		return d
	}
	for _, id := range categories {
		if d, ok := a.reach(id, "the product's category"); ok {
			return d
		}
	}
	if len(categories) == 0 {
		return AccessDecision{false, "The group may see only some categories, and the product is in no category."}
	}
	return AccessDecision{false, "The group may see none of the product's categories."}
}

// wholeCatalog decides for a group that may see everything or nothing.
func wholeCatalog(g *Group) (d AccessDecision, decided bool) {
	switch {
	case g == nil:
		return AccessDecision{true, "A shopper in no group may see the whole catalog."}, true
	case g.CategoryAccess.Type == AccessAll:
		return AccessDecision{true, "The group may see the whole catalog."}, true
	case g.CategoryAccess.Type == AccessNone:
		return AccessDecision{false, "The group may see nothing of the catalog."}, true
	}
	return d, false
}

// reach returns the decision for a category that is visible, or below a visible one. what
// names the category in the reason.
func (a *Access) reach(id int64, what string) (AccessDecision, bool) {
	above, known := a.found[id]
	if !known {
		above = a.visibleAncestor(id)
		a.found[id] = above
	}
	if !above.ok {
		return AccessDecision{}, false
	}
	text := what + " " + strconv.FormatInt(id, 10)
	if above.id == id {
		return AccessDecision{true, "The group may see " + text + "."}, true
	}
	return AccessDecision{true, "The group may see category " + strconv.FormatInt(above.id, 10) + ", and " + text + " is below it."}, true
}

func (a *Access) visibleAncestor(id int64) ancestor {
	for above := range a.parents.up(id) {
		if _, ok := a.visible[above]; ok {
			return ancestor{above, true}
		}
	}
	return ancestor{}
}
