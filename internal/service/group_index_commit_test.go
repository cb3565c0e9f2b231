package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// After a store is deleted and recreated, its group index contains only the groups of
// the new store.
func TestIndexOfDeletedStore(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a", "b"})
		addMany(t, d, "b", 30)
		addMany(t, d, "a", 20)
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		mustCreate(t, svc, st.Key, cohort.Group{Name: "of the next store"})
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		synctest.Wait()
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
	})
}

// A group index contains the writes of another process as soon as the service notices
// them.
func TestIndexAfterForeignWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		loadIndex(t, svc)
		other := newService(t, dbtest.Open(t, url), nil)
		mustCreate(t, other, "a", cohort.Group{Name: "Group of another"})
		time.Sleep(time.Second) // synctest time
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		mustCreate(t, other, "a", cohort.Group{Name: "Group of another again"})
		mustCreate(t, svc, "a", cohort.Group{Name: "Group of ours"}) // a write notices the other process
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
	})
}

// Between a commit and the update of the group index, the index contains groups that no
// longer pass the filter. A page must have no gaps in their place.
func TestPageDuringCommitHasNoGap(t *testing.T) {
	const size = 10
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		var afterCommit func()
		d.Watch(func([]db.Change) { afterCommit() }) // runs before the service updates its index
		afterCommit = func() {}
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", 5*size)
		loadIndex(t, svc)
		commits := 0
		var readers sync.WaitGroup
		afterCommit = func() {
			commits++
			for number := range 6 {
				readers.Go(func() {
					groups, err := svc.ListGroups(context.Background(), "a", someFilter, cohort.Page{Number: number + 1, Size: size})
					if last := number >= 4; err != nil || len(groups) != size && !last {
						t.Errorf("page %d has %d groups, error %v", number+1, len(groups), err)
					}
				})
			}
			synctest.Wait() // they have read, and wait for the update of the index
		}
		mustUpdate(t, svc, "a", 5, cohort.GroupUpdate{Name: new("another")})
		mustUpdate(t, svc, "a", 20, cohort.GroupUpdate{Name: new("one more")})
		if err := svc.DeleteGroup(t.Context(), "a", 21); err != nil {
			t.Fatal(err)
		}
		readers.Wait()
		if commits != 3 {
			t.Errorf("%d commits, want 3", commits)
		}
		afterCommit = func() {}
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 2, Size: size})
	})
}

// Callers find the groups that they have written, by name and on their page, during
// other writes and while group indexes are loaded and dropped.
func TestReadYourWrites(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", service.MinIndexOffset+10)
		loadIndex(t, svc)
		writeAndFindConcurrently(t, svc)
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 1000})
	})
}

func TestReadYourWritesWithoutIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", service.MinIndexOffset+10)
		writeAndFindConcurrently(t, svc)
	})
}

func writeAndFindConcurrently(t *testing.T, svc *service.Service) {
	const callers = 6
	each := testenv.Times(25, 8)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := range each {
				if err := writeAndFind(t.Context(), svc, fmt.Sprintf("caller %d, group %d", i, n)); err != nil {
					t.Error(err)
				}
				if n%5 == 0 && i == 0 {
					svc.ForgetIndexes()
				}
			}
		})
	}
	wg.Wait()
}

// writeAndFind creates, renames and deletes a group, and looks for it after each call.
func writeAndFind(ctx context.Context, svc *service.Service, name string) error {
	g, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: name})
	if err != nil {
		return err
	}
	if err := errors.Join(findByName(ctx, svc, name, g.ID), findOnPage(ctx, svc, g.ID, true)); err != nil {
		return err
	}
	renamed := name + ", renamed"
	if _, err := svc.UpdateGroup(ctx, "a", g.ID, cohort.GroupUpdate{Name: &renamed}); err != nil {
		return err
	}
	if err := errors.Join(findByName(ctx, svc, name), findByName(ctx, svc, renamed, g.ID)); err != nil {
		return err
	}
	if err := svc.DeleteGroup(ctx, "a", g.ID); err != nil {
		return err
	}
	return errors.Join(findByName(ctx, svc, renamed), findOnPage(ctx, svc, g.ID, false))
}

// findByName returns an error unless exactly these groups have the name.
func findByName(ctx context.Context, svc *service.Service, name string, want ...int64) error {
	f := cohort.GroupFilter{Name: &name}
	groups, err := svc.ListGroups(ctx, "a", f, cohort.Page{Number: 1, Size: 10})
	if err != nil {
		return err
	}
	var got []int64
	for _, g := range groups {
		got = append(got, g.ID)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the groups named %q are %v, want %v", name, got, want)
	}
	if n, err := svc.CountGroups(ctx, "a", f); n != int64(len(want)) || err != nil {
		return fmt.Errorf("the count of groups named %q is %d, want %d, error %w", name, n, len(want), err)
	}
	return nil
}

// findOnPage returns an error unless the presence of a group on the second page is as
// wanted. The page holds all groups that writeAndFind creates.
func findOnPage(ctx context.Context, svc *service.Service, id int64, want bool) error {
	groups, err := svc.ListGroups(ctx, "a", cohort.GroupFilter{}, cohort.Page{Number: 2, Size: service.MinIndexOffset})
	if err != nil {
		return err
	}
	if found := slices.ContainsFunc(groups, func(g cohort.Group) bool { return g.ID == id }); found != want {
		return fmt.Errorf("group %d is on the page: %v, want %v", id, found, want)
	}
	return nil
}
