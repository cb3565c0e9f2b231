package txn_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/txn"
)

// followed is a node that follows the others, and the changes of groups that it hears of.
type followed struct {
	*db.DB
	mu    sync.Mutex
	heard []string
}

// follow opens a node. Its first query has been made: at first anything may have changed.
func follow(t *testing.T, url string) *followed {
	t.Helper()
	n := &followed{DB: dbtest.Open(t, url)}
	n.SetTimeouts(txn.Timeouts{Pause: time.Nanosecond})
	n.Watch(func(changes []db.Change) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, c := range changes {
			n.heard = append(n.heard, fmt.Sprint(map[txn.ChangeKind]string{
				db.GroupInserted: "+", db.GroupUpdated: "*", db.GroupDeleted: "-", db.AnythingChanged: "anything",
				db.StoreDeleted: "no store ", db.StoreReplaced: "other store ", db.TokenDeleted: "no token",
			}[c.Kind], c.StoreKey, "/", c.Group.ID))
		}
	})
	n.want(t, true, "anything/0")
	return n
}

// want catches up and checks what the node has heard of since the last time.
func (n *followed) want(t *testing.T, ok bool, changes ...string) {
	t.Helper()
	if n.CatchUp(t.Context()) != ok {
		t.Errorf("CatchUp returned %v", !ok)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.Sort(n.heard)
	if !slices.Equal(n.heard, changes) {
		t.Errorf("heard of %q, want %q", n.heard, changes)
	}
	n.heard = nil
}

func TestFollowOtherNodes(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	writer := dbtest.Open(t, url)
	addStores(t, writer, "a", "b")
	n := follow(t, url)
	n.want(t, true)
	addGroups(t, writer, "a", newGroup(1, "one"))
	addGroups(t, writer, "b", newGroup(7, "seven"))
	n.want(t, true, "+a/1", "+b/7")
	n.want(t, true)
	update(t, writer, func(tx *db.Tx) error { return tx.UpdateGroup("a", newGroup(1, "one"), newGroup(1, "uno")) })
	update(t, writer, func(tx *db.Tx) error { return tx.DeleteGroup("a", 1) })
	update(t, writer, func(tx *db.Tx) error { return tx.DeleteStore("b") })
	n.want(t, true, "*a/1", "-a/1", "no store b/0")
	_ = writer.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.GroupForUpdate("a", 1) // there is none
		return err
	})
	n.want(t, true)
	update(t, writer, func(tx *db.Tx) error { // more than a transaction tells of
		for id := range int64(300) {
			if err := tx.InsertGroup("a", newGroup(10+id, fmt.Sprint("many ", id))); err != nil {
				return err
			}
		}
		return nil
	})
	n.want(t, true, "anything/0")
}

// A transaction that was running when a node asked is told once it is committed, however
// many transactions began after it.
func TestFollowALongTransaction(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	writer := dbtest.Open(t, url)
	addStores(t, writer, "a")
	n := follow(t, url)
	cleaner := writer.NewChangeCleaner()
	update(t, writer, func(tx *db.Tx) error {
		if err := tx.InsertGroup("a", newGroup(1, "slow")); err != nil {
			return err
		}
		if err := tx.Await(); err != nil {
			return err
		}
		n.want(t, true)
		for id := int64(2); id < 5; id++ {
			addGroups(t, writer, "a", newGroup(id, fmt.Sprint("quick ", id)))
			n.want(t, true, fmt.Sprint("+a/", id))
			cleaner.Clean(t)
		}
		return nil
	})
	n.want(t, true, "+a/1")
}

// The rows of old changes are deleted. A node that has not asked in time hears that
// anything may have changed, and one that has asked does not.
func TestFollowAfterCleaning(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t, pgtest.Options{}).URL() // snapshots have the transactions of all databases of a server
	writer := dbtest.Open(t, url)
	addStores(t, writer, "a")
	often, rarely := follow(t, url), follow(t, url)
	cleaner := writer.NewChangeCleaner()
	addGroups(t, writer, "a", newGroup(1, "one"))
	often.want(t, true, "+a/1")
	cleaner.Clean(t)
	cleaner.Clean(t)
	if n := countRecentChanges(t, writer); n != 1 {
		t.Errorf("%d rows stay, want the limit alone", n)
	}
	often.want(t, true)
	rarely.want(t, true, "anything/0")
	addGroups(t, writer, "a", newGroup(2, "two"))
	often.want(t, true, "+a/2")
	rarely.want(t, true, "+a/2")
	cleaner.Clean(t) // nothing may be deleted that a node has not had the time to see
	if n := countRecentChanges(t, writer); n != 2 {
		t.Errorf("%d rows stay, want the change and the limit", n)
	}
}

