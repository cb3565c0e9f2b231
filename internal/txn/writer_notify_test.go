package txn_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"cohort.example/cohort/internal/db"
)

// What is committed can be read before those who watch are told of it. Who has
// read it gets it when they are: if he asks one of them next, he is not shown
// less.
func TestViewWaitsUntilWatchersKnow(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		var begin, back atomic.Bool
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
				back.Store(true)
			}()
			<-read
			synctest.Wait()
			if back.Load() {
				t.Error("a reader has the group before the watcher knows of it")
			}
		})
		begin.Store(true)
		addGroups(t, d, "a", newGroup(1, "Wholesale"))
		<-ended
		if !back.Load() {
			t.Error("the reader waits for ever")
		}
	})
}
