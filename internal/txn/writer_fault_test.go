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

// faults is how a statement can fail: with an error that says that the database
// is in trouble or with another, not run, or with the transaction undone.
var faults = map[string]func(txn.Statement) error{
	"trouble":                 func(txn.Statement) error { return txn.ErrTrouble },
	"trouble, all undone":     func(s txn.Statement) error { return undoing(s, txn.ErrTrouble) },
	"other error":             func(txn.Statement) error { return errOurs },
	"other error, all undone": func(s txn.Statement) error { return undoing(s, errOurs) },
}

func undoing(s txn.Statement, err error) error {
	_ = s.Undo() // there may be nothing to undo
	return err
}

// faultAt is a fault that strikes one statement after it was armed.
type faultAt struct {
	strike func(txn.Statement) error
	in     int // statements until then; 0: not armed
	struck string
}

func (f *faultAt) each(s txn.Statement) error {
	if f.in--; f.in != 0 {
		return s.Run()
	}
	f.struck = s.Query
	return f.strike(s)
}

// history is what was done to a database, and what was said about it.
type history struct {
	calls    map[string]int  // of each update's function
	notified map[string]bool // each update's answer: that it was made
	watched  []string        // what watchers were told
}

func newHistory(d *db.DB) *history {
	h := &history{calls: map[string]int{}, notified: map[string]bool{}}
	d.Watch(func(changes []db.Change) {
		for _, c := range changes {
			h.watched = append(h.watched, c.Group.Name)
		}
	})
	return h
}

// queueAdd queues the addition of a group that is named like the update.
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

func (h *history) hear(name string, done <-chan error) (err error) {
	err = <-done
	h.notified[name] = err == nil
	return err
}

// wantTrue fails unless the database has what was said to be done, and nothing
// else, and watchers were told the same.
func (h *history) wantTrue(t *testing.T, d *db.DB) {
	t.Helper()
	var made, there []string
	for _, name := range slices.Sorted(maps.Keys(h.notified)) {
		if h.notified[name] {
			made = append(made, name)
		}
		if h.calls[name] > 1 {
			t.Errorf("the function of %s was called %d times", name, h.calls[name])
		}
	}
	for i, g := range listGroups(t, d, "a", everything, onePage) {
		there = append(there, g.Name)
		if g.ID != int64(i+1) {
			t.Errorf("group %d at place %d", g.ID, i)
		}
	}
	slices.Sort(there)
	if !slices.Equal(there, made) {
		t.Errorf("there is %q, but told to be made was %q", there, made)
	}
	watched := slices.Sorted(slices.Values(h.watched))
	if !slices.Equal(watched, made) {
		t.Errorf("watchers were told %q, and the callers %q", watched, made)
	}
}

// Whichever statement of the writer fails, and however, everybody is told what
// became of his update, and afterwards it goes on. One of the updates fails by
// itself, so that its undoing is tried too.
func TestAnyStatementFails(t *testing.T) {
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
					h.wantTrue(t, d)
					if t.Failed() {
						t.Fatalf("when statement %d fails, which is %s", n, f.struck)
					}
				}
				wantStruck(t, struck)
			})
		})
	}
}

// failOneOf lets statement n of the batch that comes next fail.
func failOneOf(t *testing.T, d *db.DB, f *faultAt, n int, h *history) {
	nothing := func(*db.Tx) error { return nil }
	release := hold(t, d)
	first, bad, last := fmt.Sprint("first ", n), fmt.Sprint("bad ", n), fmt.Sprint("last ", n)
	firstDone := h.queueAdd(t, d, first, nothing)
	badDone := h.queueAdd(t, d, bad, func(*db.Tx) error { return errOurs })
	lastDone := h.queueAdd(t, d, last, nothing)
	f.in = n + 2 // RELEASE and COMMIT of the update that holds the writer
	release()
	notified := map[string]error{first: h.hear(first, firstDone), bad: h.hear(bad, badDone), last: h.hear(last, lastDone)}
	f.in = 0
	if notified[bad] == nil {
		t.Error("the update that failed is said to be made")
	}
	for name, err := range notified {
		if errors.Is(err, txn.ErrTrouble) && cohort.KindOf(err) != cohort.KindUnavailable {
			t.Errorf("%s is told %v, of kind %v", name, err, cohort.KindOf(err))
		}
	}
	next := fmt.Sprint("next ", n)
	if err := h.hear(next, h.queueAdd(t, d, next, nothing)); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}

