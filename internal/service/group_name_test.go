package service_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// isNameTaken reports whether err says that another group has the name.
func isNameTaken(err error) bool {
	e, ok := errors.AsType[*cohort.Error](err)
	return ok && e.Kind == cohort.KindInvalid && e.Field == "name" && e.Reason == "Another customer group has this name."
}

func wantNameTaken(t testing.TB, what string, err error) {
	t.Helper()
	if !isNameTaken(err) {
		t.Errorf("%s: got error %v, want that the name is taken", what, err)
	}
}

// Two names are equal if they differ in case or in the space around them only, and if
// they differ in how they are composed.
var sameNames = map[string]string{
	"VIP": "vip", "Trade": "  trade\t", "Straße": "STRASSE", "Ärzte": "a\u0308RZTE", "ΣΑΣ": "σας", "ﬁne": "FINE",
}

var otherNames = map[string]string{"A B": "A  B", "A": "Á", "Trade": "Trade.", "A C": "AC"}

func TestGroupNamesAreUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		stores := 0
		newStore := func() string {
			stores++
			hash := fmt.Sprint("s", stores)
			if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash}); err != nil {
				t.Fatal(err)
			}
			return hash
		}
		for name, again := range sameNames {
			store := newStore()
			first := mustCreate(t, svc, store, cohort.Group{Name: name, IsDefault: true})
			other := mustCreate(t, svc, store, cohort.Group{Name: "other"})
			_, err := svc.CreateGroup(t.Context(), store, cohort.Group{Name: again, IsDefault: true})
			wantNameTaken(t, "create "+again, err)
			_, err = svc.UpdateGroup(t.Context(), store, other.ID, cohort.GroupUpdate{Name: &again, IsDefault: new(true)})
			wantNameTaken(t, "rename to "+again, err)
			wantGroups(t, svc, store, first, other)

			// A group may be renamed to a form of its own name.
			first = mustUpdate(t, svc, store, first.ID, cohort.GroupUpdate{Name: &again})
			wantGroups(t, svc, store, first, other)
			mustCreate(t, svc, newStore(), cohort.Group{Name: name})
		}
		for name, other := range otherNames {
			store := newStore()
			first, second := mustCreate(t, svc, store, cohort.Group{Name: name}), mustCreate(t, svc, store, cohort.Group{Name: other})
			wantGroups(t, svc, store, first, second)
		}
	})
}

// A name is free again after its group is deleted or renamed.
func TestGroupNameIsFreed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		first, second := mustCreate(t, svc, "a", cohort.Group{Name: "x"}), mustCreate(t, svc, "a", cohort.Group{Name: "y"})
		mustUpdate(t, svc, "a", first.ID, cohort.GroupUpdate{Name: new("z")})
		second = mustUpdate(t, svc, "a", second.ID, cohort.GroupUpdate{Name: new("X")})
		if err := svc.DeleteGroup(t.Context(), "a", first.ID); err != nil {
			t.Fatal(err)
		}
		third := mustCreate(t, svc, "a", cohort.Group{Name: "Z"})
		wantGroups(t, svc, "a", second, third)
	})
}

// eachNodes runs fn with the services of one or several nodes on one database.
func eachNodes(t *testing.T, fn func(t *testing.T, d *db.DB, nodes ...*service.Service)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, other := dbtest.Open(t, url), dbtest.Open(t, url)
		fn(t, d, newService(t, d, []string{"a"}), newService(t, other, nil))
	})
}

