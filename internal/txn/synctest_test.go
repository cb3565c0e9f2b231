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

// In a bubble of testing/synctest the clock is fake, and synctest.Wait returns when every
// goroutine is blocked. So tests of waiting need no timeouts.

// eachBubble runs a test in a bubble on a database of each engine, in parallel, with the
// stores "a" and "b". The test must not wait for a lock in the server: the bubble
// does not count a network read as blocked.
func eachBubble(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) { inBubble(t, url, fn) })
}

// sqliteBubble is eachBubble on SQLite only, for tests of the writer, its batches, and
// the write-ahead log.
func sqliteBubble(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Parallel()
	inBubble(t, dbtest.MigratedSQLiteURL(t), fn)
}

// sqliteBubbleURL is sqliteBubble for tests that open the database themselves.
func sqliteBubbleURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	url := dbtest.MigratedSQLiteURL(t)
	synctest.Test(t, func(t *testing.T) { fn(t, url) })
}

func inBubble(t *testing.T, url string, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a", "b")
		fn(t, d)
	})
}

// hold keeps the SQLite writer busy until release is called, so that updates which are
// queued in between share a batch. On PostgreSQL it holds up no other update.
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

// queue calls Update in a new goroutine, and returns when that goroutine is blocked. done
// receives the result of Update, or its panic as an error.
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

// add returns a function for Update that adds a group.
func add(store, name string) func(*db.Tx) error {
	return func(tx *db.Tx) error { return addNext(tx, store, name) }
}

// wantDone waits for queued updates, and fails unless all of them succeed.
func wantDone(t *testing.T, queued ...<-chan error) {
	t.Helper()
	for i, done := range queued {
		if err := <-done; err != nil {
			t.Errorf("update %d: %v", i, err)
		}
	}
}

// commits has the changes that Watch reports, one element per commit.
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

// take returns the commits since the last call.
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
		t.Errorf("got the commits\n%q\nwant\n%q", got, want)
	}
}

var kinds = map[txn.ChangeKind]string{
	db.GroupInserted: "+", db.GroupUpdated: "*", db.GroupDeleted: "-",
	db.StoreUpdated: "store ", db.StoreDeleted: "no store ", db.TokenDeleted: "no token", db.AnythingChanged: "anything",
}

// describe returns changes as text such as "+a/1 name, store b".
func describe(changes []db.Change) (text string) {
	for _, c := range changes {
		if text += ", " + kinds[c.Kind]; c.StoreKey != "" {
			text += c.StoreKey
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
