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
	"cohort.example/cohort/internal/txn"

	"github.com/google/go-cmp/cmp"
)

func TestWatchIsToldWhatChanged(t *testing.T) {
	token := cohort.NewToken("secret")
	token.StoreHash, token.DateCreated = "a", t0
	flagged := newGroup(1, "first")
	flagged.IsDefault, flagged.IsGroupForGuests = true, true
	later := t0.Add(time.Hour)
	steps := []struct {
		do   func(tx *db.Tx) error
		want []string // nothing: no call
	}{
		{func(tx *db.Tx) error { return tx.InsertToken(token) }, nil},
		{func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: "c"}) }, nil},
		{func(tx *db.Tx) error { return tx.InsertGroup("a", flagged) }, []string{"+a/1 first"}},
		{func(tx *db.Tx) error { return tx.InsertGroup("b", newGroup(1, "of b")) }, []string{"+b/1 of b"}},
		{func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) }, []string{"*a/1 first"}},
		{func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) }, nil},
		{func(tx *db.Tx) error { return tx.ClearGuestGroup("a", later) }, []string{"*a/1 first"}},
		{func(tx *db.Tx) error { return tx.ClearGuestGroup("a", later) }, nil},
		{func(tx *db.Tx) error { return tx.UpdateGroup("a", newGroup(1, "renamed")) }, []string{"*a/1 renamed"}},
		{func(tx *db.Tx) error {
			return errors.Join(tx.InsertGroup("b", newGroup(1, "x")), tx.DeleteGroup("b", 1))
		}, nil}, // fails: 1 is taken
		{func(tx *db.Tx) error { return tx.DeleteGroup("a", 1) }, []string{"-a/1"}},
		{func(tx *db.Tx) error { return tx.UpdateStore(cohort.Store{Hash: "a", Quota: 5}) }, []string{"store a"}},
		{func(tx *db.Tx) error { return tx.DeleteToken(token.ID) }, []string{"no token"}},
		{func(tx *db.Tx) error { return tx.DeleteStore("b") }, []string{"no store b"}},
		{func(tx *db.Tx) error { _, err := tx.CountGroups("a", everything); return err }, nil},
	}
	eachBubble(t, func(t *testing.T, d *db.DB) {
		c := watch(d)
		for i, step := range steps {
			_ = d.Update(t.Context(), step.do) // one of them fails
			if got := c.take(); !slices.Equal(got, step.want) {
				t.Errorf("step %d: told %q, want %q", i, got, step.want)
			}
		}
	})
}

// A group in a change is as it is in the database then, whole.
func TestWatchIsToldTheGroup(t *testing.T) {
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
			func(tx *db.Tx) error { return tx.UpdateGroup("a", fullGroup(1)) },
		} {
			update(t, d, do)
			want = append(want, listGroups(t, d, "a", everything, onePage)...)
		}
		if diff := cmp.Diff(want, notified); diff != "" {
			t.Errorf("(-in the database +notified):\n%s", diff)
		}
		if got := notified[2].DateModified; !got.Equal(later) {
			t.Errorf("the date went back to %v", got)
		}
	})
}

// When a watcher hears of a commit everybody can see it, and its own caller has
// not heard of it yet.
func TestWatchComesBetweenCommitAndAnswer(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		hears, goOn := make(chan struct{}), make(chan struct{})
		d.Watch(func([]db.Change) { hears <- struct{}{}; <-goOn })
		done := queue(t, d, add("a", "x"))
		<-hears
		seen := make(chan struct{})
		go func() {
			defer close(seen)
			wantGroups(t, d, "a", newGroup(1, "x"))
		}()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("the caller is told before the watcher is through")
		}
		close(goOn)
		wantDone(t, done)
		<-seen
	})
}

// Every watcher hears of every commit, in the order in which they came.
func TestWatchersHearInOrder(t *testing.T) {
	eachBubble(t, func(t *testing.T, d *db.DB) {
		var heard []string
		for _, name := range []string{"first", "second"} {
			d.Watch(func(changes []db.Change) { heard = append(heard, name+" hears "+describe(changes)) })
		}
		update(t, d, add("a", "x"))
		update(t, d, add("a", "y"))
		want := []string{"first hears +a/1 x", "second hears +a/1 x", "first hears +a/2 y", "second hears +a/2 y"}
		if diff := cmp.Diff(want, heard); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// On PostgreSQL a node does not hear of the others: there it keeps nothing that
// they could make old, which DB.SeesAllWrites says.
func TestWatchHearsOfForeignWrites(t *testing.T) {
	sqliteBubble2(t, func(t *testing.T, d, other *db.DB) {
		c := watch(d)
		heard := make(chan struct{}, 1)
		d.Watch(func([]db.Change) { heard <- struct{}{} })
		for range 3 {
			update(t, other, add("a", "foreign"))
			begun := time.Now()
			<-heard // although nobody writes here
			if waited := time.Since(begun); waited > 250*time.Millisecond {
				t.Errorf("it took %v of the bubble's time", waited)
			}
			c.want(t, "anything")
		}
	})
}

// Whoever keeps answers must not put a change of ours on top of an older state.
func TestWatchHearsOfForeignWritesBeforeOurs(t *testing.T) {
	sqliteBubble2(t, func(t *testing.T, d, other *db.DB) {
		c := watch(d)
		update(t, other, add("a", "foreign"))
		update(t, other, add("a", "foreign"))
		update(t, d, add("a", "ours"))
		c.want(t, "anything", "+a/3 ours")
		update(t, d, add("a", "ours"))
		c.want(t, "+a/4 ours")
	})
}

// What we do ourselves is nothing foreign, or all that is kept would be lost
// time and again: neither our writes, nor reading, nor emptying the log, nor
// another node that only opens the database.
func TestNothingForeignInOurOwnWork(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		foreign := 0
		d.Watch(func(changes []db.Change) {
			foreign += len(slices.DeleteFunc(slices.Clone(changes), func(c db.Change) bool { return c.Kind != db.AnythingChanged }))
		})
		addStores(t, d, "a")
		addNotes(t, d)
		c := d.NewCheckpointer(t)
		for round := range 4 {
			for range 40 { // more than pass without a look at the log
				update(t, d, add("a", "ours"))
				countGroups(t, d, "a", everything)
			}
			writeNotes(t, d, txn.CheckpointPages, round)
			c.Bound()
			other, err := db.OpenExisting(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			countGroups(t, other, "a", everything)
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second) // of the bubble's time, to look around and empty the log
		}
		if foreign > 0 {
			t.Errorf("told %d times that somebody else has written", foreign)
		}
	})
}

// sqliteBubble2 is sqliteBubble with two nodes on the database.
func sqliteBubble2(t *testing.T, fn func(t *testing.T, d, other *db.DB)) {
	t.Helper()
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		fn(t, d, dbtest.Open(t, url))
	})
}
