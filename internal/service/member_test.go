package service_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// slice is how many rows of members one transaction of the service writes.
const slice = 500

// wantMembers fails unless the groups of the store, all of them, have these
// members, by the kept counts, by the filter, and by looking at each customer;
// and unless so many customers are in none.
func (s *shop) wantMembers(t testing.TB, want map[int64]int64, none int64) {
	t.Helper()
	groups, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	kept, filtered := map[int64]int64{}, map[int64]int64{}
	for _, g := range groups {
		kept[g.ID] = g.Members
		filtered[g.ID] = int64(len(s.customers(t, cohort.CustomerFilter{GroupID: &g.ID})))
	}
	seen := map[int64]int64{}
	for id := range want {
		seen[id] = 0
	}
	for _, c := range s.customers(t, cohort.CustomerFilter{}) {
		seen[c.GroupID]++
	}
	inNone := seen[0]
	delete(seen, 0)
	for way, got := range map[string]map[int64]int64{"kept": kept, "filtered": filtered, "seen": seen} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members, %s (-want +got):\n%s", way, diff)
		}
	}
	if found := len(s.customers(t, cohort.CustomerFilter{GroupID: new(int64(0))})); int64(found) != none || inNone != none {
		t.Errorf("in no group: %d by the filter, %d seen, want %d", found, inNone, none)
	}
}

// wantGone fails unless a deleted group looks as if it had never been.
func (s *shop) wantGone(t testing.TB, id int64) {
	t.Helper()
	_, err := s.Group(t.Context(), "a", id)
	wantKind(t, err, cohort.KindNotFound)
	if found := s.customers(t, cohort.CustomerFilter{GroupID: &id}); len(found) != 0 {
		t.Errorf("the filter finds %d customers of the deleted group %d", len(found), id)
	}
	_, err = s.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{FirstName: new("x"), LastName: new("x"), Email: new("x@example.com"), GroupID: &id})
	wantError(t, err, noGroup)
}

// sweepOne writes one slice.
func (s *shop) sweepOne(t testing.TB) (more bool) {
	t.Helper()
	more, err := s.SweepTombstones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return more
}

// signalled takes a signal that there is something to sweep.
func (s *shop) signalled() bool {
	select {
	case <-s.TombstonesAdded():
		return true
	default:
		return false
	}
}

func TestListGroupMembers(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		s.wantMembers(t, map[int64]int64{}, 0)
		first, second := s.group(t, cohort.Group{}), s.group(t, cohort.Group{IsDefault: true})
		ids := fill(t, s.db, "a", first, 40)
		fill(t, s.db, "b", first, 3) // the same id in another store
		byDefault := s.create(t, ada("ada@example.com"))
		s.wantMembers(t, map[int64]int64{first: 40, second: 1}, 0)
		for i, u := range []cohort.CustomerUpdate{{GroupID: &second}, {GroupID: new(int64(0))}, {GroupID: &first}, {Phone: new("555")}} {
			if _, err := s.UpdateCustomer(t.Context(), "a", ids[i], u); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []int64{ids[4], byDefault.ID, ids[1]} {
			if err := s.DeleteCustomer(t.Context(), "a", id); err != nil {
				t.Fatal(err)
			}
		}
		s.wantMembers(t, map[int64]int64{first: 37, second: 1}, 0)
		if err := s.DeleteCustomers(t.Context(), "a", cohort.CustomerFilter{GroupID: &first, MinID: ids[20]}, 100); err != nil {
			t.Fatal(err)
		}
		s.wantMembers(t, map[int64]int64{first: 17, second: 1}, 0)

		// The filter and the page are those of ListGroups.
		got, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{IsDefault: new(true)}, cohort.Page{Number: 1, Size: 1})
		if err != nil || len(got) != 1 || got[0].ID != second || got[0].Members != 1 {
			t.Errorf("the default group: %+v, error %v", got, err)
		}
		if got, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 2, Size: 1}); err != nil || len(got) != 1 || got[0].ID != second {
			t.Errorf("the second page: %+v, error %v", got, err)
		}
	})
}

// A signal for each deletion that leaves rows behind, and for no other. Nobody
// has to listen.
func TestDepartures(t *testing.T) {
	for members, want := range map[int]bool{0: false, slice - 1: false, slice: false, slice + 1: true} {
		t.Run(fmt.Sprint(members, " members"), func(t *testing.T) {
			eachShop(t, func(t *testing.T, s *shop) {
				for range 2 {
					id := s.group(t, cohort.Group{})
					fill(t, s.db, "a", id, members)
					if err := s.DeleteGroup(t.Context(), "a", id); err != nil {
						t.Fatal(err)
					}
				}
				if got := s.signalled(); got != want {
					t.Errorf("signalled %v, want %v", got, want)
				}
				if s.signalled() {
					t.Error("signalled twice")
				}
			})
		})
	}
}

