package jobs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/db"
)

// beginImport begins an import with a lease of so long, and reports whether it
// could: while there is another it cannot.
func (f *fixture) beginImport(t *testing.T, lease time.Duration) (begun bool) {
	t.Helper()
	now := time.Now()
	err := f.db.Update(t.Context(), func(tx *db.Tx) (err error) {
		begun, err = tx.BeginImport(db.ImportLease{StoreHash: "a", Owner: "somebody", Now: now, Until: now.Add(lease)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

// What an import leaves that was killed is tidied up when its lease has run out,
// and not before.
func TestRunFinishesImports(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		if !f.beginImport(t, 30*time.Second) {
			t.Fatal("there is an import already")
		}
		f.run(t)
		time.Sleep(29 * time.Second) // of the bubble, at once
		synctest.Wait()
		if f.beginImport(t, time.Second) {
			t.Fatal("an import was tidied up whose lease holds")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !f.beginImport(t, time.Second) {
			t.Error("an import was left whose lease had run out")
		}
		f.wantNoLog(t)
	})
}