func countRecentChanges(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error { return tx.QueryRow("SELECT count(*) FROM recent_changes").Scan(&n) })
	return n
}

// While a version writes that does not record its changes, nothing may be cached; nor as
// long as its last receipt stays.
func TestFollowOlderVersions(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	n := follow(t, url)
	if err := execPostgres(t, url, "INSERT INTO receipts (store_hash, slot, number, date_modified) VALUES ('a', 'old/0', 1, 1)"); err != nil {
		t.Fatal(err)
	}
	n.want(t, false)
	n.want(t, false)
	if err := execPostgres(t, url, "DELETE FROM receipts WHERE NOT records_changes"); err != nil {
		t.Fatal(err)
	}
	n.want(t, true, "anything/0")
	if err := n.ProbeWrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.want(t, true) // the receipts of this version do not count
}

// After the loss of its connection a node does not know what has happened since.
func TestFollowAfterALostConnection(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	n := follow(t, url)
	pgtest.Terminate(t, url)
	n.want(t, true, "anything/0")
	n.want(t, true)
}

// A node that cannot ask must not use its caches: neither while the server rejects
// connections, nor while it does not respond.
func TestFollowWithoutAServer(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{})
	proxy := pgtest.NewProxy(t, pg.Addr())
	url := proxy.URL(pg.URL())
	n := follow(t, url)
	proxy.Refuse(true)
	proxy.CutAll()
	n.want(t, false)
	proxy.Refuse(false)
	n.want(t, true, "anything/0")
	proxy.LoseResponse("txid_current_snapshot")
	n.want(t, true, "anything/0") // it asks again
	proxy.Stall()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n.CatchUp(ctx) {
		t.Error("CatchUp returned true to a caller that has left")
	}
	proxy.Resume()
	n.want(t, true)
	pg.Restart()
	n.want(t, true, "anything/0") // the table is empty after a crash, too
	pg.Kill()
	n.want(t, false)
}

// A node that may be stale asks only after that time, and knows of its own writes at once.
func TestFollowAfterAllowedStaleness(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	other := dbtest.Open(t, url)
	addStores(t, other, "a")
	n := follow(t, url)
	add := func(d *db.DB, id int64) {
		update(t, d, func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(id, fmt.Sprint(id))) })
	}
	n.AllowStaleness(time.Hour)
	add(other, 1)
	n.want(t, true)
	add(n.DB, 2)
	n.want(t, true, "+a/2")
	n.AllowStaleness(1)
	n.want(t, true, "+a/1", "+a/2") // its own write is among the changes of all nodes
	n.AllowStaleness(0)
	add(other, 3)
	n.want(t, true, "+a/3")
}

// After a commit of a node the other one hears of it, whichever asks first and however
// many ask together.
func TestFollowersMissNothing(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	nodes := []*db.DB{dbtest.Open(t, url), dbtest.Open(t, url)}
	addStores(t, nodes[0], "a")
	var counts [2]struct {
		sync.Mutex
		of map[int64]bool
	}
	for i, d := range nodes {
		counts[i].of = map[int64]bool{}
		if !d.CatchUp(t.Context()) {
			t.Fatal("the node does not follow")
		}
		d.Watch(func(changes []db.Change) {
			counts[i].Lock()
			defer counts[i].Unlock()
			for _, c := range changes {
				counts[i].of[c.Group.ID] = c.Kind == db.GroupInserted || counts[i].of[c.Group.ID]
			}
		})
	}
	var all sync.WaitGroup
	for caller := range int64(8) {
		all.Go(func() {
			for n := range int64(20) {
				id := caller*1000 + n + 1
				if err := nodes[caller%2].Update(t.Context(), func(tx *db.Tx) error {
					return tx.InsertGroup("a", cohort.Group{ID: id, Name: fmt.Sprint(id), CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}})
				}); err != nil {
					t.Error(err)
				}
				other := (caller + 1) % 2
				if !nodes[other].CatchUp(t.Context()) {
					t.Error("the node does not follow")
				}
				counts[other].Lock()
				if !counts[other].of[id] {
					t.Errorf("node %d has not heard of group %d", other, id)
				}
				counts[other].Unlock()
			}
		})
	}
	all.Wait()
}
