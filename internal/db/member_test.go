package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// addMembers adds customers with the ids from to until, inclusive, to a group.
func addMembers(t testing.TB, d *db.DB, store string, group, from, until int64) {
	t.Helper()
	var customers []cohort.Customer
	for id := from; id <= until; id++ {
		customers = append(customers, newCustomer(id, group))
	}
	addCustomers(t, d, store, customers...)
}

// deleteGroup deletes a group and unassigns its members, as the service does.
func deleteGroup(tx *db.Tx, store string, group, limit int64) (more bool, err error) {
	if err := tx.DeleteGroup(store, group); err != nil {
		return false, err
	}
	return tx.UnassignMembers(store, group, limit)
}

// sweep calls SweepTombstones once. Any goroutine may call it.
func sweep(t testing.TB, d *db.DB, limit int64) (more bool) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
		more, err = tx.SweepTombstones(limit, nil)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return more && err == nil
}

// isTombstone reports whether a deleted group has a tombstone. It inserts a
// customer in the group: with a tombstone, the customer counts as in no group.
func isTombstone(t testing.TB, d *db.DB, store string, group int64) (yes bool) {
	t.Helper()
	const probe = 1 << 40
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := tx.InsertCustomer(store, newCustomer(probe, group), ""); err != nil {
			return err
		}
		c, err := tx.Customer(store, probe)
		yes = c.GroupID == 0
		return errors.Join(err, errTest) // rolls back
	})
	if !errors.Is(err, errTest) || cohort.KindOf(err) != cohort.KindInternal {
		t.Fatal(err)
	}
	return yes
}

// wantMembers fails unless the groups of the store have these numbers of members
// by the stored counts, by every filter and list, and by each customer.
func wantMembers(t testing.TB, d *db.DB, store string, want map[int64]int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		stored, err := tx.MemberCounts(store)
		if err != nil {
			return err
		}
		for group, n := range stored {
			if n == 0 {
				delete(stored, group) // the same as no count
			}
		}
		listed := map[int64]int64{}
		var inNone int64
		customers, err := dbtest.Customers(tx, store, allCustomers, cohort.Page{Number: 1, Size: 100_000})
		for _, c := range customers {
			if one, err := tx.Customer(store, c.ID); err != nil || one.GroupID != c.GroupID {
				t.Errorf("customer %d is in group %d by the list, in %d by its id (%v)", c.ID, c.GroupID, one.GroupID, err)
			}
			if c.GroupID == 0 {
				inNone++
				continue
			}
			listed[c.GroupID]++
		}
		for source, got := range map[string]map[int64]int64{"stored": stored, "listed": listed} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("members of groups of %s, %s (-want +got):\n%s", store, source, diff)
			}
		}
		for group := range int64(10) {
			n := want[group]
			if group == 0 {
				n = inNone
			}
			wantFilter(t, tx, store, group, n)
		}
		return err
	})
}

func wantFilter(t testing.TB, tx *db.Tx, store string, group, want int64) {
	t.Helper()
	f := cohort.CustomerFilter{GroupID: &group}
	n, err := tx.CountCustomers(store, f)
	list, listErr := dbtest.Customers(tx, store, f, cohort.Page{Number: 1, Size: 100_000})
	if n != want || int64(len(list)) != want || err != nil || listErr != nil {
		t.Errorf("filter by group %d of %s: count %d (%v), list %d (%v), want %d", group, store, n, err, len(list), listErr, want)
	}
	for _, c := range list {
		if c.GroupID != group {
			t.Errorf("filter by group %d of %s: customer %d of group %d", group, store, c.ID, c.GroupID)
		}
	}
}

func TestMemberCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		wantMembers(t, d, "a", map[int64]int64{})
		// More members than slots, and the same ids in another store.
		addMembers(t, d, "a", 1, 1, 40)
		addMembers(t, d, "a", 2, 41, 43)
		addMembers(t, d, "a", 0, 44, 45)
		addMembers(t, d, "b", 1, 1, 2)
		wantMembers(t, d, "a", map[int64]int64{1: 40, 2: 3})

		for id, group := range map[int64]int64{1: 2, 2: 0, 3: 1, 44: 1} {
			update(t, d, func(tx *db.Tx) error {
				return changeCustomer(tx, "a", id, func(c *cohort.Customer) { c.GroupID = group })
			})
		}
		for _, id := range []int64{4, 41, 42, 43, 45} {
			update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", id) })
		}
		wantMembers(t, d, "a", map[int64]int64{1: 38, 2: 1})
		update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", 1) })
		wantMembers(t, d, "a", map[int64]int64{1: 38})
		wantMembers(t, d, "b", map[int64]int64{1: 2})
	})
}

