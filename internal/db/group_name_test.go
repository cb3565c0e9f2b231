package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// wantTaken fails unless err says that the name of a group is taken.
func wantTaken(t *testing.T, err error) {
	t.Helper()
	if cohort.KindOf(err) != cohort.KindInvalid || !strings.Contains(err.Error(), "name: Another customer group has this name.") {
		t.Errorf("got error %v, want that the name is taken", err)
	}
}

// A duplicate name is told apart from the violations of other unique indexes, and is
// not retried.
func TestGroupNameIsTaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		first := newGroup(1, "VIP")
		first.IsDefault = true
		addGroups(t, d, "a", first)
		addGroups(t, d, "b", newGroup(1, "vip"))
		calls := 0
		wantTaken(t, d.Update(t.Context(), func(tx *db.Tx) error {
			calls++
			return tx.InsertGroup("a", newGroup(2, "vip"))
		}))
		if calls != 1 {
			t.Errorf("the transaction ran %d times, want once", calls)
		}
		second := newGroup(2, "second")
		second.IsDefault = true
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", second) }), cohort.KindConflict)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "another")) }), cohort.KindConflict)
		wantGroups(t, d, "a", first)
	})
}

// A change of a name looks for groups of the old name in the index of names. It once read
// all groups of the store in the order of their ids.
func TestPlanOfARename(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		groups := make([]cohort.Group, 2000)
		for i := range groups {
			groups[i] = newGroup(int64(i)+1, fmt.Sprint("group ", i))
		}
		addGroups(t, d, "a", groups...)
		update(t, d, func(tx *db.Tx) error {
			if tx.SQL().ForUpdate == "" { // SQLite, which plans without statistics
				return nil
			}
			_, err := tx.Exec("ANALYZE customer_groups")
			return err
		})
		update(t, d, func(tx *db.Tx) error {
			plans, err := tx.Plans(func() error { return tx.UpdateGroup("a", groups[0], newGroup(1, "another")) })
			if len(plans) != 2 {
				t.Errorf("%d plans, want those of two statements", len(plans))
			}
			for _, plan := range plans {
				for step := range strings.SplitSeq(plan, "\n") {
					step = strings.TrimSpace(step)
					if strings.Contains(step, "Seq Scan") || step == "Index Cond: (store_hash = 'a'::text)" || strings.HasSuffix(step, "(store_hash=?)") {
						t.Errorf("%s\n%s", step, plan)
					}
				}
			}
			return err
		})
	})
}

// Creates that wait together share a transaction. One whose name is taken, by a group
// from before or by another one of them, does not fail the others.
func TestTakenNamesAmongSharedCreates(t *testing.T) {
	const creates = 300 // more than one transaction takes
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "taken") })
		errs := make([]error, creates)
		var all sync.WaitGroup
		for i := range creates {
			all.Go(func() {
				name := fmt.Sprint("group ", i)
				switch i % 30 {
				case 0:
					name = "TAKEN"
				case 1, 2:
					name = fmt.Sprint("twice ", i/30)
				}
				errs[i] = d.Update(t.Context(), func(tx *db.Tx) error { return addNext(tx, "a", name) })
			})
		}
		all.Wait()
		for i, err := range errs {
			switch {
			case i%30 == 0:
				wantTaken(t, err)
			case i%30 == 1:
				if second := errs[i+1]; (err == nil) == (second == nil) {
					t.Errorf("creates %d and %d of one name: %v and %v", i, i+1, err, second)
				}
			case i%30 > 2 && err != nil:
				t.Errorf("create %d: %v", i, err)
			}
		}
		if n := countGroups(t, d, "a", allGroups); n != 1+creates-creates/30*2 {
			t.Errorf("the store has %d groups, want %d", n, 1+creates-creates/30*2)
		}
	})
}

// The longest name that the rules accept has more than 3 000 bytes when it is folded.
// An index of PostgreSQL stores 2 704 bytes of a row, after it has compressed them.
func TestLongestGroupNames(t *testing.T) {
	signs := []rune("\U0001D15F\U0001D160\U0001D161\U0001D162\U0001D163\U0001D164\U0001D1BB\U0001D1BC\U0001D1BD\U0001D1BE\U0001D1BF\U0001D1C0")
	var name strings.Builder
	for i := range cohort.MaxNameLength {
		name.WriteRune(signs[i*i*7919%101%len(signs)])
	}
	if n := len(db.Fold(name.String())); n < 2704 {
		t.Errorf("the folded name has %d bytes", n)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		g := newGroup(1, name.String())
		addGroups(t, d, "a", g)
		g.ID = 2
		wantTaken(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", g) }))
	})
}