// Of many concurrent creates of one name, on two nodes, one succeeds. Creates of other
// names at the same time, which may share their transactions, succeed.
func TestConcurrentCreatesOfOneName(t *testing.T) {
	callers, rounds := 24, testenv.Times(20, 4)
	eachNodes(t, func(t *testing.T, d *db.DB, nodes ...*service.Service) {
		for round := range rounds {
			errs := together(callers, func(i int) error {
				name := fmt.Sprintf("%s %d", []string{"One", "ONE", " one"}[i%3], round)
				if i%4 == 0 {
					name = fmt.Sprintf("of its own %d %d", round, i)
				}
				_, err := nodes[i%2].CreateGroup(t.Context(), "a", cohort.Group{Name: name})
				return err
			})
			won := 0
			for i, err := range errs {
				switch {
				case i%4 == 0 && err != nil:
					t.Errorf("round %d, a name of its own: %v", round, err)
				case i%4 != 0 && err == nil:
					won++
				case i%4 != 0:
					wantNameTaken(t, fmt.Sprint("round ", round), err)
				}
			}
			if won != 1 {
				t.Errorf("round %d: %d creates of one name succeeded, want 1", round, won)
			}
		}
		wantUniqueNames(t, d, rounds*(1+callers/4))
	})
}

// Nodes that create the same names in opposite orders do not wait for each other for
// ever, and each name is created once.
func TestConcurrentCreatesOfSeveralNames(t *testing.T) {
	const callers, names = 16, 30
	eachNodes(t, func(t *testing.T, d *db.DB, nodes ...*service.Service) {
		var won atomic.Int64
		together(callers, func(i int) error {
			for n := range names {
				if i%2 == 0 {
					n = names - 1 - n
				}
				name := fmt.Sprint("group ", n)
				if _, err := nodes[i/2%2].CreateGroup(t.Context(), "a", cohort.Group{Name: name}); err == nil {
					won.Add(1)
				} else {
					wantNameTaken(t, name, err)
				}
			}
			return nil
		})
		if n := won.Load(); n != names {
			t.Errorf("%d creates succeeded, want %d", n, names)
		}
		wantUniqueNames(t, d, names)
	})
}

// Callers rename, delete and create groups concurrently, with few names. Of each name
// there is one group at most.
func TestConcurrentRenames(t *testing.T) {
	const callers, names = 8, 4
	calls := testenv.Times(40, 15)
	eachNodes(t, func(t *testing.T, d *db.DB, nodes ...*service.Service) {
		var last atomic.Int64
		last.Store(1)
		together(callers, func(i int) error {
			svc := nodes[i%2]
			for n := range calls {
				name, id := fmt.Sprint("name ", (i*5+n*3)%names), 1+int64(i*7+n*11)%last.Load()
				var err error
				switch (i + n) % 4 {
				case 0, 1:
					_, err = svc.UpdateGroup(t.Context(), "a", id, cohort.GroupUpdate{Name: &name})
				case 2:
					var g cohort.Group
					g, err = svc.CreateGroup(t.Context(), "a", cohort.Group{Name: name})
					for known := last.Load(); known < g.ID && !last.CompareAndSwap(known, g.ID); known = last.Load() {
					}
				default:
					err = svc.DeleteGroup(t.Context(), "a", id)
				}
				if err != nil && !isNameTaken(err) && cohort.KindOf(err) != cohort.KindNotFound {
					t.Error(err)
				}
			}
			return nil
		})
		wantUniqueNames(t, d, -1)
		for n := range names {
			name := fmt.Sprint("name ", n)
			if _, err := nodes[0].CreateGroup(t.Context(), "a", cohort.Group{Name: name}); err != nil {
				wantNameTaken(t, name, err)
			}
			_, err := nodes[1].CreateGroup(t.Context(), "a", cohort.Group{Name: name})
			wantNameTaken(t, name, err)
		}
		wantUniqueNames(t, d, names)
	})
}

// wantUniqueNames fails unless the store "a" has a number of groups, all with different
// names. A negative number stands for any.
func wantUniqueNames(t *testing.T, d *db.DB, want int) {
	t.Helper()
	groups := dbtest.ListGroups(t, d, "a", cohort.GroupFilter{}, everything)
	seen := map[string]int64{}
	for _, g := range groups {
		if other := seen[db.Fold(g.Name)]; other != 0 {
			t.Errorf("groups %d and %d have the name %q", other, g.ID, g.Name)
		}
		seen[db.Fold(g.Name)] = g.ID
	}
	if want >= 0 && len(groups) != want {
		t.Errorf("the store has %d groups, want %d", len(groups), want)
	}
}
