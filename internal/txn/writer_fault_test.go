package txn_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/txn"
)

// faults are ways in which a statement fails: with an error of the database or with
// another error, not run at all or with the transaction rolled back.
var faults = map[string]func(txn.Statement) error{
	"trouble":                  func(txn.Statement) error { return txn.ErrTrouble },
	"trouble, rolled back":     func(s txn.Statement) error { return rollBack(s, txn.ErrTrouble) },
	"other error":              func(txn.Statement) error { return errTest },
	"other error, rolled back": func(s txn.Statement) error { return rollBack(s, errTest) },
}

func rollBack(s txn.Statement, err error) error {
	_ = s.Undo() // there may be no transaction
	return err
}

// faultAt makes one statement fail.
type faultAt struct {
	strike func(txn.Statement) error
	in     int    // the number of statements until the fault; 0: never
	struck string // the statement that failed
}

func (f *faultAt) each(s txn.Statement) error {
	if f.in--; f.in != 0 {
		return s.Run()
	}
	f.struck = s.Query
	return f.strike(s)
}

// history records updates, their results, and the notifications of watchers.
type history struct {
	calls   map[string]int  // of the function of each update
	results map[string]bool // whether each update succeeded
	watched []string        // the groups that watchers were notified of
}

func newHistory(d *db.DB) *history {
	h := &history{calls: map[string]int{}, results: map[string]bool{}}
	d.Watch(func(changes []db.Change) {
		for _, c := range changes {
			h.watched = append(h.watched, c.Group.Name)
		}
	})
	return h
}

// queueAdd queues an update that adds a group with the name of the update.
func (h *history) queueAdd(t *testing.T, d *db.DB, name string, then func(*db.Tx) error) (done <-chan error) {
	t.Helper()
	return queue(t, d, func(tx *db.Tx) error {
		h.calls[name]++
		if err := addNext(tx, "a", name); err != nil {
			return err
		}
		return then(tx)
	})
}

// wait waits for an update and records its result.
func (h *history) wait(name string, done <-chan error) (err error) {
	err = <-done
	h.results[name] = err == nil
	return err
}

