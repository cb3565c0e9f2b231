package sweeper_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// deleteStore creates a store with a group and marks it as deleted, as a process does
// that is killed before it deletes the rows.
func (f *fixture) deleteStore(t *testing.T, hash string) {
	t.Helper()
	if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: hash}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.CreateGroup(t.Context(), hash, cohort.Group{Name: "left"}); err != nil {
		t.Fatal(err)
	}
	err := f.db.Update(t.Context(), func(tx *db.Tx) error { return tx.MarkStoreDeleted(hash, time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) wantNoDeletedStores(t *testing.T) {
	t.Helper()
	synctest.Wait()
	left, err := f.svc.DeletedStores(t.Context())
	if len(left) != 0 || err != nil {
		t.Errorf("deleted stores are left: %v, error %v", left, err)
	}
}

// The sweeper deletes the rows of stores that were deleted before its start, and after.
func TestRunSweepsDeletedStores(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deleteStore(t, "gone")
		f.run(t)
		time.Sleep(2 * time.Second)
		f.wantNoDeletedStores(t)
		f.deleteStore(t, "gone-too")
		time.Sleep(2 * time.Minute)
		f.wantNoDeletedStores(t)
	})
}
