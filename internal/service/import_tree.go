package service

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// categoryTree is a store's categories as they would be after an import.
type categoryTree struct {
	places []db.CategoryPlace
	byID   map[int64]int32 // where in places
	depth  []int32         // of each; 0 not known yet, or one of the below
}

// What depth is besides a depth.
const (
	onTheWay = -1 // it is being followed upwards
	endless  = -2 // it is above itself, or below such a category
)

func (t *categoryTree) add(p db.CategoryPlace) {
	if t.byID == nil {
		t.byID = map[int64]int32{}
	}
	t.byID[p.ID] = int32(len(t.places)) //nolint:gosec // there are not so many categories
	t.places = append(t.places, p)
}

// check tells of cycles, and of branches that are too long. A parent that is not
// there is for others to tell of.
func (t *categoryTree) check(tell func(line int64, text string)) {
	t.depth = make([]int32, len(t.places))
	for i := range t.places {
		t.follow(int32(i), tell) //nolint:gosec // as above
	}
	for i, depth := range t.depth {
		// What is below is too deep as well, for the same reason.
		if depth == cohort.MaxCategoryDepth+1 {
			tell(t.lineOf(int32(i)), fmt.Sprintf("parent_id: category %d would be %d deep, and may be %d.", //nolint:gosec // as above
				t.places[i].ID, depth, cohort.MaxCategoryDepth))
		}
	}
}

// follow finds out the depth of a category and of those above it.
func (t *categoryTree) follow(start int32, tell func(int64, string)) {
	var way []int32
	at, above := start, int32(0)
	for {
		if d := t.depth[at]; d != 0 {
			above = d
			break
		}
		t.depth[at] = onTheWay
		way = append(way, at)
		parent, known := t.byID[t.places[at].ParentID]
		if !known {
			break
		}
		at = parent
	}
	if above == onTheWay {
		t.tellCycle(at, tell)
		above = endless
	}
	for i := len(way) - 1; i >= 0; i-- {
		if above != endless {
			above++
		}
		t.depth[way[i]] = above
	}
}

// longestCycle is how many categories of a cycle are told.
const longestCycle = 10

// tellCycle tells of a cycle at its first line in the file, from which the
// categories are named.
func (t *categoryTree) tellCycle(at int32, tell func(int64, string)) {
	first := at
	for i := t.parent(at); i != at; i = t.parent(i) {
		line, least := t.places[i].Line, t.places[first].Line
		if line != 0 && (least == 0 || line < least) {
			first = i
		}
	}
	ids := []string{strconv.FormatInt(t.places[first].ID, 10)}
	for i := t.parent(first); ; i = t.parent(i) {
		if len(ids) == longestCycle {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, strconv.FormatInt(t.places[i].ID, 10))
		if i == first {
			break
		}
	}
	tell(t.places[first].Line, "parent_id: the category is below itself: "+strings.Join(ids, " under ")+".")
}

func (t *categoryTree) parent(i int32) int32 { return t.byID[t.places[i].ParentID] }

// lineOf is the line of a category, or of the nearest above it that has one.
func (t *categoryTree) lineOf(i int32) int64 {
	for t.places[i].Line == 0 {
		parent, known := t.byID[t.places[i].ParentID]
		if !known {
			break
		}
		i = parent
	}
	return t.places[i].Line
}
