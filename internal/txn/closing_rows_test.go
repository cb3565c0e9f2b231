package txn_test

import (
	"fmt"
	"slices"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// closing inserts counters of stores that exist.
var closing = txn.NewClosingRows("counters", "EXISTS (SELECT 1 FROM stores WHERE hash = new.store_hash)",
	"store_hash TEXT", "kind TEXT", "last_id BIGINT")

// insertAtEnd adds n rows with consecutive numbers from first on.
func insertAtEnd(tx *db.Tx, store string, first, n int) error {
	for i := range n {
		if err := tx.InsertAtEnd(closing, store, fmt.Sprintf("end %04d", first+i), int64(first+i)); err != nil {
			return err
		}
	}
	return nil
}

func closedRows(t *testing.T, d *db.DB) (got []int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		rows, err := tx.Query("SELECT last_id FROM counters WHERE kind LIKE 'end%' ORDER BY kind")
		if err != nil {
			return err
		}
		got, err = txn.Collect(rows, func(s txn.Scanner) (n int64, err error) { return n, s.Scan(&n) })
		return err
	})
	return got
}

// Rows of the end are there after the commit, however many they are and whether or not the
// transaction needed a result, and not if their condition does not hold.
func TestInsertAtEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var want []int64
		for _, n := range []int{1, 3, 63, 250} {
			first := len(want)
			for i := range n {
				want = append(want, int64(first+i))
			}
			update(t, d, func(tx *db.Tx) error {
				if n == 3 {
					if _, err := tx.Exec("SELECT 1"); err != nil {
						return err
					}
				}
				if err := insertAtEnd(tx, "none", first, 1); err != nil {
					return err
				}
				return insertAtEnd(tx, "a", first, n)
			})
		}
		wantEqual(t, "rows", want, closedRows(t, d))
	})
}

// A failed update leaves no rows, and takes none from others that share its transaction.
func TestFailedUpdateInsertsNothingAtEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error {
			if err := insertAtEnd(tx, "a", 0, 1); err != nil {
				return err
			}
			ctx := tx.Join(t.Context())
			for i, n := range []int{2, 150} {
				err := d.Update(ctx, func(tx *db.Tx) error {
					if err := insertAtEnd(tx, "a", 100+100*i, n); err != nil {
						return err
					}
					return errTest
				})
				if err == nil {
					t.Error("a joined update succeeds")
				}
			}
			return d.Update(ctx, func(tx *db.Tx) error { return insertAtEnd(tx, "a", 1, 1) })
		})
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			if err := insertAtEnd(tx, "a", 10, 1); err != nil {
				return err
			}
			return errTest
		})
		if err == nil {
			t.Error("an update succeeds")
		}
		got := closedRows(t, d)
		if !slices.Equal(got, []int64{0, 1}) {
			t.Errorf("rows %d", got)
		}
	})
}
