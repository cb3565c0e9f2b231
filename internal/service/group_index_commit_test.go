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
)

// A roster holds one store, and what becomes of that: deleted and made again it
// is another.
func TestIndexOfAStoreThatIsDeleted(t *testing.T) {
	bubbles(t, func(t *testing.T, url string) {
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

// What another process has written is in a roster as soon as it is noticed.
func TestIndexNoticesForeignWrites(t *testing.T) {
	bubbles(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		loadIndex(t, svc)
		elsewhere := newService(t, dbtest.Open(t, url), nil)
		mustCreate(t, elsewhere, "a", cohort.Group{Name: "Group of another"})
		time.Sleep(time.Second) // of the bubble's time
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		mustCreate(t, elsewhere, "a", cohort.Group{Name: "Group of another"})
		mustCreate(t, svc, "a", cohort.Group{Name: "Group of ours"}) // notices by itself
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 100})
	})
}

// Between a commit and the moment when the roster hears of it, the roster names
// groups that do not pass any more. A page with a gap is none that ever was.
func TestPageHasNoGap(t *testing.T) {
	const size = 10
	bubbles(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		var inBetween func()
		d.Watch(func([]db.Change) { inBetween() }) // before the service, who watches too
		inBetween = func() {}
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", 5*size)
		loadIndex(t, svc)
		looked := 0
		var readers sync.WaitGroup
		inBetween = func() {
			looked++
			for number := range 6 {
				readers.Go(func() {
					groups, err := svc.ListGroups(context.Background(), "a", someFilter, cohort.Page{Number: number + 1, Size: size})
					if last := number >= 4; err != nil || len(groups) != size && !last {
						t.Errorf("page %d has %d groups, error %v", number+1, len(groups), err)
					}
				})
			}
			synctest.Wait() // they have read, and wait until the commit is told of
		}
		mustUpdate(t, svc, "a", 5, cohort.GroupUpdate{Name: new("another")})
		mustUpdate(t, svc, "a", 20, cohort.GroupUpdate{Name: new("another")})
		if err := svc.DeleteGroup(t.Context(), "a", 21); err != nil {
			t.Fatal(err)
		}
		readers.Wait()
		if looked != 3 {
			t.Errorf("looked %d times", looked)
		}
		inBetween = func() {}
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 2, Size: size})
	})
}

// Whoever has written finds what he wrote, by its name and on its page, while
// others write and rosters come and go.
func TestCallersFindWhatTheyWrote(t *testing.T) {
	bubbles(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", service.MinIndexOffset+10)
		loadIndex(t, svc)
		manyWriteAndFind(t, svc)
		loadIndex(t, svc)
		wantAsDatabase(t, svc, d, someFilter, cohort.Page{Number: 1, Size: 1000})
	})
}

func TestCallersFindWhatTheyWroteWithoutIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		addMany(t, d, "a", service.MinIndexOffset+10)
		manyWriteAndFind(t, svc)
	})
}

func manyWriteAndFind(t *testing.T, svc *service.Service) {
	const callers, each = 6, 25
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

// writeAndFind makes, renames and deletes a group, and looks for it each time.
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

// findByName returns an error unless just these groups have the name.
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
		return fmt.Errorf("%q are the groups %v, want %v", name, got, want)
	}
	if n, err := svc.CountGroups(ctx, "a", f); n != int64(len(want)) || err != nil {
		return fmt.Errorf("%q are %d groups, want %d, error %w", name, n, len(want), err)
	}
	return nil
}

// findOnPage returns an error unless a group is on the second page, or is not.
// All that are made here are on that one.
func findOnPage(ctx context.Context, svc *service.Service, id int64, want bool) error {
	groups, err := svc.ListGroups(ctx, "a", cohort.GroupFilter{}, cohort.Page{Number: 2, Size: service.MinIndexOffset})
	if err != nil {
		return err
	}
	if there := slices.ContainsFunc(groups, func(g cohort.Group) bool { return g.ID == id }); there != want {
		return fmt.Errorf("group %d is on the page: %v, want %v", id, there, want)
	}
	return nil
}
