package service_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func listRule(id int64) []cohort.DiscountRule {
	return []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: id}}
}

// firstPage is a page that holds all rows of a test.
var firstPage = cohort.Page{Number: 1, Size: 10_000}

// wantRulesMatch fails unless the price_list rules of all groups match the assignments,
// in one snapshot. With listsMustExist, every assigned price list must exist.
func wantRulesMatch(t rapid.TB, d *db.DB, store string, listsMustExist bool) {
	t.Helper()
	err := d.View(context.Background(), func(tx *db.Tx) error {
		groups, err := tx.ListGroups(store, cohort.GroupFilter{}, firstPage)
		if err != nil {
			return err
		}
		var assignments collected[cohort.PriceListAssignment]
		err = tx.ReadAssignments(store, cohort.AssignmentFilter{}, firstPage, assignments.Add)
		if err != nil {
			return err
		}
		firsts := map[int64]cohort.PriceListAssignment{}
		for _, a := range assignments {
			first, known := firsts[a.GroupID]
			if !known || a.ChannelID < first.ChannelID {
				firsts[a.GroupID] = a
			}
			if !listsMustExist {
				continue
			}
			if _, err := tx.PriceList(store, a.PriceListID); err != nil {
				t.Errorf("the price list of assignment %+v: %v", a, err)
			}
		}
		delete(firsts, 0)
		for _, g := range groups {
			a, assigned := firsts[g.ID]
			switch {
			case cohort.PriceListRule(g.DiscountRules) != a.PriceListID:
				t.Errorf("group %d has the rules %+v, but its first assignment is %+v", g.ID, g.DiscountRules, a)
			case assigned && len(g.DiscountRules) != 1:
				t.Errorf("group %d has discount rules %+v and the assignment %+v", g.ID, g.DiscountRules, a)
			}
			delete(firsts, g.ID)
		}
		if len(firsts) > 0 {
			t.Errorf("assignments of groups that do not exist: %v", firsts)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// During concurrent random calls on groups, lists and assignments, each group's rule
// matches its assignments, and no call fails with an internal error.
func TestConcurrentAssignments(t *testing.T) {
	for _, mode := range []cohort.CatalogMode{cohort.CatalogExternal, cohort.CatalogManaged} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				svc := newService(t, d, nil)
				if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a", Catalog: mode}); err != nil {
					t.Fatal(err)
				}
				const callers = 8
				calls := testenv.Times(60, 20)
				c := &randomCaller{svc: svc}
				var all sync.WaitGroup
				for caller := range callers {
					all.Go(func() {
						rng := rand.New(rand.NewPCG(uint64(caller), 1))
						for range calls {
							wantClientError(t, c.call(t.Context(), rng))
						}
					})
				}
				for range 10 {
					wantRulesMatch(t, d, "a", mode == cohort.CatalogManaged)
				}
				all.Wait()
				wantRulesMatch(t, d, "a", mode == cohort.CatalogManaged)
			})
		})
	}
}

// wantClientError fails for an error that is not the caller's fault.
func wantClientError(t *testing.T, err error) {
	t.Helper()
	switch kind := cohort.KindOf(err); {
	case err == nil, kind == cohort.KindInvalid, kind == cohort.KindNotFound, kind == cohort.KindConflict:
	default:
		t.Errorf("%v: %v", kind, err)
	}
}

// randomCaller makes random calls on the latest groups and lists.
type randomCaller struct {
	svc                 *service.Service
	lastGroup, lastList atomic.Int64
}

