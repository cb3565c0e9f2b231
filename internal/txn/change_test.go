package txn_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
	"cohort.example/cohort/internal/txn"

	"github.com/google/go-cmp/cmp"
)

func TestWatchReportsChanges(t *testing.T) {
	token := cohort.NewToken("secret")
	token.StoreKey, token.DateCreated = "a", t0
	flagged := newGroup(1, "first")
	flagged.IsDefault, flagged.IsGroupForGuests = true, true
	later := t0.Add(time.Hour)
	steps := []struct {
		do   func(tx *db.Tx) error
		want []string // nil: no call
	}{
		{func(tx *db.Tx) error { return tx.InsertToken(token) }, nil},
		{func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: "c"}) }, nil},
		{func(tx *db.Tx) error { return tx.InsertGroup("a", flagged) }, []string{"+a/1 first"}},
		{func(tx *db.Tx) error { return tx.InsertGroup("b", newGroup(1, "of b")) }, []string{"+b/1 of b"}},
		{func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) }, []string{"*a/1 first"}},
		{func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) }, nil},
		{func(tx *db.Tx) error { return tx.ClearGuestGroup("a", later) }, []string{"*a/1 first"}},
		{func(tx *db.Tx) error { return tx.ClearGuestGroup("a", later) }, nil},
		{func(tx *db.Tx) error { return tx.UpdateGroup("a", flagged, newGroup(1, "renamed")) }, []string{"*a/1 renamed"}},
		{func(tx *db.Tx) error {
			return errors.Join(tx.InsertGroup("b", newGroup(1, "x")), tx.DeleteGroup("b", 1))
		}, nil}, // fails: 1 is taken
		{func(tx *db.Tx) error { return tx.DeleteGroup("a", 1) }, []string{"-a/1"}},
		{func(tx *db.Tx) error {
			return tx.UpdateStore(cohort.Store{Hash: "a"}, cohort.Store{Hash: "a", Quota: 5})
		}, []string{"store a"}},
		{func(tx *db.Tx) error { return tx.DeleteToken(token.ID) }, []string{"no token"}},
		{func(tx *db.Tx) error { return tx.DeleteStore("b") }, []string{"no store b"}},
		{func(tx *db.Tx) error { _, err := tx.CountGroups("a", allGroups); return err }, nil},
	}
	eachBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		for i, step := range steps {
			_ = d.Update(t.Context(), step.do) // one of them fails
			if got := c.take(); !slices.Equal(got, step.want) {
				t.Errorf("step %d: notified of %q, want %q", i, got, step.want)
			}
		}
	})
}

// A change has every field of the group as it is in the database.
func TestWatchReportsWholeGroup(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		var notified []cohort.Group
		d.Watch(func(changes []db.Change) {
			for _, c := range changes {
				notified = append(notified, c.Group)
			}
		})
		later := t0.Add(time.Hour)
		var want []cohort.Group
		for _, do := range []func(tx *db.Tx) error{
			func(tx *db.Tx) error { return tx.InsertGroup("a", fullGroup(1)) },
			func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) },
			func(tx *db.Tx) error { return tx.ClearGuestGroup("a", t0) }, // does not set the date back
			func(tx *db.Tx) error { return tx.UpdateGroup("a", fullGroup(1), fullGroup(1)) },
		} {
			update(t, d, do)
			want = append(want, listGroups(t, d, "a", allGroups, onePage)...)
		}
		if diff := cmp.Diff(want, notified); diff != "" {
			t.Errorf("(-in the database +notified):\n%s", diff)
		}
		if got := notified[2].DateModified; !got.Equal(later) {
			t.Errorf("the date went back to %v", got)
		}
	})
}

// Watchers are notified after the commit is visible and before Update returns.
func TestWatchIsCalledBeforeUpdateReturns(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		notified, goOn := make(chan struct{}), make(chan struct{})
		d.Watch(func([]db.Change) { notified <- struct{}{}; <-goOn })
		done := queue(t, d, add("a", "x"))
		<-notified
		seen := make(chan struct{})
		go func() {
			defer close(seen)
			wantGroups(t, d, "a", newGroup(1, "x"))
		}()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("Update returned before the watcher did")
		}
		close(goOn)
		wantDone(t, done)
		<-seen
	})
}

// Every watcher is notified of every commit, in the order of the commits.
func TestWatchersAreCalledInOrder(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		var calls []string
		for _, name := range []string{"first", "second"} {
			d.Watch(func(changes []db.Change) { calls = append(calls, name+" gets "+describe(changes)) })
		}
		update(t, d, add("a", "x"))
		update(t, d, add("a", "y"))
		want := []string{"first gets +a/1 x", "second gets +a/1 x", "first gets +a/2 y", "second gets +a/2 y"}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// An idle node notices writes of another process. PostgreSQL has no such mechanism,
// see DB.SeesAllWrites.
func TestWatchReportsForeignWrites(t *testing.T) {
	sqliteBubble2(t, func(t *testing.T, d, other *db.DB) {
		c := watch(d)
		notified := make(chan struct{}, 1)
		d.Watch(func([]db.Change) { notified <- struct{}{} })
		for range 3 {
			update(t, other, add("a", newName()))
			begun := time.Now()
			<-notified // without a write of this node
			if waited := time.Since(begun); waited > 250*time.Millisecond {
				t.Errorf("the notification took %v on the fake clock", waited)
			}
			c.want(t, "anything")
		}
	})
}

// A watcher learns of foreign writes before a change of its own node. Otherwise a cache
// would apply the change to an older state.
func TestWatchReportsForeignWritesFirst(t *testing.T) {
	sqliteBubble2(t, func(t *testing.T, d, other *db.DB) {
		c := watch(d)
		update(t, other, add("a", "foreign"))
		update(t, other, add("a", "foreign too"))
		update(t, d, add("a", "ours"))
		c.want(t, "anything", "+a/3 ours")
		update(t, d, add("a", "ours too"))
		c.want(t, "+a/4 ours too")
	})
}

// Own writes, reads and checkpoints, and another node that only opens the database, do
// not count as foreign writes. Otherwise caches would be cleared again and again.
func TestOwnWorkIsNotForeign(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		foreign := 0
		d.Watch(func(changes []db.Change) {
			foreign += len(slices.DeleteFunc(slices.Clone(changes), func(c db.Change) bool { return c.Kind != db.AnythingChanged }))
		})
		addStores(t, d, "a")
		addNotes(t, d)
		c := d.NewCheckpointer(t)
		for round := range testenv.Times(4, 2) {
			for range 40 { // more than checkpointAfter
				update(t, d, add("a", newName()))
				countGroups(t, d, "a", allGroups)
			}
			writeNotes(t, d, txn.CheckpointPages, round)
			c.Bound()
			other, err := db.OpenExisting(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			countGroups(t, other, "a", allGroups)
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second) // on the fake clock: checks for foreign writes, and checkpoints
		}
		if foreign > 0 {
			t.Errorf("%d notifications of foreign writes", foreign)
		}
	})
}

// sqliteBubble2 is sqliteBubble with two nodes on one database.
func sqliteBubble2(t *testing.T, fn func(t *testing.T, d, other *db.DB)) {
	t.Helper()
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		fn(t, d, dbtest.Open(t, url))
	})
}
