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

// What only inserts may share a transaction with others on every engine. Each
// caller is told the truth about his own, and so are watchers.
func TestInsertionsThatFailAmongOthers(t *testing.T) {
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
			insert, bad := func(tx *db.Tx) error { return tx.InsertGroup("a", newGroup(int64(i), "x")) }, fail[i%8]
			if bad.insert != nil {
				insert = bad.insert
			} else {
				want, notified = append(want, newGroup(int64(i), "x")), append(notified, fmt.Sprintf("+a/%d x", i))
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
			t.Errorf("watchers were told %q, want %q", got, notified)
		}
	})
}

// The end of one caller's context does not reach others, whom he may share a
// transaction with.
func TestContextThatEndsAmongOthers(t *testing.T) {
	const callers = 48
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var wg sync.WaitGroup
		begin := make(chan struct{})
		var stay []int64
		for i := range int64(callers) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			leaves := i%3 == 0
			if !leaves {
				stay = append(stay, i+1)
			}
			wg.Go(func() {
				<-begin
				err := d.Update(ctx, func(tx *db.Tx) error {
					if leaves {
						cancel()
					}
					return tx.InsertGroup("a", newGroup(i+1, "x"))
				})
				if err != nil && (!leaves || !errors.Is(err, context.Canceled)) {
					t.Errorf("update %d: %v", i, err)
				}
			})
		}
		close(begin)
		wg.Wait()
		there := idsOf(listGroups(t, d, "a", everything, onePage))
		for _, id := range stay {
			if !slices.Contains(there, id) {
				t.Errorf("group %d is not there", id)
			}
		}
	})
}