func (c *randomCaller) call(ctx context.Context, rng *rand.Rand) error {
	latest := func(last *atomic.Int64) int64 { return max(1, last.Load()-rng.Int64N(3)) }
	group := func() int64 { return latest(&c.lastGroup) }
	list := func() int64 { return latest(&c.lastList) }
	channel := func() int64 { return rng.Int64N(3) }
	random := func() cohort.PriceListAssignment {
		return cohort.PriceListAssignment{PriceListID: list(), GroupID: group() * min(1, rng.Int64N(5)), ChannelID: channel()}
	}
	rules := func() []cohort.DiscountRule {
		return [][]cohort.DiscountRule{nil, listRule(list()), listRule(list()), {percentOff(cohort.RuleAll, 0, 5)}}[rng.IntN(4)]
	}
	var err error
	switch rng.IntN(13) {
	case 0, 1:
		var l cohort.PriceList
		l, err = c.svc.CreatePriceList(ctx, "a", cohort.PriceList{Name: fmt.Sprint(rng.Uint64())})
		c.lastList.Store(max(l.ID, c.lastList.Load()))
	case 2:
		err = c.svc.DeletePriceList(ctx, "a", list())
	case 3:
		_, err = c.svc.DeletePriceLists(ctx, "a", cohort.PriceListFilter{IDs: []int64{list(), list()}})
	case 4, 5, 6:
		err = c.svc.CreateAssignments(ctx, "a", []cohort.PriceListAssignment{random(), random()})
	case 7, 8:
		_, err = c.svc.PutAssignment(ctx, "a", cohort.PriceListAssignment{PriceListID: list(), GroupID: group(), ChannelID: 1 + channel()})
	case 9:
		err = c.svc.DeleteAssignments(ctx, "a", cohort.AssignmentFilter{ChannelIDs: []int64{channel()}})
	case 10:
		var g cohort.Group
		g, err = c.svc.CreateGroup(ctx, "a", cohort.Group{Name: fmt.Sprint(rng.Uint64()), DiscountRules: rules(), IsDefault: rng.IntN(2) == 0})
		c.lastGroup.Store(max(g.ID, c.lastGroup.Load()))
	case 11:
		rules, yes := rules(), rng.IntN(2) == 0
		_, err = c.svc.UpdateGroup(ctx, "a", group(), cohort.GroupUpdate{DiscountRules: &rules, IsDefault: &yes})
	default:
		err = c.svc.DeleteGroup(ctx, "a", group())
	}
	return err
}

// TestAssignmentsAgainstModel runs random sequential histories on a service and on maps,
// and compares the results.
func TestAssignmentsAgainstModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			m := &assignmentModel{
				svc: svc, d: d, store: fmt.Sprint("s", histories),
				lists: map[int64]bool{}, discounts: map[int64]bool{}, assigned: map[target]int64{},
			}
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: m.store}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				m.CreateList(t)
				if _, err := svc.CreateGroup(context.Background(), m.store, cohort.Group{Name: fmt.Sprint(m.created)}); err != nil {
					t.Fatal(err)
				}
				m.discounts[int64(len(m.discounts)+1)] = false
			}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

type target struct{ group, channel int64 }

// assignmentModel is the expected state of a store. The ids of groups and lists count
// from 1.
type assignmentModel struct {
	svc       *service.Service
	d         *db.DB
	store     string
	created   int64
	lists     map[int64]bool
	discounts map[int64]bool // by group: whether it has discount rules
	assigned  map[target]int64
}

var anyID, anyOrNone = rapid.Int64Range(1, 4), rapid.Int64Range(0, 3)

func (m *assignmentModel) CreateList(t *rapid.T) {
	if m.created == 6 {
		t.Skip("the store has six lists already")
	}
	m.created++
	if _, err := m.svc.CreatePriceList(context.Background(), m.store, cohort.PriceList{Name: fmt.Sprint(m.created)}); err != nil {
		t.Fatal(err)
	}
	m.lists[m.created] = true
}

func (m *assignmentModel) DeleteLists(t *rapid.T) {
	ids := []int64{anyID.Draw(t, "list"), anyID.Draw(t, "list")}
	n, err := m.svc.DeletePriceLists(context.Background(), m.store, cohort.PriceListFilter{IDs: ids})
	want := 0
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if m.lists[id] {
			want++
			delete(m.lists, id)
			maps.DeleteFunc(m.assigned, func(_ target, list int64) bool { return list == id })
		}
	}
	if err != nil || n != want {
		t.Fatalf("DeletePriceLists returned %d (error %v), want %d", n, err, want)
	}
}

