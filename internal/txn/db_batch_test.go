package txn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// On both engines, updates that only insert may share a transaction. Each caller gets the
// error of its own update, and watchers get only the committed changes.
func TestInsertionsFailAmongOthers(t *testing.T) {
	t.Parallel()
	const callers = 96
	fail := map[int]struct {
		insert func(*db.Tx) error
		kind   cohort.Kind
	}{
		0: {func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(1, "again")) }, cohort.KindConflict},
		1: {func(tx *db.Tx) error { return tx.InsertGroup("none", newGroup(1, "of no store")) }, cohort.KindNotFound},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addGroups(t, d, "a", newGroup(1, "first"))
		watched := watch(d)
		want, notified := []cohort.Group{newGroup(1, "first")}, []string{}
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range callers {
			g := newGroup(int64(i), fmt.Sprint("group ", i))
			insert, bad := func(tx *db.Tx) error { return tx.InsertGroup("a", g) }, fail[i%8]
			if bad.insert != nil {
				insert = bad.insert
			} else {
				want, notified = append(want, g), append(notified, fmt.Sprintf("+a/%d %s", i, g.Name))
			}
			wg.Go(func() {
				<-begin
				if err := d.Update(t.Context(), insert); (err == nil) != (bad.insert == nil) || err != nil && cohort.KindOf(err) != bad.kind {
					t.Errorf("insertion %d: %v", i, err)
				}
			})
		}
		close(begin)
		wg.Wait()
		wantGroups(t, d, "a", want...)
		got := strings.Split(strings.Join(watched.take(), ", "), ", ")
		slices.Sort(got)
		slices.Sort(notified)
		if !slices.Equal(got, notified) {
			t.Errorf("watchers got %q, want %q", got, notified)
		}
	})
}

// The end of one caller's context does not affect other updates, which may share its
// transaction.
func TestContextEndsAmongOthers(t *testing.T) {
	const callers = 48
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var wg sync.WaitGroup
		begin := make(chan struct{})
		var kept []int64
		for i := range int64(callers) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cancelled := i%3 == 0
			if !cancelled {
				kept = append(kept, i+1)
			}
			wg.Go(func() {
				<-begin
				err := d.Update(ctx, func(tx *db.Tx) error {
					if cancelled {
						cancel()
					}
					return tx.InsertGroup("a", newGroup(i+1, fmt.Sprint("group ", i)))
				})
				if err != nil && (!cancelled || !errors.Is(err, context.Canceled)) {
					t.Errorf("update %d: %v", i, err)
				}
			})
		}
		close(begin)
		wg.Wait()
		got := groupIDs(listGroups(t, d, "a", allGroups, onePage))
		for _, id := range kept {
			if !slices.Contains(got, id) {
				t.Errorf("group %d does not exist", id)
			}
		}
	})
}