// wantStruck fails unless every kind of statement was among those that failed.
func wantStruck(t *testing.T, struck []string) {
	t.Helper()
	for _, kind := range []string{"BEGIN", "PRAGMA data_version", "SAVEPOINT", "INSERT", "RELEASE", "ROLLBACK TO", "COMMIT"} {
		if !slices.ContainsFunc(struck, func(query string) bool { return strings.HasPrefix(query, kind) }) {
			t.Errorf("no %s was among the %d statements", kind, len(struck))
		}
	}
}

// After trouble SQLite may have ended the transaction. What the function does
// then, and if it takes no notice, must not be a transaction of its own.
func TestNothingRunsOnItsOwnAfterTrouble(t *testing.T) {
	for _, ends := range []error{nil, errOurs} {
		sqliteBubbleURL(t, func(t *testing.T, url string) {
			f := &faultAt{strike: faults["trouble, all undone"]}
			d := openWith(t, url, f.each)
			addStores(t, d, "a")
			h := newHistory(d)
			release := hold(t, d)
			first := h.queueAdd(t, d, "first", func(*db.Tx) error { return nil })
			bad := h.queueAdd(t, d, "bad", func(tx *db.Tx) error {
				f.in = 1
				for range 2 {
					for _, err := range []error{addNext(tx, "a", "on its own"), tx.InsertGroup("a", newGroup(9, "on its own"))} {
						if !errors.Is(err, txn.ErrTrouble) {
							t.Errorf("a statement after trouble: %v", err)
						}
					}
				}
				return ends
			})
			last := h.queueAdd(t, d, "last", func(*db.Tx) error { return nil })
			release()
			for name, done := range map[string]<-chan error{"first": first, "bad": bad, "last": last} {
				err := h.hear(name, done)
				if (err == nil) != (name == "last") {
					t.Errorf("%s is told %v", name, err)
				}
			}
			h.wantTrue(t, d)
		})
	}
}

// A disk that is full, as SQLite says it: the database may not grow.
func TestDatabaseIsFull(t *testing.T) {
	sqliteBubble(t, func(t *testing.T, d *db.DB) {
		h := newHistory(d)
		update(t, d, func(tx *db.Tx) error { _, err := tx.Exec("PRAGMA max_page_count = 1"); return err }) // that is, as it is
		release := hold(t, d)
		large := memberOf(1)
		large.GroupID, large.Notes = 0, strings.Repeat("x", 1_000_000)
		first := h.queueAdd(t, d, "first", func(*db.Tx) error { return nil })
		full := h.queueAdd(t, d, "full", func(tx *db.Tx) error { return tx.InsertCustomer("a", large, "") })
		last := h.queueAdd(t, d, "last", func(*db.Tx) error { return nil })
		release()
		wantKind(t, h.hear("full", full), cohort.KindUnavailable)
		_, _ = h.hear("first", first), h.hear("last", last) // whatever they are told has to be true
		h.wantTrue(t, d)

		update(t, d, func(tx *db.Tx) error { _, err := tx.Exec("PRAGMA max_page_count = 1000000"); return err })
		if err := h.hear("next", h.queueAdd(t, d, "next", func(*db.Tx) error { return nil })); err != nil {
			t.Error(err)
		}
		h.wantTrue(t, d)
	})
}