func (m *assignmentModel) Create(t *rapid.T) {
	list := make([]cohort.PriceListAssignment, rapid.IntRange(1, 2).Draw(t, "how many"))
	works, seen := true, map[target]bool{}
	for i := range list {
		a := cohort.PriceListAssignment{PriceListID: anyID.Draw(t, "list"), GroupID: anyOrNone.Draw(t, "group"), ChannelID: anyOrNone.Draw(t, "channel")}
		list[i] = a
		at := target{a.GroupID, a.ChannelID}
		works = works && a.Validate() == nil && m.lists[a.PriceListID] && m.assigned[at] == 0 && !seen[at] && !m.discounts[a.GroupID]
		seen[at] = true
	}
	err := m.svc.CreateAssignments(context.Background(), m.store, list)
	if !works {
		if cohort.KindOf(err) != cohort.KindInvalid {
			t.Fatalf("%+v: %v, want KindInvalid", list, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%+v: %v", list, err)
	}
	for _, a := range list {
		m.assigned[target{a.GroupID, a.ChannelID}] = a.PriceListID
	}
}

func (m *assignmentModel) Put(t *rapid.T) {
	a := cohort.PriceListAssignment{PriceListID: anyID.Draw(t, "list"), GroupID: anyID.Draw(t, "group"), ChannelID: anyID.Draw(t, "channel")}
	_, err := m.svc.PutAssignment(context.Background(), m.store, a)
	discounts, there := m.discounts[a.GroupID]
	want := cohort.KindInternal // stands for no error
	switch {
	case !there || !m.lists[a.PriceListID]:
		want = cohort.KindNotFound
	case discounts:
		want = cohort.KindInvalid
	default:
		m.assigned[target{a.GroupID, a.ChannelID}] = a.PriceListID
	}
	if cohort.KindOf(err) != want || err != nil && want == cohort.KindInternal {
		t.Fatalf("%+v: %v, want %v", a, err, want)
	}
}

func (m *assignmentModel) DeleteAssignments(t *rapid.T) {
	channel, group := anyOrNone.Draw(t, "channel"), anyOrNone.Draw(t, "group")
	err := m.svc.DeleteAssignments(context.Background(), m.store, cohort.AssignmentFilter{ChannelIDs: []int64{channel}, GroupIDs: []int64{group, 1}})
	if err != nil {
		t.Fatal(err)
	}
	delete(m.assigned, target{group, channel})
	delete(m.assigned, target{1, channel})
}

func (m *assignmentModel) SetRules(t *rapid.T) {
	id := rapid.Int64Range(1, 3).Draw(t, "group")
	list := anyOrNone.Draw(t, "list")
	rules := listRule(list)
	if list == 0 {
		rules = []cohort.DiscountRule{percentOff(cohort.RuleAll, 0, 5)}[:anyOrNone.Draw(t, "rules")%2]
	}
	before := m.rule(id)
	if _, err := m.svc.UpdateGroup(context.Background(), m.store, id, cohort.GroupUpdate{DiscountRules: &rules}); err != nil {
		t.Fatal(err)
	}
	m.discounts[id] = list == 0 && len(rules) > 0
	if before == list && list != 0 {
		return // the rule is unchanged
	}
	maps.DeleteFunc(m.assigned, func(at target, _ int64) bool { return at.group == id })
	if list != 0 {
		m.assigned[target{id, 0}] = list
	}
}

// rule returns the list that a group's price_list rule must name, or 0.
func (m *assignmentModel) rule(group int64) int64 {
	for channel := range int64(5) {
		if list := m.assigned[target{group, channel}]; list != 0 {
			return list
		}
	}
	return 0
}

// Check compares the store with the model after each action.
func (m *assignmentModel) Check(t *rapid.T) {
	var list collected[cohort.PriceListAssignment]
	_, err := m.svc.ReadAssignments(context.Background(), m.store, cohort.AssignmentFilter{}, firstPage, &list)
	if err != nil {
		t.Fatal(err)
	}
	got := map[target]int64{}
	for _, a := range list {
		got[target{a.GroupID, a.ChannelID}] = a.PriceListID
	}
	if diff := cmp.Diff(m.assigned, got); diff != "" {
		t.Fatalf("assignments (-want +got):\n%s", diff)
	}
	for id, discounts := range m.discounts {
		g, err := m.svc.Group(context.Background(), m.store, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := cohort.PriceListRule(g.DiscountRules); got != m.rule(id) {
			t.Fatalf("the rule of group %d names list %d, want %d", id, got, m.rule(id))
		}
		if hasAll := len(g.DiscountRules) == 1 && g.DiscountRules[0].Type == cohort.RuleAll; hasAll != discounts {
			t.Fatalf("group %d has the rules %+v, want discount rules: %v", id, g.DiscountRules, discounts)
		}
	}
	wantRulesMatch(t, m.d, m.store, false)
}

// An assignment changes the modification date of its group only if it changes the
// group's rule.
func TestAssignmentModifiesGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		for _, name := range []string{"A", "B"} {
			if _, err := svc.CreatePriceList(t.Context(), "a", cohort.PriceList{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		put := func(list, channel int64) {
			c.Set(c.Now().AddDate(0, 0, 1))
			if _, err := svc.PutAssignment(t.Context(), "a", cohort.PriceListAssignment{PriceListID: list, GroupID: g.ID, ChannelID: channel}); err != nil {
				t.Fatal(err)
			}
		}
		put(1, 3)
		g.DiscountRules, g.DateModified = listRule(1), c.Now()
		wantGroups(t, svc, "a", g)
		put(2, 4)
		wantGroups(t, svc, "a", g)
		put(2, 3)
		g.DiscountRules, g.DateModified = listRule(2), c.Now()
		wantGroups(t, svc, "a", g)
	})
}
