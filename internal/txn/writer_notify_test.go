package txn_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"cohort.example/cohort/internal/db"
)

// A commit is readable before the watchers are notified of it. A view that has read it
// returns after they are notified. Otherwise its caller could then read an older value
// from a cache.
func TestViewWaitsForWatchers(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		var begin, returned atomic.Bool
		read, ended := make(chan struct{}), make(chan struct{})
		d.Watch(func([]db.Change) {
			if !begin.CompareAndSwap(true, false) {
				return
			}
			go func() {
				defer close(ended)
				view(t, d, func(tx *db.Tx) error {
					defer close(read)
					_, err := tx.Group("a", 1)
					return err
				})
				returned.Store(true)
			}()
			<-read
			synctest.Wait()
			if returned.Load() {
				t.Error("the view returned before the watcher")
			}
		})
		begin.Store(true)
		addGroups(t, d, "a", newGroup(1, "Wholesale"))
		<-ended
		if !returned.Load() {
			t.Error("the view has not returned")
		}
	})
}