// wantConsistent fails unless the database has exactly the groups of the updates that
// succeeded, and watchers were notified of the same groups.
func (h *history) wantConsistent(t *testing.T, d *db.DB) {
	t.Helper()
	var want, got []string
	for _, name := range slices.Sorted(maps.Keys(h.results)) {
		if h.results[name] {
			want = append(want, name)
		}
		if h.calls[name] > 1 {
			t.Errorf("the function of %s was called %d times", name, h.calls[name])
		}
	}
	for i, g := range listGroups(t, d, "a", allGroups, onePage) {
		got = append(got, g.Name)
		if g.ID != int64(i+1) {
			t.Errorf("the group at index %d has id %d", i, g.ID)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the database has the groups %q, but these updates succeeded: %q", got, want)
	}
	watched := slices.Sorted(slices.Values(h.watched))
	if !slices.Equal(watched, want) {
		t.Errorf("watchers were notified of %q, but these updates succeeded: %q", watched, want)
	}
}

// Any statement of the writer fails, in every way. Each caller gets the real outcome of
// its update, and the next update works. One of the updates fails by itself, so that
// its rollback is covered too.
func TestAnyStatementFails(t *testing.T) {
	t.Parallel()
	for name, strike := range faults {
		t.Run(name, func(t *testing.T) {
			sqliteBubbleURL(t, func(t *testing.T, url string) {
				f := &faultAt{strike: strike}
				d := openWith(t, url, f.each)
				addStores(t, d, "a")
				h := newHistory(d)
				struck := []string{}
				for n := 1; len(struck) == n-1; n++ {
					f.struck = ""
					failOneOf(t, d, f, n, h)
					if f.struck != "" {
						struck = append(struck, f.struck)
					}
					h.wantConsistent(t, d)
					if t.Failed() {
						t.Fatalf("statement %d failed: %s", n, f.struck)
					}
				}
				wantStruck(t, struck)
			})
		})
	}
}

// failOneOf makes statement n of the next batch fail.
func failOneOf(t *testing.T, d *db.DB, f *faultAt, n int, h *history) {
	nothing := func(*db.Tx) error { return nil }
	release := hold(t, d)
	first, bad, last := fmt.Sprint("first ", n), fmt.Sprint("bad ", n), fmt.Sprint("last ", n)
	firstDone := h.queueAdd(t, d, first, nothing)
	badDone := h.queueAdd(t, d, bad, func(*db.Tx) error { return errTest })
	lastDone := h.queueAdd(t, d, last, nothing)
	f.in = n + 2 // after RELEASE and COMMIT of the update that holds the writer
	release()
	errs := map[string]error{first: h.wait(first, firstDone), bad: h.wait(bad, badDone), last: h.wait(last, lastDone)}
	f.in = 0
	if errs[bad] == nil {
		t.Error("the failing update succeeded")
	}
	for name, err := range errs {
		if errors.Is(err, txn.ErrTrouble) && cohort.KindOf(err) != cohort.KindUnavailable {
			t.Errorf("%s: got error %v of kind %v", name, err, cohort.KindOf(err))
		}
	}
	next := fmt.Sprint("next ", n)
	if err := h.wait(next, h.queueAdd(t, d, next, nothing)); err != nil {
		t.Errorf("the next update: %v", err)
	}
}

// wantStruck fails unless statements of every kind have failed.
func wantStruck(t *testing.T, struck []string) {
	t.Helper()
	for _, kind := range []string{"BEGIN", "PRAGMA data_version", "SAVEPOINT", "INSERT", "RELEASE", "ROLLBACK TO", "COMMIT"} {
		if !slices.ContainsFunc(struck, func(query string) bool { return strings.HasPrefix(query, kind) }) {
			t.Errorf("none of the %d statements that failed is a %s", len(struck), kind)
		}
	}
}

// After some errors SQLite has ended the transaction. Statements that the function runs
// afterwards must fail: each would be a transaction of its own.
func TestNoStatementRunsOutsideTheTransaction(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]error{"ignored": nil, "returned": errTest} {
		t.Run("the error is "+name, func(t *testing.T) {
			sqliteBubbleURL(t, func(t *testing.T, url string) {
				f := &faultAt{strike: faults["trouble, rolled back"]}
				d := openWith(t, url, f.each)
				addStores(t, d, "a")
				h := newHistory(d)
				release := hold(t, d)
				first := h.queueAdd(t, d, "first", func(*db.Tx) error { return nil })
				bad := h.queueAdd(t, d, "bad", func(tx *db.Tx) error {
					f.in = 1
					for range 2 {
						for _, err := range []error{addNext(tx, "a", "outside"), tx.InsertGroup("a", newGroup(9, "outside"))} {
							if !errors.Is(err, txn.ErrTrouble) {
								t.Errorf("a statement after the error: %v", err)
							}
						}
					}
					return ends
				})
				last := h.queueAdd(t, d, "last", func(*db.Tx) error { return nil })
				release()
				for name, done := range map[string]<-chan error{"first": first, "bad": bad, "last": last} {
					err := h.wait(name, done)
					if (err == nil) != (name == "last") {
						t.Errorf("%s: got error %v", name, err)
					}
				}
				h.wantConsistent(t, d)
			})
		})
	}
}

// max_page_count makes SQLite report a full disk.
func TestDatabaseIsFull(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		h := newHistory(d)
		update(t, d, func(tx *db.Tx) error { _, err := tx.Exec("PRAGMA max_page_count = 1"); return err }) // the current size
		release := hold(t, d)
		large := memberOf(1)
		large.GroupID, large.Notes = 0, strings.Repeat("x", 1_000_000)
		first := h.queueAdd(t, d, "first", func(*db.Tx) error { return nil })
		full := h.queueAdd(t, d, "full", func(tx *db.Tx) error { return tx.InsertCustomer("a", large, "") })
		last := h.queueAdd(t, d, "last", func(*db.Tx) error { return nil })
		release()
		wantKind(t, h.wait("full", full), cohort.KindUnavailable)
		_, _ = h.wait("first", first), h.wait("last", last) // either result is possible
		h.wantConsistent(t, d)

		update(t, d, func(tx *db.Tx) error { _, err := tx.Exec("PRAGMA max_page_count = 1000000"); return err })
		if err := h.wait("next", h.queueAdd(t, d, "next", func(*db.Tx) error { return nil })); err != nil {
			t.Error(err)
		}
		h.wantConsistent(t, d)
	})
}
