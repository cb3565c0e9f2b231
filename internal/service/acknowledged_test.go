package service_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// acknowledged is what the writers of a store have been promised: how often
// each group was renamed, and how many groups there are.
type acknowledged struct {
	renamed [2]atomic.Int64
	created atomic.Int64
}

// rename gives the group its next names, one after the other, and each time
// takes the flags from whoever has them.
func (a *acknowledged) rename(t *testing.T, svc *service.Service, g cohort.Group, times int64) {
	for n := int64(1); n <= times; n++ {
		u := cohort.GroupUpdate{Name: new(fmt.Sprint("name ", n)), IsDefault: new(true), IsGroupForGuests: new(true)}
		if _, err := svc.UpdateGroup(t.Context(), "a", g.ID, u); err != nil {
			t.Error(err)
			return
		}
		a.renamed[g.ID-1].Store(n)
	}
}

func (a *acknowledged) create(t *testing.T, svc *service.Service, times int64) {
	for n := range times {
		if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "another"}); err != nil {
			t.Error(err)
			return
		}
		a.created.Store(n + 1)
	}
}

// read asks for everything there is. It returns an error when something is not
// in the answer that had been acknowledged before it asked.
func (a *acknowledged) read(ctx context.Context, svc *service.Service) error {
	for i := range a.renamed {
		promised := a.renamed[i].Load()
		g, err := svc.Group(ctx, "a", int64(i+1))
		if err != nil {
			return err
		}
		if err := checkName("a get", promised, g); err != nil {
			return err
		}
	}
	created := a.created.Load()
	n, err := svc.CountGroups(ctx, "a", cohort.GroupFilter{Name: new("another")})
	if err != nil {
		return err
	}
	if n < created {
		return fmt.Errorf("a count is %d when %d had been created", n, created)
	}
	if err := a.list(ctx, svc); err != nil {
		return err
	}
	return a.holders(ctx, svc)
}

// holders asks for the groups that have a flag. At every moment there is one.
func (a *acknowledged) holders(ctx context.Context, svc *service.Service) error {
	for _, f := range []cohort.GroupFilter{{IsDefault: new(true)}, {IsGroupForGuests: new(true)}} {
		groups, err := svc.ListGroups(ctx, "a", f, cohort.Page{Number: 1, Size: 1000})
		if err != nil {
			return err
		}
		if len(groups) != 1 || f.IsDefault != nil && !groups[0].IsDefault || f.IsGroupForGuests != nil && !groups[0].IsGroupForGuests {
			return fmt.Errorf("the list of those with a flag is %v", groups)
		}
		n, err := svc.CountGroups(ctx, "a", f)
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("the count of those with a flag is %d", n)
		}
	}
	return nil
}

func (a *acknowledged) list(ctx context.Context, svc *service.Service) error {
	promised := [len(a.renamed)]int64{a.renamed[0].Load(), a.renamed[1].Load()}
	created := a.created.Load()
	groups, err := svc.ListGroups(ctx, "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		return err
	}
	if want := created + int64(len(promised)); int64(len(groups)) < want {
		return fmt.Errorf("a list has %d groups when there are %d", len(groups), want)
	}
	for i := range promised {
		if err := checkName("a list", promised[i], groups[i]); err != nil {
			return err
		}
	}
	isDefault := func(g cohort.Group) bool { return g.IsDefault }
	isGuest := func(g cohort.Group) bool { return g.IsGroupForGuests }
	for _, has := range []func(cohort.Group) bool{isDefault, isGuest} {
		first := slices.IndexFunc(groups, has)
		if first < 0 || slices.IndexFunc(groups[first+1:], has) >= 0 {
			return fmt.Errorf("a list is of no one moment, for not one group has each flag: %v", groups)
		}
	}
	return nil
}

// checkName returns an error unless the group has been renamed so many times,
// or more.
func checkName(what string, promised int64, g cohort.Group) error {
	var n int64
	if _, err := fmt.Sscanf(g.Name, "name %d", &n); err != nil || n < promised {
		return fmt.Errorf("%s shows group %d as %q when name %d had been acknowledged", what, g.ID, g.Name, promised)
	}
	return nil
}

// awaitAll returns when the service shows all that had been acknowledged. The
// deadline is for one that never does.
func (a *acknowledged) awaitAll(t *testing.T, svc *service.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for err := a.read(ctx, svc); err != nil && !t.Failed(); err = a.read(ctx, svc) {
		if ctx.Err() != nil {
			t.Error(err)
			return
		}
	}
}

// TestReadersSeeWhatWasAcknowledged lets readers ask as often as they can while
// groups change. An answer that was remembered too long, or remembered from a
// moment before the change, would show less than what somebody has been
// promised. Another process may be late, but it must catch up.
func TestReadersSeeWhatWasAcknowledged(t *testing.T) {
	const changes = 100
	dbtest.EachURL(t, func(t *testing.T, url string) {
		svc := newService(t, dbtest.Open(t, url), []string{"a"})
		a := &acknowledged{}
		var writers, readers sync.WaitGroup
		for range a.renamed {
			g := mustCreate(t, svc, "a", cohort.Group{Name: "name 0", IsDefault: true, IsGroupForGuests: true})
			writers.Go(func() { a.rename(t, svc, g, changes) })
		}
		writers.Go(func() { a.create(t, svc, changes/4) })
		var done atomic.Bool
		for range 3 {
			readers.Go(func() {
				for !done.Load() && !t.Failed() {
					if err := a.read(t.Context(), svc); err != nil {
						t.Error(err)
					}
				}
			})
		}
		elsewhere := newService(t, dbtest.Open(t, url), nil)
		a.awaitAll(t, elsewhere) // so that it has something to forget
		writers.Wait()
		done.Store(true)
		readers.Wait()
		if err := a.read(t.Context(), svc); err != nil { // when nothing happens any more
			t.Error(err)
		}
		a.awaitAll(t, elsewhere)
	})
}
