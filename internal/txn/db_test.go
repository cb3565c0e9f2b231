package txn_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// attempt runs an update and returns its error. It turns a panic into an error.
func attempt(ctx context.Context, d *db.DB, fn func(*db.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return d.Update(ctx, fn)
}

// failures are ways in which a function fails after it has written.
var failures = map[string]func(tx *db.Tx) error{
	"error":            func(*db.Tx) error { return errTest },
	"panic":            func(*db.Tx) error { panic("ours") },
	"unique index":     func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "again")) },
	"foreign key":      func(tx *db.Tx) error { return tx.InsertGroup("none", newGroup(1, "x")) },
	"no row":           func(tx *db.Tx) error { return tx.DeleteGroup("a", 99) },
	"error after more": func(tx *db.Tx) error { return errors.Join(tx.DeleteGroup("a", 1), addNext(tx, "a", "y"), errTest) },
}

func TestFailedUpdateIsRolledBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "first") })
		for name, fail := range failures {
			err := attempt(t.Context(), d, func(tx *db.Tx) error {
				if err := errors.Join(addNext(tx, "a", "lost"), tx.UpdateGroup("a", newGroup(1, "first"), newGroup(1, "changed"))); err != nil {
					return err
				}
				return fail(tx)
			})
			if err == nil {
				t.Errorf("%s: Update returns nil", name)
			}
			wantGroups(t, d, "a", newGroup(1, "first"))
		}
		// The next update works. On SQLite it reuses ids that were rolled back.
		id := addGroup(t, d, "a", "second")
		wantGroups(t, d, "a", newGroup(1, "first"), newGroup(id, "second"))
	})
}

func TestUpdateAndViewReturnError(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, run := range txFuncs(d) {
			ours := &cohort.Error{Kind: cohort.KindForbidden}
			if err := run(t.Context(), func(*db.Tx) error { return fmt.Errorf("wrapped: %w", ours) }); !errors.Is(err, ours) {
				t.Errorf("%s: got %v", name, err)
			}
			if err := run(t.Context(), func(*db.Tx) error { return errTest }); !errors.Is(err, errTest) || cohort.KindOf(err) != cohort.KindInternal {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestContextHasEnded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, run := range txFuncs(d) {
			err := run(ctx, func(*db.Tx) error { t.Errorf("%s called the function", name); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// An update that has begun may share its transaction with others, so the end of its
// context must not stop it half way. Update returns an error unless the commit was
// faster.
func TestContextEndsDuringUpdate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Update(ctx, func(tx *db.Tx) error {
			err := addNext(tx, "a", "first")
			cancel()
			return errors.Join(err, flush(tx), addNext(tx, "a", "second"))
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		update(t, d, func(*db.Tx) error { return nil }) // runs after it
		wantGroups(t, d, "a", newGroup(1, "first"), newGroup(2, "second"))
	})
}

// On SQLite an update waits for the one before it.
func TestContextEndsDuringWait(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	addStores(t, d, "a")
	var waited error
	update(t, d, func(tx *db.Tx) error {
		// This update occupies the writer, so the other one has to wait.
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		waited = d.Update(ctx, func(tx *db.Tx) error { return addNext(tx, "a", "late") })
		return addNext(tx, "a", "first")
	})
	if !errors.Is(waited, context.Canceled) {
		t.Errorf("the update that waited: got %v, want the error of its context", waited)
	}
	update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "second") })
	wantGroups(t, d, "a", newGroup(1, "first"), newGroup(2, "second"))
}

func TestContextEndsDuringView(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		ctx, cancel := context.WithCancel(t.Context())
		err := d.View(ctx, func(tx *db.Tx) error {
			cancel()
			_, err := tx.CountGroups("a", allGroups)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		wantGroups(t, d, "a")
	})
}

// Some of many concurrent updates fail. Exactly the others are committed, regardless of
// which updates share a transaction.
func TestConcurrentUpdates(t *testing.T) {
	const callers, each = 16, 12
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		var mu sync.Mutex
		var want []cohort.Group
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := range each {
					if id := runOne(t, d, caller*each+i); id != 0 {
						mu.Lock()
						want = append(want, newGroup(id, fmt.Sprint("kept ", id)))
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()

		// Of every four, one fails with an error, one with a panic, one with a conflict.
		if len(want) != callers*each/4 {
			t.Errorf("%d updates succeeded, want %d", len(want), callers*each/4)
		}
		slices.SortFunc(want, func(a, b cohort.Group) int { return cmp.Compare(a.ID, b.ID) })
		wantGroups(t, d, "a", want...)
		wantGroups(t, d, "b")
	})
}

// runOne runs update n of TestConcurrentUpdates and checks its error. It returns the id of
// the group that was created, or 0.
func runOne(t *testing.T, d *db.DB, n int) (id int64) {
	var ended bool
	err := attempt(t.Context(), d, func(tx *db.Tx) (err error) {
		if n%4 == 0 {
			ended = true
			if id, err = tx.NextID("a", "customer_group"); err != nil {
				return err
			}
			return tx.InsertGroup("a", newGroup(id, fmt.Sprint("kept ", id)))
		}
		if err := errors.Join(addNext(tx, "a", newName()), addNext(tx, "b", newName())); err != nil {
			return err
		}
		ended = true
		switch n % 4 {
		case 1:
			return errTest
		case 2:
			panic("ours")
		}
		return tx.InsertStore(cohort.Store{Hash: "a"})
	})
	if !ended || (err == nil) != (n%4 == 0) {
		t.Errorf("update %d: reached its end: %t, error %v", n, ended, err)
	}
	return id
}

func TestViewReadsOneSnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "first"))
		view(t, d, func(tx *db.Tx) error {
			before, err := tx.CountGroups("a", allGroups)
			if err != nil {
				return err
			}
			update(t, d, func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(2, "second")) })
			after, err := tx.ListGroups("a", allGroups, onePage)
			if before != 1 || len(after) != 1 {
				t.Errorf("counted %d groups, then listed %d, want 1 and 1", before, len(after))
			}
			return err
		})
		wantGroups(t, d, "a", newGroup(1, "first"), newGroup(2, "second"))
	})
}

func TestViewDoesNotWaitForUpdate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		update(t, d, func(tx *db.Tx) error {
			if err := tx.InsertGroup("a", newGroup(1, "x")); err != nil {
				return err
			}
			// If the view waited for this update, neither would end.
			var seen int64
			err := d.View(t.Context(), func(tx *db.Tx) (err error) {
				seen, err = tx.CountGroups("a", allGroups)
				return err
			})
			if seen != 0 {
				t.Errorf("the view has read %d uncommitted groups", seen)
			}
			return err
		})
		wantGroups(t, d, "a", newGroup(1, "x"))
	})
}

func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		if err := d.View(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "x")) }); err == nil {
			t.Error("an insert in a view succeeded")
		}
		wantGroups(t, d, "a")
	})
}

func TestUseAfterClose(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		for name, run := range txFuncs(d) {
			if err := run(t.Context(), func(*db.Tx) error { return nil }); err == nil {
				t.Errorf("%s works on a closed database", name)
			}
		}
		if err := d.Ping(t.Context()); err == nil {
			t.Error("Ping works on a closed database")
		}
	})
}