// TestUnassignMembersAndSweep checks that all members leave a group with its
// deletion, however many sweeps it takes to update their rows.
func TestUnassignMembersAndSweep(t *testing.T) {
	type test struct {
		members int64
		more    bool
		sweeps  int // the number of sweeps that find rows
	}
	all := []test{
		{0, false, 0}, {1, false, 0}, {4, false, 0}, {5, false, 0}, {6, true, 1}, {9, true, 1}, {10, true, 1}, {11, true, 2}, {23, true, 4},
	}
	edges := []test{{0, false, 0}, {5, false, 0}, {6, true, 1}, {11, true, 2}}
	for _, tt := range testenv.Times(all, edges) {
		const limit = 5
		t.Run(fmt.Sprint(tt.members, " members"), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addStores(t, d, "a", "b")
				for _, store := range []string{"a", "b"} {
					addGroups(t, d, store, newGroup(1, "leaves"), newGroup(2, "stays"))
					addMembers(t, d, store, 1, 1, tt.members)
					addMembers(t, d, store, 2, 101, 107)
				}
				check := func() {
					t.Helper()
					wantMembers(t, d, "a", map[int64]int64{2: 7})
					want := map[int64]int64{1: tt.members, 2: 7}
					if tt.members == 0 {
						delete(want, 1)
					}
					wantMembers(t, d, "b", want)
				}
				update(t, d, func(tx *db.Tx) error {
					more, err := deleteGroup(tx, "a", 1, limit)
					if more != tt.more {
						t.Errorf("more members are left: %v, want %v", more, tt.more)
					}
					return err
				})
				check()
				if left := isTombstone(t, d, "a", 1); left != tt.more {
					t.Errorf("the group has a tombstone: %v, want %v", left, tt.more)
				}
				for i := range tt.sweeps {
					if !sweep(t, d, limit) {
						t.Errorf("sweep %d found no rows", i+1)
					}
					check()
				}
				if isTombstone(t, d, "a", 1) || sweep(t, d, limit) {
					t.Errorf("after %d sweeps the group still has a tombstone", tt.sweeps)
				}
				check()
			})
		})
	}
}

// TestUnassignMembersRolledBack checks that a rolled back deletion leaves neither a
// tombstone nor changed rows.
func TestUnassignMembersRolledBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "stays"))
		addMembers(t, d, "a", 1, 1, 9)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := deleteGroup(tx, "a", 1, 3)
			return errors.Join(err, errTest)
		})
		if !errors.Is(err, errTest) {
			t.Fatal(err)
		}
		wantMembers(t, d, "a", map[int64]int64{1: 9})
		wantGroups(t, d, "a", newGroup(1, "stays"))
		if sweep(t, d, 3) {
			t.Error("a sweep found rows")
		}
	})
}

// TestCustomersOfADeletedGroup checks that writes of customers whose rows still name
// a deleted group change neither its count nor that of another group.
func TestCustomersOfADeletedGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "leaves"), newGroup(2, "stays"))
		addMembers(t, d, "a", 1, 1, 20)
		update(t, d, func(tx *db.Tx) error { _, err := deleteGroup(tx, "a", 1, 2); return err })

		// Sweeps begin with the lowest ids, so these rows still name the group.
		update(t, d, func(tx *db.Tx) error { return deleteCustomer(tx, "a", 20) })
		update(t, d, func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 19, func(c *cohort.Customer) { c.GroupID = 2 })
		})
		update(t, d, func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 18, func(c *cohort.Customer) { c.FirstName = "Grace" })
		})
		for {
			wantMembers(t, d, "a", map[int64]int64{2: 1})
			if n := countCustomers(t, d, "a", cohort.CustomerFilter{GroupID: new(int64(0)), FirstName: new("Grace")}); n != 1 {
				t.Errorf("by no group and a name: %d customers, want 1", n)
			}
			if !sweep(t, d, 2) {
				break
			}
		}
		if n := countCustomers(t, d, "a", allCustomers); n != 19 {
			t.Errorf("%d customers are left, want 19", n)
		}
	})
}

// TestConcurrentSweeps sweeps groups of several stores from several goroutines,
// while one of the stores is deleted.
func TestConcurrentSweeps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		stores := []string{"a", "b", "gone"}
		addStores(t, d, stores...)
		for _, store := range stores {
			addGroups(t, d, store, newGroup(1, "leaves"), newGroup(2, "leaves too"), newGroup(3, "stays"))
			for group := range int64(3) {
				addMembers(t, d, store, group+1, 100*group+1, 100*group+20)
			}
			for group := range int64(2) {
				update(t, d, func(tx *db.Tx) error { _, err := deleteGroup(tx, store, group+1, 3); return err })
			}
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for sweep(t, d, 3) {
				}
			})
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("gone") })
		wg.Wait()
		for _, store := range stores[:2] {
			wantMembers(t, d, store, map[int64]int64{3: 20})
			if isTombstone(t, d, store, 1) || isTombstone(t, d, store, 2) {
				t.Errorf("a group of %s still has a tombstone", store)
			}
		}
	})
}
