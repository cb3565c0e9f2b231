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
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// caller is one of several concurrent callers on one store. It renames and deletes only
// groups that it has created, so it knows their final state. It moves flags to any group.
type caller struct {
	svc     *service.Service
	rng     *rand.Rand
	all     *sharedIDs
	names   map[int64]string // of its existing groups
	deleted map[int64]bool   // its deleted groups
}

// sharedIDs holds the ids of the groups of all callers.
type sharedIDs struct {
	mu  sync.Mutex
	ids []int64
}

func (s *sharedIDs) add(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *sharedIDs) pick(rng *rand.Rand) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == 0 {
		return 1
	}
	return s.ids[rng.IntN(len(s.ids))]
}

// flag returns a random value of a flag in an update: true, false or not set.
func (c *caller) flag() *bool {
	return []*bool{nil, new(true), new(true), new(false)}[c.rng.IntN(4)]
}

// own returns the id of a random group of the caller, or 0.
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
		c.all.add(g.ID)
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
		c.deleted[id] = true
	default:
		// Its owner may have deleted it. No other error is allowed.
		u := cohort.GroupUpdate{IsDefault: c.flag(), IsGroupForGuests: c.flag()}
		if _, err := c.svc.UpdateGroup(t.Context(), "a", c.all.pick(c.rng), u); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("%s: move flags: %v", label, err)
		}
	}
}

// Concurrent callers make random calls on one store. Every snapshot must be consistent,
// and the final state must be the one that the callers expect.
func TestConcurrentGroupHistories(t *testing.T) {
	const callers, calls = 8, 40
	histories := testenv.Times[uint64](3, 1)
	for seed := range histories {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			svc := newService(t, d, []string{"a"})
			ids := &sharedIDs{}
			all := make([]*caller, callers)
			var wg sync.WaitGroup
			for i := range all {
				c := &caller{svc, rand.New(rand.NewPCG(seed, uint64(i))), ids, map[int64]string{}, map[int64]bool{}}
				all[i] = c
				wg.Go(func() {
					for n := range calls {
						c.act(t, fmt.Sprintf("caller %d call %d", i, n))
						if (i+n)%callers == 0 {
							wantConsistentGroups(t, d)
						}
					}
				})
			}
			wg.Wait()
			wantConsistentGroups(t, d)
			wantFinalGroups(t, d, svc, all)
		})
	}
}

// wantConsistentGroups reads the groups in several ways in one snapshot, and fails unless
// the results agree and each flag is on at most one group.
func wantConsistentGroups(t *testing.T, d *db.DB) {
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
		t.Errorf("reading the groups: %v", err)
		return
	}
	if int64(len(groups)) != n || len(defaults) > 1 || len(guests) > 1 {
		t.Errorf("%d groups are listed and %d counted; %d are default and %d for guests", len(groups), n, len(defaults), len(guests))
	}
	having := func(flag func(cohort.Group) bool) []cohort.Group {
		return slices.DeleteFunc(slices.Clone(groups), func(g cohort.Group) bool { return !flag(g) })
	}
	if diff := cmp.Diff(having(func(g cohort.Group) bool { return g.IsDefault }), defaults, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("default group (-in the list +with the filter):\n%s", diff)
	}
	if diff := cmp.Diff(having(func(g cohort.Group) bool { return g.IsGroupForGuests }), guests, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("group for guests (-in the list +with the filter):\n%s", diff)
	}
	if !slices.IsSortedFunc(groups, func(a, b cohort.Group) int { return int(a.ID - b.ID) }) {
		t.Error("the list is not sorted by id")
	}
}

func wantFinalGroups(t *testing.T, d *db.DB, svc *service.Service, all []*caller) {
	t.Helper()
	want, used := map[int64]string{}, map[int64]bool{}
	for _, c := range all {
		maps.Copy(want, c.names)
		for _, ids := range []map[int64]bool{c.deleted, keys(c.names)} {
			for id := range ids {
				if used[id] {
					t.Errorf("two groups have the id %d", id)
				}
				used[id] = true
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
		t.Errorf("final names (-want +got):\n%s", diff)
	}
	// On PostgreSQL a retried transaction takes another id, so ids may be skipped.
	for id := int64(1); id <= int64(len(used)) && d.SeesAllWrites(); id++ {
		if !used[id] {
			t.Errorf("none of %d groups has the id %d", len(used), id)
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

// While flags are moved and never cleared, exactly one group has each flag at any time.
func TestFlagsAreNeverLost(t *testing.T) {
	const callers = 8
	calls := testenv.Times(20, 8)
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
						_, err = svc.CreateGroup(t.Context(), "a", both.Apply(cohort.Group{Name: fmt.Sprintf("caller %d call %d", i, n)}))
					} else {
						_, err = svc.UpdateGroup(t.Context(), "a", first.ID, both)
					}
					if err != nil {
						t.Error(err)
					}
					for _, f := range []cohort.GroupFilter{{IsDefault: new(true)}, {IsGroupForGuests: new(true)}} {
						if n, err := svc.CountGroups(t.Context(), "a", f); err != nil || n != 1 {
							t.Errorf("%d groups have a flag, want 1, error %v", n, err)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}
