package service

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// categoryTree holds a store's categories as they would be after an import.
type categoryTree struct {
	places []db.CategoryPlace
	byID   map[int64]int32 // index in places
	depth  []int32         // of each place; 0: not known yet
}

// Values of categoryTree.depth that are not depths.
const (
	visiting = -1 // on the path that measure is following
	cyclic   = -2 // on a cycle, or below one
)

func (t *categoryTree) add(p db.CategoryPlace) {
	if t.byID == nil {
		t.byID = map[int64]int32{}
	}
	t.byID[p.ID] = int32(len(t.places)) //nolint:gosec // an import has fewer categories
	t.places = append(t.places, p)
}

// check reports cycles and categories that are too deep. It does not report missing
// parents; the check of references does.
func (t *categoryTree) check(report func(line int64, text string)) {
	t.depth = make([]int32, len(t.places))
	for i := range t.places {
		t.measure(int32(i), report) //nolint:gosec // as above
	}
	for i, depth := range t.depth {
		// Categories below it are too deep for the same reason, and not reported.
		if depth == cohort.MaxCategoryDepth+1 {
			report(t.lineOf(int32(i)), fmt.Sprintf("parent_id: category %d would be %d deep, and may be %d.", //nolint:gosec // as above
				t.places[i].ID, depth, cohort.MaxCategoryDepth))
		}
	}
}

// measure computes the depth of a category and of those above it.
func (t *categoryTree) measure(start int32, report func(int64, string)) {
	var path []int32
	at, above := start, int32(0)
	for {
		if d := t.depth[at]; d != 0 {
			above = d
			break
		}
		t.depth[at] = visiting
		path = append(path, at)
		parent, known := t.byID[t.places[at].ParentID]
		if !known {
			break
		}
		at = parent
	}
	if above == visiting {
		t.reportCycle(at, report)
		above = cyclic
	}
	for _, i := range slices.Backward(path) {
		if above != cyclic {
			above++
		}
		t.depth[i] = above
	}
}

// maxReportedCycle bounds the categories of a cycle that a mistake lists.
const maxReportedCycle = 10

// reportCycle reports a cycle at its first line in the file. It lists the categories
// from that line on.
func (t *categoryTree) reportCycle(at int32, report func(int64, string)) {
	first := at
	for i := t.parent(at); i != at; i = t.parent(i) {
		line, least := t.places[i].Line, t.places[first].Line
		if line != 0 && (least == 0 || line < least) {
			first = i
		}
	}
	ids := []string{strconv.FormatInt(t.places[first].ID, 10)}
	for i := t.parent(first); ; i = t.parent(i) {
		if len(ids) == maxReportedCycle {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, strconv.FormatInt(t.places[i].ID, 10))
		if i == first {
			break
		}
	}
	report(t.places[first].Line, "parent_id: the category is below itself: "+strings.Join(ids, " under ")+".")
}

func (t *categoryTree) parent(i int32) int32 { return t.byID[t.places[i].ParentID] }

// lineOf returns the line of a category, or of the nearest category above it that is
// in the file.
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
