package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// addMembers adds customers from to until, both included, to a group.
func addMembers(t testing.TB, d *db.DB, store string, group, from, until int64) {
	t.Helper()
	var customers []cohort.Customer
	for id := from; id <= until; id++ {
		customers = append(customers, newCustomer(id, group))
	}
	addCustomers(t, d, store, customers...)
}

// depart is what deleting a group comes to.
func depart(tx *db.Tx, store string, group, slice int64) (more bool, err error) {
	if err := tx.DeleteGroup(store, group); err != nil {
		return false, err
	}
	return tx.UnassignMembers(store, group, slice)
}

// sweep writes one slice. Other goroutines than the test's may call it.
func sweep(t testing.TB, d *db.DB, slice int64) (more bool) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
		more, err = tx.SweepTombstones(slice)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return more && err == nil
}

// isTombstone reports whether rows may still name a deleted group: as long as
// the group is noted as departed, a row that names it counts as in none.
func isTombstone(t testing.TB, d *db.DB, store string, group int64) (yes bool) {
	t.Helper()
	const probe = 1 << 40
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := tx.InsertCustomer(store, newCustomer(probe, group), ""); err != nil {
			return err
		}
		c, err := tx.Customer(store, probe)
		yes = c.GroupID == 0
		return errors.Join(err, errOurs) // undo it
	})
	if !errors.Is(err, errOurs) || cohort.KindOf(err) != cohort.KindInternal {
		t.Fatal(err)
	}
	return yes
}

// wantMembers fails unless the groups of the store have these members, by the
// kept counts, by every way to count and list customers, and for each customer.
func wantMembers(t testing.TB, d *db.DB, store string, want map[int64]int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		kept, err := tx.MemberCounts(store)
		if err != nil {
			return err
		}
		for group, n := range kept {
			if n == 0 {
				delete(kept, group) // as good as missing
			}
		}
		listed := map[int64]int64{}
		var inNone int64
		customers, err := tx.ListCustomers(store, everybody, cohort.Page{Number: 1, Size: 100_000})
		for _, c := range customers {
			if one, err := tx.Customer(store, c.ID); err != nil || one.GroupID != c.GroupID {
				t.Errorf("customer %d is in group %d in the list, in %d alone (%v)", c.ID, c.GroupID, one.GroupID, err)
			}
			if c.GroupID == 0 {
				inNone++
				continue
			}
			listed[c.GroupID]++
		}
		for way, got := range map[string]map[int64]int64{"kept": kept, "listed": listed} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("members of groups of %s, %s (-want +got):\n%s", store, way, diff)
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
	list, listErr := tx.ListCustomers(store, f, cohort.Page{Number: 1, Size: 100_000})
	if n != want || int64(len(list)) != want || err != nil || listErr != nil {
		t.Errorf("by group %d of %s: count %d (%v), list %d (%v), want %d", group, store, n, err, len(list), listErr, want)
	}
	for _, c := range list {
		if c.GroupID != group {
			t.Errorf("by group %d of %s: customer %d of group %d", group, store, c.ID, c.GroupID)
		}
	}
}

func TestMemberCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		wantMembers(t, d, "a", map[int64]int64{})
		// More than there are slots, and in another store the same ids.
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
			update(t, d, func(tx *db.Tx) error { return dropCustomer(tx, "a", id) })
		}
		wantMembers(t, d, "a", map[int64]int64{1: 38, 2: 1})
		update(t, d, func(tx *db.Tx) error { return dropCustomer(tx, "a", 1) })
		wantMembers(t, d, "a", map[int64]int64{1: 38})
		wantMembers(t, d, "b", map[int64]int64{1: 2})
	})
}

// A group is left by all its members at once, however many slices of rows it
// takes to write that down.
func TestUnassignMembersAndSweep(t *testing.T) {
	for _, tt := range []struct {
		members int64
		more    bool
		sweeps  int // that find something to do
	}{
		{0, false, 0}, {1, false, 0}, {4, false, 0}, {5, false, 0}, {6, true, 1}, {9, true, 1}, {10, true, 1}, {11, true, 2}, {23, true, 4},
	} {
		const slice = 5
		t.Run(fmt.Sprint(tt.members, " members"), func(t *testing.T) {
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
					more, err := depart(tx, "a", 1, slice)
					if more != tt.more {
						t.Errorf("there is more to do: %v, want %v", more, tt.more)
					}
					return err
				})
				check()
				if left := isTombstone(t, d, "a", 1); left != tt.more {
					t.Errorf("the group is noted as departed: %v, want %v", left, tt.more)
				}
				for i := range tt.sweeps {
					if !sweep(t, d, slice) {
						t.Errorf("sweep %d has nothing to do", i+1)
					}
					check()
				}
				if isTombstone(t, d, "a", 1) || sweep(t, d, slice) {
					t.Errorf("after %d sweeps the group is still noted as departed", tt.sweeps)
				}
				check()
			})
		})
	}
}

// Neither half of a deletion is there without the other.
func TestUnassignMembersThatIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "stays"))
		addMembers(t, d, "a", 1, 1, 9)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := depart(tx, "a", 1, 3)
			return errors.Join(err, errOurs)
		})
		if !errors.Is(err, errOurs) {
			t.Fatal(err)
		}
		wantMembers(t, d, "a", map[int64]int64{1: 9})
		wantGroups(t, d, "a", newGroup(1, "stays"))
		if sweep(t, d, 3) {
			t.Error("there is something to sweep")
		}
	})
}

// What happens to customers whose rows still name a departed group must not
// bring its count back, nor take from another's.
func TestCustomersOfADepartedGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "leaves"), newGroup(2, "stays"))
		addMembers(t, d, "a", 1, 1, 20)
		update(t, d, func(tx *db.Tx) error { _, err := depart(tx, "a", 1, 2); return err })

		// The slices begin with the lowest ids, so these rows are not written yet.
		update(t, d, func(tx *db.Tx) error { return dropCustomer(tx, "a", 20) })
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
		if n := countCustomers(t, d, "a", everybody); n != 19 {
			t.Errorf("%d customers are left, want 19", n)
		}
	})
}

// Several nodes sweep at once, groups of several stores, while one of the
// stores is deleted.
func TestSweepOfSeveral(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		stores := []string{"a", "b", "gone"}
		addStores(t, d, stores...)
		for _, store := range stores {
			addGroups(t, d, store, newGroup(1, "leaves"), newGroup(2, "leaves"), newGroup(3, "stays"))
			for group := range int64(3) {
				addMembers(t, d, store, group+1, 100*group+1, 100*group+20)
			}
			for group := range int64(2) {
				update(t, d, func(tx *db.Tx) error { _, err := depart(tx, store, group+1, 3); return err })
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
				t.Errorf("a group of %s is still noted as departed", store)
			}
		}
	})
}
