package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// recorded returns a context whose transactions record their changes.
func recorded(ctx context.Context) context.Context {
	return db.WithRecorder(ctx, &db.Recorder{Actor: "tester", Now: func() time.Time { return t0 }})
}

// addStoreWithEvents adds a store that records events.
func addStoreWithEvents(t testing.TB, d *db.DB, hash string) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		return tx.InsertStore(cohort.Store{Hash: hash, Plan: cohort.PlanUnlimited, DateCreated: t0, Events: true})
	})
}

// createGroup adds a group in a transaction that records it.
func createGroup(ctx context.Context, d *db.DB, store, name string) error {
	return d.Update(recorded(ctx), func(tx *db.Tx) error {
		_, err := tx.CreateGroup(store, newGroup(0, name))
		return err
	})
}

// readEvents numbers the events of a store and returns those after a number.
func readEvents(t testing.TB, d *db.DB, store string, after int64) []cohort.Event {
	t.Helper()
	var page cohort.EventPage
	for more := true; more; {
		update(t, d, func(tx *db.Tx) (err error) {
			more, err = tx.NumberEvents(store, 7)
			return err
		})
	}
	dbtest.View(t, d, func(tx *db.Tx) (err error) {
		page, err = tx.ListEvents(store, cohort.EventFilter{After: after}, 1000)
		return err
	})
	return page.Events
}

// TestLateCommit checks that a transaction that began first and commits last on one node
// gets its events after those that another node has committed and a reader has seen.
func TestLateCommit(t *testing.T) {
	url := dbtest.MigratedPostgresURL(t)
	first, second := dbtest.Open(t, url), dbtest.Open(t, url)
	addStoreWithEvents(t, first, "a")
	written, release, late := make(chan struct{}), make(chan struct{}), make(chan error)
	var once sync.Once
	go func() {
		late <- first.Update(recorded(t.Context()), func(tx *db.Tx) error {
			if err := tx.InsertGroup("a", newGroup(100, "late")); err != nil {
				return err
			}
			if err := tx.Await(); err != nil {
				return err
			}
			once.Do(func() { close(written) })
			<-release
			return nil
		})
	}()
	<-written
	if err := createGroup(t.Context(), second, "a", "early"); err != nil {
		t.Fatal(err)
	}
	seen := readEvents(t, first, "a", 0)
	if len(seen) != 1 || seen[0].GroupID == 100 {
		t.Fatalf("before the late commit a reader sees %+v", seen)
	}
	close(release)
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	after := readEvents(t, second, "a", seen[0].Number)
	if len(after) != 1 || after[0].GroupID != 100 || after[0].Number <= seen[0].Number {
		t.Errorf("after the late commit a reader that has seen %d gets %+v", seen[0].Number, after)
	}
	if all := readEvents(t, first, "a", 0); len(all) != 2 || all[0].Number != seen[0].Number {
		t.Errorf("all events are %+v", all)
	}
}

// TestReadersMissNoEvent checks that readers of two nodes, each of which follows the events
// by their numbers, get every committed change of concurrent writers exactly once, in the
// same order, and none of those that fail.
func TestReadersMissNoEvent(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		nodes := []*db.DB{dbtest.Open(t, url)}
		if !nodes[0].SeesAllWrites() {
			nodes = append(nodes, dbtest.Open(t, url))
		}
		addStoreWithEvents(t, nodes[0], "a")
		addStoreWithEvents(t, nodes[0], "b")
		const writers, each = 6, 15
		var writing sync.WaitGroup
		for w := range writers {
			d := nodes[w%len(nodes)]
			writing.Go(func() {
				for i := range each {
					store := []string{"a", "b"}[i%2]
					if err := createGroup(t.Context(), d, store, fmt.Sprint(w, "/", i)); err != nil {
						t.Error(err)
					}
					err := d.Update(recorded(t.Context()), func(tx *db.Tx) error {
						_, err := tx.CreateGroup(store, newGroup(0, "fails"))
						return fmt.Errorf("not committed: %w", cmpErr(err))
					})
					if err == nil {
						t.Error("a failed update is committed")
					}
				}
			})
		}
		written := make(chan struct{})
		go func() { writing.Wait(); close(written) }()
		follow := func(d *db.DB, store string) (seen []string) {
			for last, done := int64(0), false; !done; {
				select {
				case <-written:
					done = true // what follows reads everything
				default:
				}
				for {
					events := readEvents(t, d, store, last)
					for _, e := range events {
						if e.Number <= last {
							t.Errorf("event %d follows %d", e.Number, last)
						}
						last = e.Number
						seen = append(seen, fmt.Sprint(e.Number, " ", string(e.Changes)))
					}
					if len(events) == 0 {
						break
					}
				}
			}
			return seen
		}
		stores := []string{"a", "b"}
		lists := [2][2][]string{}
		var reading sync.WaitGroup
		for n, store := range stores {
			for i := range lists[n] {
				reading.Go(func() { lists[n][i] = follow(nodes[i%len(nodes)], store) })
			}
		}
		reading.Wait()
		for n, store := range stores {
			seen := lists[n][0]
			if diff := cmp.Diff(seen, lists[n][1]); diff != "" {
				t.Errorf("store %s: two readers differ:\n%s", store, diff)
			}
			dbtest.View(t, nodes[0], func(tx *db.Tx) error {
				n, err := tx.CountGroups(store, cohort.GroupFilter{})
				if int(n) != len(seen) {
					t.Errorf("store %s has %d groups and %d events", store, n, len(seen))
				}
				return err
			})
			names := slices.Clone(seen)
			slices.Sort(names)
			if len(slices.Compact(names)) != len(seen) {
				t.Errorf("store %s: an event comes twice", store)
			}
		}
	})
}

// cmpErr returns an error, also for nil.
func cmpErr(err error) error {
	if err != nil {
		return err
	}
	return context.Canceled
}

// TestDeletedGroupCountsMembers checks the number of members in the event of the deletion
// of a group whose members one transaction does not unassign.
func TestDeletedGroupCountsMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStoreWithEvents(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "x"))
		addMembers(t, d, "a", 1, 1, 70)
		err := d.Update(recorded(t.Context()), func(tx *db.Tx) error {
			_, err := deleteGroup(tx, "a", 1, 50)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		events := readEvents(t, d, "a", 0)
		if len(events) != 1 || events[0].Kind != cohort.GroupDeleted || !strings.HasSuffix(string(events[0].Changes), `,"members":[70,null]}`) {
			t.Errorf("events %+v", events)
		}
	})
}
