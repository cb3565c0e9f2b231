package cohort

import "strconv"

// AccessDecision says whether somebody may see a thing of the catalog.
type AccessDecision struct {
	Allowed bool
	Reason  string // a sentence that says why
}

// Access says what the members of a group may see. It looks up the way from each
// category once, because a product may be in a thousand. One goroutine may use
// it at a time.
type Access struct {
	group   *Group // nil: of no group
	parents CategoryParents
	visible map[int64]struct{} // the categories that the group names
	through map[int64]way      // by category
}

// way is how a category comes to be visible: through itself or one above it.
type way struct {
	above int64
	ok    bool
}

// NewAccess prepares a group, nil for no group, and what is known of the
// category tree. Neither may be changed afterwards.
func NewAccess(g *Group, parents CategoryParents) *Access {
	a := &Access{group: g, parents: parents}
	if g != nil && g.CategoryAccess.Type == AccessSpecific {
		a.visible, a.through = make(map[int64]struct{}, len(g.CategoryAccess.Categories)), map[int64]way{}
		for _, id := range g.CategoryAccess.Categories {
			a.visible[id] = struct{}{}
		}
	}
	return a
}

// Category says whether a category may be seen. One that a group may see brings
// all that is below it.
func (a *Access) Category(id int64) AccessDecision {
	if d, decided := wholeCatalog(a.group); decided {
		return d
	}
	if d, ok := a.reach(id, "Category"); ok {
		return d
	}
	return AccessDecision{false, "The category is not one that the group may see, nor below one."}
}

// Product says whether a product of some categories may be seen: one of them is
// enough.
func (a *Access) Product(categories []int64) AccessDecision {
	if d, decided := wholeCatalog(a.group); decided {
		return d
	}
	for _, id := range categories {
		if d, ok := a.reach(id, "The product's category"); ok {
			return d
		}
	}
	if len(categories) == 0 {
		return AccessDecision{false, "The product is in no category, and the group may see some categories only."}
	}
	return AccessDecision{false, "None of the product's categories is one that the group may see, or below one."}
}

// wholeCatalog decides for those who may see everything or nothing.
func wholeCatalog(g *Group) (d AccessDecision, decided bool) {
	switch {
	case g == nil:
		return AccessDecision{true, "Who is in no group may see the whole catalog."}, true
	case g.CategoryAccess.Type == AccessAll:
		return AccessDecision{true, "The group may see the whole catalog."}, true
	case g.CategoryAccess.Type == AccessNone:
		return AccessDecision{false, "The group may see nothing of the catalog."}, true
	}
	return d, false
}

// reach returns the decision for a category that is one of those that may be
// seen, or below one. what names the category in the reason.
func (a *Access) reach(id int64, what string) (AccessDecision, bool) {
	w, known := a.through[id]
	if !known {
		w = a.wayFrom(id)
		a.through[id] = w
	}
	if !w.ok {
		return AccessDecision{}, false
	}
	text := what + " " + strconv.FormatInt(id, 10)
	if w.above == id {
		return AccessDecision{true, text + " is one that the group may see."}, true
	}
	return AccessDecision{true, text + " is below category " + strconv.FormatInt(w.above, 10) + ", which the group may see."}, true
}

func (a *Access) wayFrom(id int64) way {
	for above := range a.parents.up(id) {
		if _, ok := a.visible[above]; ok {
			return way{above, true}
		}
	}
	return way{}
}