// From the moment that DeleteGroup returns, its members are in no group: before
// any sweep, between two, after the process has ended and begun anew, and at
// the end.
func TestDeleteLargeGroup(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		const members = 2*slice + 7
		d := open(t, url)
		s := newShop(t, d)
		large, small := s.group(t, cohort.Group{IsDefault: true}), s.group(t, cohort.Group{})
		ids := fill(t, d, "a", large, members)
		fill(t, d, "a", small, 5)
		fill(t, d, "a", 0, 2)
		want, none := map[int64]int64{small: 5}, int64(members+2)

		if err := s.DeleteGroup(t.Context(), "a", large); err != nil {
			t.Fatal(err)
		}
		s.wantMembers(t, want, none)
		s.wantGone(t, large)

		if !s.sweepOne(t) {
			t.Error("after one slice there is nothing more to do")
		}
		s.wantMembers(t, want, none)

		// Rows that still name the group: one customer moves, one goes, one stays
		// and is changed in another respect.
		last := ids[members-1]
		if c, err := s.UpdateCustomer(t.Context(), "a", last, cohort.CustomerUpdate{GroupID: &small}); err != nil || c.GroupID != small {
			t.Errorf("moved to group %d, error %v", c.GroupID, err)
		}
		if c, err := s.UpdateCustomer(t.Context(), "a", last-1, cohort.CustomerUpdate{Phone: new("555")}); err != nil || c.GroupID != 0 {
			t.Errorf("a phone number put it in group %d, error %v", c.GroupID, err)
		}
		if err := s.DeleteCustomer(t.Context(), "a", last-2); err != nil {
			t.Error(err)
		}
		want[small]++
		none -= 2
		s.wantMembers(t, want, none)

		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = open(t, url)
		defer d.Close()
		s = &shop{newService(t, d, nil), d, nil}
		s.wantMembers(t, want, none)
		s.wantGone(t, large)
		sweeps := 0
		for s.sweepOne(t) {
			sweeps++
			s.wantMembers(t, want, none)
		}
		if sweeps == 0 {
			t.Error("after the restart there was nothing left to do")
		}
		if departed(t, d, large) {
			t.Error("the group is still noted as departed")
		}
		s.wantMembers(t, want, none)
		s.wantGone(t, large)
	})
}

// open opens a database that the test closes itself.
func open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// departed reports whether a group of the store "a" is noted as departed: a row
// that names it counts as in none only then.
func departed(t testing.TB, d *db.DB, group int64) (yes bool) {
	t.Helper()
	id := fill(t, d, "a", group, 1)[0]
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		c, err := tx.Customer("a", id)
		if err != nil {
			return err
		}
		yes = c.GroupID == 0
		return tx.DeleteCustomer("a", c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

// Somebody joins a group, or is made a member of it, while it is being deleted:
// either it was there and is left at once, or it was not there.
func TestJoinAGroupThatIsBeingDeleted(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		joiner := s.create(t, ada("joiner@example.com"))
		total := 1
		for round := range 30 {
			group := s.group(t, cohort.Group{IsDefault: round%2 == 0})
			if round == 10 { // and once rows are left behind
				total += len(fill(t, s.db, "a", group, slice+1))
			}
			u := ada(fmt.Sprint(round, "@example.com"))
			named := ada(fmt.Sprint(round, "@named.example"))
			named.GroupID = &group
			calls := []func() error{
				func() error { return s.DeleteGroup(t.Context(), "a", group) },
				func() error { _, err := s.CreateCustomer(t.Context(), "a", u); return err },
				func() error { _, err := s.CreateCustomer(t.Context(), "a", named); return err },
				func() error {
					_, err := s.UpdateCustomer(t.Context(), "a", joiner.ID, cohort.CustomerUpdate{GroupID: &group})
					return err
				},
			}
			errs := make([]error, len(calls))
			start := make(chan struct{})
			var wg sync.WaitGroup
			for i, call := range calls {
				wg.Go(func() { <-start; errs[i] = call() })
			}
			close(start)
			wg.Wait()
			total += 2
			for i, err := range errs {
				if refused := i >= 2 && err != nil; refused {
					wantError(t, err, noGroup)
				} else if err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
			if errs[2] != nil {
				total--
			}
			s.wantMembers(t, map[int64]int64{}, int64(total))
		}
		for s.sweepOne(t) {
		}
		s.wantMembers(t, map[int64]int64{}, int64(total))
	})
}
