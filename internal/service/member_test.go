package service_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// memberBatch is the service's constant of the same name.
const memberBatch = 500

// wantMembers fails unless the store has exactly these groups with these numbers of
// members, and this number of customers without a group. It checks the counters, the
// filter and each customer.
func (s *fixture) wantMembers(t testing.TB, want map[int64]int64, none int64) {
	t.Helper()
	groups, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	counters, filtered := map[int64]int64{}, map[int64]int64{}
	for _, g := range groups {
		counters[g.ID] = g.Members
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
	for way, got := range map[string]map[int64]int64{"the counters": counters, "the filter": filtered, "the customers": seen} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members by %s (-want +got):\n%s", way, diff)
		}
	}
	if found := len(s.customers(t, cohort.CustomerFilter{GroupID: new(int64(0))})); int64(found) != none || inNone != none {
		t.Errorf("customers in no group: %d by the filter, %d by the customers, want %d", found, inNone, none)
	}
}

// wantGone fails unless a deleted group behaves like one that never existed.
func (s *fixture) wantGone(t testing.TB, id int64) {
	t.Helper()
	_, err := s.Group(t.Context(), "a", id)
	wantKind(t, err, cohort.KindNotFound)
	if found := s.customers(t, cohort.CustomerFilter{GroupID: &id}); len(found) != 0 {
		t.Errorf("the filter finds %d customers of the deleted group %d", len(found), id)
	}
	_, err = s.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{FirstName: new("x"), LastName: new("x"), Email: new("x@example.com"), GroupID: &id})
	wantError(t, err, noGroup)
}

// sweepOne sweeps one batch.
func (s *fixture) sweepOne(t testing.TB) (more bool) {
	t.Helper()
	more, err := s.SweepTombstones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return more
}

// signalled receives a signal of TombstonesAdded, if there is one.
func (s *fixture) signalled() bool {
	select {
	case <-s.TombstonesAdded():
		return true
	default:
		return false
	}
}

func TestListGroupMembers(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
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
			t.Errorf("with a filter: %+v, error %v", got, err)
		}
		if got, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 2, Size: 1}); err != nil || len(got) != 1 || got[0].ID != second {
			t.Errorf("the second page: %+v, error %v", got, err)
		}
	})
}

// DeleteGroup sends a signal if it leaves rows to the sweep, and only then. It does not
// wait for a receiver.
func TestTombstonesAdded(t *testing.T) {
	for members, want := range map[int]bool{0: false, memberBatch - 1: false, memberBatch: false, memberBatch + 1: true} {
		t.Run(fmt.Sprint(members, " members"), func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, s *fixture) {
				for range 2 {
					id := s.group(t, cohort.Group{})
					fill(t, s.db, "a", id, members)
					if err := s.DeleteGroup(t.Context(), "a", id); err != nil {
						t.Fatal(err)
					}
				}
				if got := s.signalled(); got != want {
					t.Errorf("signal: %v, want %v", got, want)
				}
				if s.signalled() {
					t.Error("a second signal")
				}
			})
		})
	}
}

// After DeleteGroup has returned, the members are in no group: before any sweep, between
// two sweeps, after a restart, and after the last sweep.
func TestDeleteLargeGroup(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		const members = 2*memberBatch + 7
		d := open(t, url)
		s := newFixture(t, d)
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
			t.Error("no rows are left after one batch")
		}
		s.wantMembers(t, want, none)

		// Of the rows that still contain the group's id, one customer moves to another
		// group, one is updated otherwise, and one is deleted.
		last := ids[members-1]
		if c, err := s.UpdateCustomer(t.Context(), "a", last, cohort.CustomerUpdate{GroupID: &small}); err != nil || c.GroupID != small {
			t.Errorf("moved to group %d, error %v", c.GroupID, err)
		}
		if c, err := s.UpdateCustomer(t.Context(), "a", last-1, cohort.CustomerUpdate{Phone: new("555")}); err != nil || c.GroupID != 0 {
			t.Errorf("updating the phone moved the customer to group %d, error %v", c.GroupID, err)
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
		s = &fixture{Service: newService(t, d, nil), db: d}
		s.wantMembers(t, want, none)
		s.wantGone(t, large)
		sweeps := 0
		for s.sweepOne(t) {
			sweeps++
			s.wantMembers(t, want, none)
		}
		if sweeps == 0 {
			t.Error("no rows were left after the restart")
		}
		if hasTombstone(t, d, large) {
			t.Error("the tombstone is still there after the last sweep")
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

// hasTombstone reports whether a group of the store "a" has a tombstone: only then is a
// customer whose row contains the group's id in no group.
func hasTombstone(t testing.TB, d *db.DB, group int64) (yes bool) {
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

// Customers join a group while it is deleted. Either they join before the deletion and
// end up in no group, or the group does not exist for them.
func TestJoinGroupDuringDeletion(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		joiner := s.create(t, ada("joiner@example.com"))
		total := 1
		for round := range testenv.Times(30, 12) {
			group := s.group(t, cohort.Group{IsDefault: round%2 == 0})
			if round == 10 { // this deletion leaves rows to the sweep
				total += len(fill(t, s.db, "a", group, memberBatch+1))
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
				if rejected := i >= 2 && err != nil; rejected {
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
