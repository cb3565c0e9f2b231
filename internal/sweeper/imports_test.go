package sweeper_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/db"
)

// beginImport begins an import with a lease. It reports false if there is another.
func (f *fixture) beginImport(t *testing.T, lease time.Duration) (begun bool) {
	t.Helper()
	now := time.Now()
	err := f.db.Update(t.Context(), func(tx *db.Tx) (err error) {
		begun, err = tx.BeginImport(db.ImportLease{StoreKey: "a", Owner: "another node", Now: now, Until: now.Add(lease)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

// The sweeper finishes an interrupted import when its lease has expired, and not before.
func TestRunFinishesImports(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		if !f.beginImport(t, 30*time.Second) {
			t.Fatal("there is an import already")
		}
		f.run(t)
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if f.beginImport(t, time.Second) {
			t.Fatal("an import is finished before its lease has expired")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !f.beginImport(t, time.Second) {
			t.Error("an import is left after its lease has expired")
		}
		f.wantNoLog(t)
	})
}
