package service_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// caller is one of several who change the groups of one store. It renames and
// deletes only groups of its own, so it knows what must become of them; flags
// it moves to any group of anybody.
type caller struct {
	svc   *service.Service
	rng   *rand.Rand
	known *shared
	names map[int64]string // of its groups that are there
	gone  map[int64]bool
}

// shared is the ids that all callers have seen.
type shared struct {
	mu  sync.Mutex
	ids []int64
}

func (s *shared) add(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *shared) pick(rng *rand.Rand) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == 0 {
		return 1
	}
	return s.ids[rng.IntN(len(s.ids))]
}

// flag is on, off, or not in the update.
func (c *caller) flag() *bool {
	return []*bool{nil, new(true), new(true), new(false)}[c.rng.IntN(4)]
}

// own returns one of the caller's groups, or 0.
func (c *caller) own() int64 {
	ids := slices.Sorted(maps.Keys(c.names))
	if len(ids) == 0 {
		return 0
	}
	return ids[c.rng.IntN(len(ids))]
}

// act makes one random call.
func (c *caller) act(t *testing.T, label string) {
	id := c.own()
	switch n := c.rng.IntN(10); {
	case n < 4 || id == 0:
		u := cohort.GroupUpdate{Name: &label, IsDefault: c.flag(), IsGroupForGuests: c.flag()}
		g, err := c.svc.CreateGroup(t.Context(), "a", u.Apply(cohort.Group{}))
		if err != nil {
			t.Errorf("%s: create: %v", label, err)
			return
		}
		c.names[g.ID] = label
		c.known.add(g.ID)
	case n < 6:
		if _, err := c.svc.UpdateGroup(t.Context(), "a", id, cohort.GroupUpdate{Name: &label, IsDefault: c.flag()}); err != nil {
			t.Errorf("%s: rename: %v", label, err)
			return
		}
		c.names[id] = label
	case n < 8:
		if err := c.svc.DeleteGroup(t.Context(), "a", id); err != nil {
			t.Errorf("%s: delete: %v", label, err)
			return
		}
		delete(c.names, id)
		c.gone[id] = true
	default:
		// Its owner may have deleted it, and nothing else may be wrong.
		u := cohort.GroupUpdate{IsDefault: c.flag(), IsGroupForGuests: c.flag()}
		if _, err := c.svc.UpdateGroup(t.Context(), "a", c.known.pick(c.rng), u); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("%s: move flags: %v", label, err)
		}
	}
}

// TestRandomHistoriesByManyCallers lets callers loose on one store, looks at it
// in between, and compares the end with what each caller knows to be true.
func TestRandomHistoriesByManyCallers(t *testing.T) {
	const callers, calls, histories = 8, 40, 3
	for seed := range uint64(histories) {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			svc := newService(t, d, []string{"a"})
			known := &shared{}
			all := make([]*caller, callers)
			var wg sync.WaitGroup
			for i := range all {
				c := &caller{svc, rand.New(rand.NewPCG(seed, uint64(i))), known, map[int64]string{}, map[int64]bool{}}
				all[i] = c
				wg.Go(func() {
					for n := range calls {
						c.act(t, fmt.Sprintf("caller %d call %d", i, n))
						if (i+n)%callers == 0 {
							look(t, d) // while the others go on
						}
					}
				})
			}
			wg.Wait()
			look(t, d)
			wantTruth(t, d, svc, all)
		})
	}
}

// look reads the store in several ways in one view, which must agree with each
// other and with the rules of a store, whatever is going on.
func look(t *testing.T, d *db.DB) {
	var groups, defaults, guests []cohort.Group
	var n int64
	err := d.View(t.Context(), func(tx *db.Tx) (err error) {
		page := cohort.Page{Number: 1, Size: 10_000}
		if groups, err = tx.ListGroups("a", cohort.GroupFilter{}, page); err != nil {
			return err
		}
		if n, err = tx.CountGroups("a", cohort.GroupFilter{}); err != nil {
			return err
		}
		if defaults, err = tx.ListGroups("a", cohort.GroupFilter{IsDefault: new(true)}, page); err != nil {
			return err
		}
		guests, err = tx.ListGroups("a", cohort.GroupFilter{IsGroupForGuests: new(true)}, page)
		return err
	})
	if err != nil {
		t.Errorf("look: %v", err)
		return
	}
	if int64(len(groups)) != n || len(defaults) > 1 || len(guests) > 1 {
		t.Errorf("listed %d, counted %d, default %d, for guests %d", len(groups), n, len(defaults), len(guests))
	}
	having := func(flag func(cohort.Group) bool) []cohort.Group {
		return slices.DeleteFunc(slices.Clone(groups), func(g cohort.Group) bool { return !flag(g) })
	}
	if diff := cmp.Diff(having(func(g cohort.Group) bool { return g.IsDefault }), defaults, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("default (-in the list +by the filter):\n%s", diff)
	}
	if diff := cmp.Diff(having(func(g cohort.Group) bool { return g.IsGroupForGuests }), guests, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("for guests (-in the list +by the filter):\n%s", diff)
	}
	if !slices.IsSortedFunc(groups, func(a, b cohort.Group) int { return int(a.ID - b.ID) }) {
		t.Error("the list is not in the order of ids")
	}
}

func wantTruth(t *testing.T, d *db.DB, svc *service.Service, all []*caller) {
	t.Helper()
	want, given := map[int64]string{}, map[int64]bool{}
	for _, c := range all {
		maps.Copy(want, c.names)
		for _, ids := range []map[int64]bool{c.gone, keys(c.names)} {
			for id := range ids {
				if given[id] {
					t.Errorf("the id %d was given to two groups", id)
				}
				given[id] = true
			}
		}
	}
	groups, err := svc.ListGroups(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]string{}
	for _, g := range groups {
		got[g.ID] = g.Name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names at the end (-want +got):\n%s", diff)
	}
	// Where many write at a time, an attempt that is made again takes another id.
	for id := int64(1); id <= int64(len(given)) && d.SeesAllWrites(); id++ {
		if !given[id] {
			t.Errorf("of %d groups none was given the id %d", len(given), id)
		}
	}
}

func keys(m map[int64]string) map[int64]bool {
	set := map[int64]bool{}
	for id := range m {
		set[id] = true
	}
	return set
}

// When flags are only ever moved and never dropped, somebody has each of them
// at the end, and at every moment after the first group.
func TestFlagsAreNeverLost(t *testing.T) {
	const callers, calls = 8, 20
	both := cohort.GroupUpdate{IsDefault: new(true), IsGroupForGuests: new(true)}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		first := mustCreate(t, svc, "a", both.Apply(cohort.Group{Name: "first"}))
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				for n := range calls {
					var err error
					if (i+n)%2 == 0 {
						_, err = svc.CreateGroup(t.Context(), "a", both.Apply(cohort.Group{Name: "x"}))
					} else {
						_, err = svc.UpdateGroup(t.Context(), "a", first.ID, both)
					}
					if err != nil {
						t.Error(err)
					}
					for _, f := range []cohort.GroupFilter{{IsDefault: new(true)}, {IsGroupForGuests: new(true)}} {
						if n, err := svc.CountGroups(t.Context(), "a", f); err != nil || n != 1 {
							t.Errorf("%d groups have a flag, error %v", n, err)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}
