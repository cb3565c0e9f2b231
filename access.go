package cohort

import (
	"slices"
	"strconv"
)

// AccessDecision says whether somebody may see a thing of the catalog.
type AccessDecision struct {
	Allowed bool
	Reason  string // a sentence that says why
}

// CategoryDecision says whether members of a group, nil for no group, may see a
// category. A category that a group may see brings all that is below it.
func CategoryDecision(g *Group, id int64, parents CategoryParents) AccessDecision {
	if d, decided := wholeCatalog(g); decided {
		return d
	}
	if d, ok := g.CategoryAccess.reach(id, parents, "Category"); ok {
		return d
	}
	return AccessDecision{false, "The category is not one that the group may see, nor below one."}
}

// ProductDecision says whether members of a group, nil for no group, may see a
// product of some categories: one of them is enough.
func ProductDecision(g *Group, categories []int64, parents CategoryParents) AccessDecision {
	if d, decided := wholeCatalog(g); decided {
		return d
	}
	for _, id := range categories {
		if d, ok := g.CategoryAccess.reach(id, parents, "The product's category"); ok {
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
func (a CategoryAccess) reach(id int64, parents CategoryParents, what string) (AccessDecision, bool) {
	for i, above := range parents.Path(id) {
		if !slices.Contains(a.Categories, above) {
			continue
		}
		text := what + " " + strconv.FormatInt(id, 10)
		if i == 0 {
			return AccessDecision{true, text + " is one that the group may see."}, true
		}
		return AccessDecision{true, text + " is below category " + strconv.FormatInt(above, 10) + ", which the group may see."}, true
	}
	return AccessDecision{}, false
}
