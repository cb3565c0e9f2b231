package cohort

import "slices"

// categoryGraph is a category tree with the rules of one group on it. Categories
// are places in its slices, so that a step up costs no look-up in a map.
type categoryGraph struct {
	places map[int64]int32 // of each category of the tree, and of each with a rule
	parent []int32         // noParent where a path ends
	rule   []*categoryRule // nil: the category has none
}

const noParent = -1

// categoryRule is a rule with its amount in ten-thousandths, where that fits.
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

// add returns the place of a category, a new one if it has none.
func (g *categoryGraph) add(id int64) int32 {
	at, ok := g.places[id]
	if !ok {
		at = int32(len(g.parent)) //nolint:gosec // a request reads far fewer categories
		g.places[id] = at
		g.parent = append(g.parent, noParent)
	}
	return at
}

// cover is how a category rule comes to cover a product: by the shortest way,
// and from the lowest category where several are as short.
type cover struct {
	rule     *categoryRule
	start    int64 // the product's category
	distance int   // how far the rule's category is above that
}

// walk is what one walk up the tree needs. It is used again, because an item
// may be in a thousand categories.
type walk struct {
	passed []uint32 // the last walk that came by each place
	now    uint32
	front  []step
	found  []cover
}

type step struct {
	at    int32
	start int64
}

// pass reports whether the walk comes to a place for the first time.
func (w *walk) pass(at int32) bool {
	if w.passed[at] == w.now {
		return false
	}
	w.passed[at] = w.now
	return true
}

// categoryList names a list of categories by where it is in memory, which products
// in the same categories share.
type categoryList struct {
	first       *int64
	size        int
	nearestOnly bool
}

// covers returns the rules that cover a product of some categories, the nearest
// first: each once, or only those that no other is nearer than. It looks for them
// once for each list of categories.
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

// findCovers goes up from all categories at once, level by level, and comes to each
// place once.
func (p *Pricer) findCovers(categories []int64, nearestOnly bool) []cover {
	g := p.rules.categories
	w, ok := p.walks.Get().(*walk)
	if !ok {
		w = &walk{passed: make([]uint32, len(g.parent))}
	}
	defer p.walks.Put(w)
	w.now++
	w.front, w.found = w.front[:0], w.found[:0]
	// Who starts at a lower category goes first on each level, and so is first
	// where two ways meet.
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

// up notes the rules of a level, and goes on to the next.
func (w *walk) up(g *categoryGraph, distance int) {
	next := w.front[:0] // which has at most as many
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

// ascending returns ids from the lowest on. It leaves those it is given as they are.
func ascending(ids []int64) []int64 {
	if slices.IsSorted(ids) {
		return ids
	}
	return slices.Sorted(slices.Values(ids))
}
