package cohort

import "slices"

// categoryGraph is a category tree with the rules of one group. Categories are indexes
// of its slices, so that a step to the parent needs no map lookup.
type categoryGraph struct {
	places map[int64]int32 // by id, of all categories in the tree or with a rule
	parent []int32         // noParent at the end of a path
	rule   []*categoryRule // nil: the category has none
}

const noParent = -1

// categoryRule is a rule with its amount in ten-thousandths, if that fits.
type categoryRule struct {
	*DiscountRule
	amount int64
	fits   bool
}

func newCategoryGraph(rules []DiscountRule, ofCategories int, parents CategoryParents) *categoryGraph {
	size := len(parents) + ofCategories
	g := &categoryGraph{places: make(map[int64]int32, size), parent: make([]int32, 0, size)}
	for id := range parents {
		g.add(id)
	}
	for id, parent := range parents {
		if _, known := parents[parent]; known && parent != 0 {
			g.parent[g.places[id]] = g.places[parent]
		}
	}
	prepared := make([]categoryRule, 0, ofCategories)
	places := make([]int32, 0, ofCategories)
	for i := range rules {
		if r := &rules[i]; r.Type == RuleCategory {
			amount, fits := tenThousandths(r.Amount)
			prepared = append(prepared, categoryRule{r, amount, fits})
			places = append(places, g.add(r.TargetID))
		}
	}
	g.rule = make([]*categoryRule, len(g.parent))
	for i, at := range places {
		g.rule[at] = &prepared[i]
	}
	return g
}

// add returns the index of a category, which it adds if necessary.
func (g *categoryGraph) add(id int64) int32 {
	at, ok := g.places[id]
	if !ok {
		at = int32(len(g.parent)) //nolint:gosec // a request reads far fewer categories
		g.places[id] = at
		g.parent = append(g.parent, noParent)
	}
	return at
}

// cover is a category rule that covers a product, with the shortest path between them. Of
// several shortest paths it has the one from the lowest category id.
type cover struct {
	rule     *categoryRule
	start    int64 // the product's category
	distance int   // levels from start up to the rule's category
}

// walk is the state of a breadth-first walk up the tree. It is reused, because an item
// can be in a thousand categories.
type walk struct {
	passed []uint32 // by index: the last walk that visited it
	now    uint32
	front  []step
	found  []cover
}

type step struct {
	at    int32
	start int64
}

// pass reports whether the walk visits an index for the first time.
func (w *walk) pass(at int32) bool {
	if w.passed[at] == w.now {
		return false
	}
	w.passed[at] = w.now
	return true
}

// categoryList identifies a list of categories by its memory, which products in the same
// categories share.
type categoryList struct {
	first       *int64
	size        int
	nearestOnly bool
}

// covers returns the rules that cover a product of some categories, by distance: all, or
// only those at the shortest distance. It computes the result once for each list of
// categories.
func (p *Pricer) covers(categories []int64, nearestOnly bool) []cover {
	if len(categories) == 0 {
		return nil
	}
	list := categoryList{&categories[0], len(categories), nearestOnly}
	if found, known := p.found.Load(list); known {
		return found.([]cover)
	}
	found := p.findCovers(categories, nearestOnly)
	p.found.Store(list, found)
	return found
}

// findCovers walks up from all categories, level by level, and visits each index once.
func (p *Pricer) findCovers(categories []int64, nearestOnly bool) []cover {
	g := p.rules.categories
	w, ok := p.walks.Get().(*walk)
	if !ok {
		w = &walk{passed: make([]uint32, len(g.parent))}
	}
	defer p.walks.Put(w)
	w.now++
	w.front, w.found = w.front[:0], w.found[:0]
	// Paths from lower categories come first on each level, so they win where paths
	// meet.
	for _, start := range ascending(categories) {
		if at, ok := g.places[start]; ok && w.pass(at) {
			w.front = append(w.front, step{at, start})
		}
	}
	for distance := 0; len(w.front) > 0 && distance < MaxCategoryDepth; distance++ {
		w.up(g, distance)
		if nearestOnly && len(w.found) > 0 {
			break
		}
	}
	return slices.Clone(w.found)
}

// up collects the rules of a level and moves to the next.
func (w *walk) up(g *categoryGraph, distance int) {
	next := w.front[:0] // the next level has at most as many steps
	for _, s := range w.front {
		if r := g.rule[s.at]; r != nil {
			w.found = append(w.found, cover{r, s.start, distance})
		}
		if parent := g.parent[s.at]; parent != noParent && w.pass(parent) {
			next = append(next, step{parent, s.start})
		}
	}
	w.front = next
}

// ascending returns sorted ids. It does not change its argument.
func ascending(ids []int64) []int64 {
	if slices.IsSorted(ids) {
		return ids
	}
	return slices.Sorted(slices.Values(ids))
}
