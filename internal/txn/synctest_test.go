package txn_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// In a bubble time passes only when there is nothing else to do, and one can
// tell that everybody waits. So tests of who waits for whom need no patience.

// eachBubble runs a test in a bubble on a database of each engine, with the
// stores "a" and "b". Nobody in it may wait for another in the server: a bubble
// takes that for work.
func eachBubble(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { inBubble(t, url, fn) })
}

// sqliteBubble is eachBubble on SQLite alone: for tests of its one writer, of
// the turns and batches in which it works, and of its log. On PostgreSQL many
// write, and each update is a transaction by itself.
func sqliteBubble(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		inBubble(t, dbtest.SQLiteURL(t), fn)
	})
}

// sqliteBubbleURL is sqliteBubble for tests that open the database themselves.
func sqliteBubbleURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		url := dbtest.SQLiteURL(t)
		synctest.Test(t, func(t *testing.T) { fn(t, url) })
	})
}

func inBubble(t *testing.T, url string, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a", "b")
		fn(t, d)
	})
}

// hold keeps the writer busy until release is called, so that updates which are
// queued meanwhile wait together. Where many write nobody waits for it.
func hold(t *testing.T, d *db.DB) (release func()) {
	t.Helper()
	end := make(chan struct{})
	done := queue(t, d, func(*db.Tx) error { <-end; return nil })
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// queue calls Update, and returns when that waits for something. What it
// returns, or its panic as an error, comes from done.
func queue(t *testing.T, d *db.DB, fn func(*db.Tx) error) (done <-chan error) {
	t.Helper()
	return queueUntil(t.Context(), d, fn)
}

func queueUntil(ctx context.Context, d *db.DB, fn func(*db.Tx) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- attempt(ctx, d, fn) }()
	synctest.Wait()
	return done
}

// add returns what queues to add a group.
func add(store, name string) func(*db.Tx) error {
	return func(tx *db.Tx) error { return addNext(tx, store, name) }
}

// wantDone fails unless all of what was queued has ended well.
func wantDone(t *testing.T, queued ...<-chan error) {
	t.Helper()
	for i, done := range queued {
		if err := <-done; err != nil {
			t.Errorf("update %d: %v", i, err)
		}
	}
}

// commits is what Watch tells, one element for each commit.
type commits struct {
	mu   sync.Mutex
	list []string
}

func watch(d *db.DB) *commits {
	c := &commits{}
	d.Watch(func(changes []db.Change) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.list = append(c.list, describe(changes))
	})
	return c
}

// take returns what there was since it was called last.
func (c *commits) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.list = nil }()
	return c.list
}

// want fails unless these were the commits since the last call.
func (c *commits) want(t *testing.T, want ...string) {
	t.Helper()
	if got := c.take(); !slices.Equal(got, want) {
		t.Errorf("told of the commits\n%q\nwant\n%q", got, want)
	}
}

var kinds = map[txn.ChangeKind]string{
	db.GroupInserted: "+", db.GroupUpdated: "*", db.GroupDeleted: "-",
	db.StoreUpdated: "store ", db.StoreDeleted: "no store ", db.TokenDeleted: "no token", db.AnythingChanged: "anything",
}

// describe writes changes as "+a/1 name", one after another.
func describe(changes []db.Change) (text string) {
	for _, c := range changes {
		if text += ", " + kinds[c.Kind]; c.StoreHash != "" {
			text += c.StoreHash
		}
		if c.Group.ID != 0 {
			text += fmt.Sprint("/", c.Group.ID)
		}
		if c.Group.Name != "" {
			text += " " + c.Group.Name
		}
	}
	return text[2:]
}
