package db

import (
	"math"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// memberIDs is customerIDs for the members of groups, by id. The index on groups has the
// members of each group by id, so the page is the beginning of a merge. Read as one
// query, all members of the groups would be sorted for each page. Instead, the first few
// members of each group are read: enough for nearly every page, because the ids of the
// groups' members are mixed. If not, the second query reads a page of each group.
func (t *Tx) memberIDs(storeKey string, groups []int64, p cohort.Page) ([]int64, error) {
	want := p.Size
	if p.After != "" || p.Before != "" {
		want++
	}
	groups, err := t.groupsInRows(storeKey, groups)
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	ids, complete, err := t.firstMembers(storeKey, groups, p, membersExpected(want, len(groups)))
	if err == nil && !complete && len(ids) < want {
		ids, _, err = t.firstMembers(storeKey, groups, p, want)
	}
	return inPage(ids, want, isBackwards(p)), err
}

// groupsInRows returns the groups that rows of the customers of some groups name. Group
// 0 stands for none, and so for deleted groups.
func (t *Tx) groupsInRows(storeKey string, groups []int64) ([]int64, error) {
	rows, err := t.Query("SELECT group_id FROM departed_groups WHERE store_hash = $1 ORDER BY group_id", storeKey)
	if err != nil {
		return nil, err
	}
	departed, err := txn.Collect(rows, scanID)
	if err != nil {
		return nil, err
	}
	named := slices.DeleteFunc(slices.Clone(groups), func(id int64) bool {
		_, gone := slices.BinarySearch(departed, id)
		return gone
	})
	if slices.Contains(groups, 0) {
		named = append(named, departed...)
	}
	slices.Sort(named)
	return slices.Compact(named), nil
}

// membersExpected returns how many members of each of n groups to read for a page, if
// the ids of their members are mixed at random: the average of the page, and the double
// of its root and five more for the groups that have more than the average.
func membersExpected(page, n int) int {
	average := float64(page) / float64(n)
	return min(page, int(math.Ceil(average+2*math.Sqrt(average)))+5)
}

// member is a customer in a group, as its row names it.
type member struct{ group, id int64 }

// firstMembers reads the first members of each group in the direction of a page. It
// returns the ids that certainly belong to the beginning of the merge, unsorted, and
// whether these are all.
func (t *Tx) firstMembers(storeKey string, groups []int64, p cohort.Page, each int) (ids []int64, complete bool, err error) {
	after, before, err := idBounds(p)
	if err != nil {
		return nil, false, err
	}
	// There is one bound on each side, because SQLite begins and ends a search at one. If
	// a group has no further members, the bound is that of the page.
	last := func(order, end string) string {
		return `coalesce((SELECT last.id FROM customers AS last WHERE last.store_hash = $1 AND last.customer_group_id = ids.wanted
			AND last.id > $3 AND last.id < $4 ORDER BY last.id ` + order + " LIMIT 1 OFFSET CAST($5 AS BIGINT)), " + end + ")"
	}
	condition := " AND x.id > $3 AND x.id <= " + last("ASC", "$4 - 1")
	if isBackwards(p) {
		condition = " AND x.id < $4 AND x.id >= " + last("DESC", "$3 + 1")
	}
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "customer_group_id, id", Table: "customers", Column: "customer_group_id", Condition: condition,
	}), storeKey, idText(groups), after, before, each-1)
	if err != nil {
		return nil, false, err
	}
	members, err := txn.Collect(rows, func(row txn.Scanner) (m member, err error) { return m, row.Scan(&m.group, &m.id) })
	if err != nil {
		return nil, false, err
	}
	ids, complete = certainMembers(members, each, isBackwards(p))
	return ids, complete, nil
}

// idBounds returns the ids between which a page lies, both exclusive. They are such that
// the next id inside does not overflow.
func idBounds(p cohort.Page) (after, before int64, err error) {
	before = math.MaxInt64
	for _, bound := range []struct {
		cursor, field string
		into          *int64
	}{{p.After, "after", &after}, {p.Before, "before", &before}} {
		if bound.cursor == "" {
			continue
		}
		values, ok := keyValues(bound.cursor, byID)
		if !ok {
			return 0, 0, cohort.Invalid(bound.field, "The value is not a cursor of this list.")
		}
		*bound.into = values[0].(int64)
	}
	return min(max(after, 0), math.MaxInt64-1), max(before, 1), nil
}

// certainMembers returns the ids up to the first place where a group may have members
// that were not read: the last of those that were, if these are each. It also returns
// whether there is no such place.
func certainMembers(members []member, each int, backwards bool) (ids []int64, complete bool) {
	count, last := map[int64]int{}, map[int64]int64{}
	beyond := func(a, b int64) bool { return (a > b) != backwards && a != b }
	for _, m := range members {
		count[m.group]++
		if count[m.group] == 1 || beyond(m.id, last[m.group]) {
			last[m.group] = m.id
		}
	}
	complete = true
	var end int64
	for group, n := range count {
		if n == each && (complete || beyond(end, last[group])) {
			end, complete = last[group], false
		}
	}
	for _, m := range members {
		if complete || !beyond(m.id, end) {
			ids = append(ids, m.id)
		}
	}
	return ids, complete
}

// inPage returns the ids of a page in order: the lowest, or if backwards, the highest.
func inPage(ids []int64, size int, backwards bool) []int64 {
	slices.Sort(ids)
	if backwards {
		return ids[max(0, len(ids)-size):]
	}
	return ids[:min(size, len(ids))]
}
