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
	"cohort.example/cohort/internal/testenv"
)

// acknowledged counts the acknowledged writes to a store.
type acknowledged struct {
	renamed [2]atomic.Int64 // renames of groups 1 and 2
	created atomic.Int64    // further groups
}

// rename renames the group several times, and each time gives it both flags.
func (a *acknowledged) rename(t *testing.T, svc *service.Service, g cohort.Group, times int64) {
	for n := int64(1); n <= times; n++ {
		u := cohort.GroupUpdate{Name: new(fmt.Sprintf("name %d of %d", n, g.ID)), IsDefault: new(true), IsGroupForGuests: new(true)}
		if _, err := svc.UpdateGroup(t.Context(), "a", g.ID, u); err != nil {
			t.Error(err)
			return
		}
		a.renamed[g.ID-1].Store(n)
	}
}

func (a *acknowledged) create(t *testing.T, svc *service.Service, times int64) {
	for n := range times {
		if _, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: fmt.Sprint("another ", n)}); err != nil {
			t.Error(err)
			return
		}
		a.created.Store(n + 1)
	}
}

// read reads the store in every way. It returns an error if a result lacks a write that
// was acknowledged before the read.
func (a *acknowledged) read(ctx context.Context, svc *service.Service) error {
	for i := range a.renamed {
		acked := a.renamed[i].Load()
		g, err := svc.Group(ctx, "a", int64(i+1))
		if err != nil {
			return err
		}
		if err := checkName("Group", acked, g); err != nil {
			return err
		}
	}
	created := a.created.Load()
	n, err := svc.CountGroups(ctx, "a", cohort.GroupFilter{NameLike: "another"})
	if err != nil {
		return err
	}
	if n < created {
		return fmt.Errorf("CountGroups returned %d after %d creates were acknowledged", n, created)
	}
	if err := a.list(ctx, svc); err != nil {
		return err
	}
	return a.holders(ctx, svc)
}

// holders reads the groups that have a flag. At any time exactly one group has it.
func (a *acknowledged) holders(ctx context.Context, svc *service.Service) error {
	for _, f := range []cohort.GroupFilter{{IsDefault: new(true)}, {IsGroupForGuests: new(true)}} {
		groups, err := svc.ListGroups(ctx, "a", f, cohort.Page{Number: 1, Size: 1000})
		if err != nil {
			return err
		}
		if len(groups) != 1 || f.IsDefault != nil && !groups[0].IsDefault || f.IsGroupForGuests != nil && !groups[0].IsGroupForGuests {
			return fmt.Errorf("the groups with flag filter %+v are %v, want one", f, groups)
		}
		n, err := svc.CountGroups(ctx, "a", f)
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("CountGroups returned %d groups with a flag, want 1", n)
		}
	}
	return nil
}

func (a *acknowledged) list(ctx context.Context, svc *service.Service) error {
	acked := [len(a.renamed)]int64{a.renamed[0].Load(), a.renamed[1].Load()}
	created := a.created.Load()
	groups, err := svc.ListGroups(ctx, "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		return err
	}
	if want := created + int64(len(acked)); int64(len(groups)) < want {
		return fmt.Errorf("ListGroups returned %d groups, want at least %d", len(groups), want)
	}
	for i := range acked {
		if err := checkName("ListGroups", acked[i], groups[i]); err != nil {
			return err
		}
	}
	isDefault := func(g cohort.Group) bool { return g.IsDefault }
	isGuest := func(g cohort.Group) bool { return g.IsGroupForGuests }
	for _, has := range []func(cohort.Group) bool{isDefault, isGuest} {
		first := slices.IndexFunc(groups, has)
		if first < 0 || slices.IndexFunc(groups[first+1:], has) >= 0 {
			return fmt.Errorf("ListGroups returned no consistent state: not exactly one group has each flag: %v", groups)
		}
	}
	return nil
}

// checkName returns an error unless the group shows at least the acknowledged rename.
func checkName(what string, acked int64, g cohort.Group) error {
	var n int64
	if _, err := fmt.Sscanf(g.Name, "name %d", &n); err != nil || n < acked {
		return fmt.Errorf("%s shows group %d as %q after rename %d was acknowledged", what, g.ID, g.Name, acked)
	}
	return nil
}

// awaitAll waits until the service shows all acknowledged writes. It fails after ten
// seconds.
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

// Readers of the node that writes always see the acknowledged writes: no cache may
// return an older state. Another process may see them later.
func TestReadsSeeAcknowledgedWrites(t *testing.T) {
	changes := testenv.Times[int64](100, 30)
	dbtest.EachURL(t, func(t *testing.T, url string) {
		svc := newService(t, dbtest.Open(t, url), []string{"a"})
		a := &acknowledged{}
		var writers, readers sync.WaitGroup
		for i := range a.renamed {
			g := mustCreate(t, svc, "a", cohort.Group{Name: fmt.Sprintf("name 0 of %d", i+1), IsDefault: true, IsGroupForGuests: true})
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
		other := newService(t, dbtest.Open(t, url), nil)
		a.awaitAll(t, other) // fills its caches
		writers.Wait()
		done.Store(true)
		readers.Wait()
		if err := a.read(t.Context(), svc); err != nil { // without concurrent writes
			t.Error(err)
		}
		a.awaitAll(t, other)
	})
}
