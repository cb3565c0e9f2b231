package txn_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// noReceipts has a statement that makes writes of receipts fail: for SQLite (true), which
// sees all writes, and for PostgreSQL.
var noReceipts = map[bool]string{
	true:  "CREATE TRIGGER no_receipts BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'full'); END",
	false: "ALTER TABLE receipts ADD CONSTRAINT no_receipts CHECK (slot NOT LIKE '%probe') NOT VALID",
}

// changed returns how many rows a statement changes.
func changed(t *testing.T, d *db.DB, statement string) (n int) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		rows, err := tx.Exec(statement)
		n = int(rows)
		return err
	})
	return n
}

func TestProbeWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const probes = "UPDATE receipts SET number = number WHERE slot LIKE '%probe'"
		for range 3 {
			if err := d.ProbeWrite(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		wantEqual(t, "rows of three probes", 1, changed(t, d, probes))
		wantEqual(t, "rows with their number", 1, changed(t, d, probes+" AND number = 3"))
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(noReceipts[d.SeesAllWrites()])
			return err
		})
		if err := d.ProbeWrite(t.Context()); err == nil {
			t.Error("the probe succeeds although it cannot write")
		}
	})
}

// FailedWrites counts failures of the database, and not errors of the caller.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	d := dbtest.Open(t, url)
	addStores(t, d, "a")
	again := func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: "a"}) }
	wantKind(t, d.Update(t.Context(), again), cohort.KindConflict)
	wantEqual(t, "failed writes", int64(0), d.FailedWrites())
	remove(t, strings.TrimPrefix(url, "sqlite:"))
	wantKind(t, d.ProbeWrite(t.Context()), cohort.KindUnavailable)
	wantEqual(t, "failed writes", int64(1), d.FailedWrites())
}
