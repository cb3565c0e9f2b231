package txn_test

import (
	"context"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// Calls that join a transaction see what it has written, undo only their own failures, and
// are committed with it.
func TestJoin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		c := watch(d)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			ctx := tx.Join(t.Context())
			if !txn.Joined(ctx) || txn.Joined(t.Context()) {
				t.Error("Joined does not tell the contexts apart")
			}
			insert := func(id int64, name string) error {
				return d.Update(ctx, func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(id, name)) })
			}
			if err := insert(1, "first"); err != nil {
				return err
			}
			wantKind(t, insert(2, "first"), cohort.KindInvalid) // the name is taken
			wantKind(t, d.Update(ctx, func(tx *db.Tx) error {
				if err := tx.InsertGroup("a", newGroup(3, "third")); err != nil {
					return err
				}
				return errTest
			}), cohort.KindOf(errTest))
			if err := insert(4, "fourth"); err != nil {
				return err
			}
			return d.View(ctx, func(tx *db.Tx) error {
				n, err := tx.CountGroups("a", allGroups)
				if n != 2 {
					t.Errorf("a joined view sees %d groups, want 2", n)
				}
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "ids", []int64{1, 4}, groupIDs(listGroups(t, d, "a", allGroups, onePage)))
		wantEqual(t, "changes", []string{"+a/1 first, +a/4 fourth"}, c.take())
	})
}

// The failure of the transaction undoes what joined calls have written.
func TestJoinedCallsAreUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		err := d.UpdateLong(t.Context(), func(tx *db.Tx) error {
			err := d.UpdateLong(tx.Join(t.Context()), func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "x")) })
			if err != nil {
				return err
			}
			return errTest
		})
		wantKind(t, err, cohort.KindOf(errTest))
		if n := countGroups(t, d, "a", allGroups); n != 0 {
			t.Errorf("%d groups are left", n)
		}
	})
}

// Other databases do not join.
func TestJoinIsOfOneDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		other := dbtest.Open(t, "sqlite:"+t.TempDir()+"/other.db")
		addStores(t, d, "a")
		addStores(t, other, "a")
		update(t, d, func(tx *db.Tx) error {
			return other.Update(tx.Join(context.Background()), func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "x")) })
		})
		if n := countGroups(t, other, "a", allGroups); n != 1 {
			t.Errorf("the other database has %d groups, want 1", n)
		}
		if n := countGroups(t, d, "a", allGroups); n != 0 {
			t.Errorf("the database has %d groups, want none", n)
		}
	})
}
