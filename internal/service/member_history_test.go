package service_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"pgregory.net/rapid"
)

// step is one call of a history. Pick and Group are taken modulo the number of existing
// customers and groups. The steps "... many" are the batches of V3, the others the calls
// of V2.
type step struct {
	Do    string
	Pick  int
	Group int64
	// Batch is the number of rows that a deletion or sweep writes; 0 is the service's
	// default.
	Batch int64
}

// steps draws a step. With small, deletions and sweeps write one to three rows.
func steps(small bool) *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		// Repeats are weights.
		s := step{Do: rapid.SampledFrom([]string{
			"create", "create", "create", "create by default", "move", "move", "move", "rename", "delete",
			"create many", "create many", "move many", "move many", "delete many",
			"create group", "create group", "create default", "delete group", "delete group", "sweep",
		}).Draw(t, "do")}
		s.Pick = rapid.IntRange(0, 1<<16).Draw(t, "pick")
		s.Group = rapid.Int64Range(0, 1<<16).Draw(t, "group")
		if small {
			s.Batch = rapid.Int64Range(1, 3).Draw(t, "batch")
		}
		return s
	})
}

// history is a store with several concurrent callers.
type history struct {
	svc      *service.Service
	db       *db.DB
	store    string
	groups   atomic.Int64 // the highest group id of all callers
	mu       sync.Mutex
	problems []string
}

// problem records a failure, from any goroutine.
func (h *history) problem(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// member is one of the callers. It changes only customers that it has created, so it
// knows their groups, unless a group is deleted.
type member struct {
	*history
	name    string
	created int
	own     map[int64]int64 // by customer: the group in the last result
}

// act takes one step. It allows errors about groups that do not exist, and about names
// of groups that are taken.
func (m *member) act(ctx context.Context, s step) {
	group := s.Group % (m.groups.Load() + 2) // 0 is none, the highest does not exist yet
	var id int64
	if ids := slices.Sorted(maps.Keys(m.own)); len(ids) > 0 {
		id = ids[s.Pick%len(ids)]
	} else if s.Do == "move" || s.Do == "rename" || s.Do == "delete" {
		s.Do = "create"
	}
	if strings.HasSuffix(s.Do, " many") {
		m.actOnMany(ctx, s, group)
		return
	}
	var err error
	var c cohort.CustomerDetail
	switch s.Do {
	case "create", "create by default":
		m.created++
		u := ada(fmt.Sprint(m.name, m.created, "@example.com"))
		if s.Do == "create" {
			u.GroupID = &group
		}
		c.Customer, err = m.svc.CreateCustomer(ctx, m.store, u)
	case "move":
		c, err = m.svc.UpdateCustomer(ctx, m.store, id, cohort.CustomerUpdate{GroupID: &group})
	case "rename":
		c, err = m.svc.UpdateCustomer(ctx, m.store, id, cohort.CustomerUpdate{LastName: new(fmt.Sprint(s.Pick))})
	case "delete":
		err = m.svc.DeleteCustomer(ctx, m.store, id)
		delete(m.own, id)
	case "create group", "create default":
		var g cohort.Group
		g, err = m.svc.CreateGroup(ctx, m.store, cohort.Group{Name: fmt.Sprint("group ", s.Pick%20), IsDefault: s.Do == "create default"})
		for last := m.groups.Load(); last < g.ID && !m.groups.CompareAndSwap(last, g.ID); last = m.groups.Load() {
		}
	case "delete group":
		err = m.deleteGroup(ctx, group, s.Batch)
	case "sweep":
		_, err = m.sweep(ctx, s.Batch)
	}
	switch kind := cohort.KindOf(err); {
	case err == nil && c.ID != 0:
		m.own[c.ID] = c.GroupID
	case err == nil, s.Do == "delete group" && kind == cohort.KindNotFound,
		(s.Do == "create group" || s.Do == "create default") && isNameTaken(err),
		(s.Do == "create" || s.Do == "move") && err.Error() == noGroup:
	default:
		m.problem("%s %+v: %v", m.name, s, err)
	}
}

// actOnMany takes a step that is a batch. Its customers are in two groups, or in the
// default group.
func (m *member) actOnMany(ctx context.Context, s step, group int64) {
	n := s.Pick%cohort.MaxCustomerBatch + 1
	other := (group + 1) % (m.groups.Load() + 1)
	groups := []*int64{&group, &other, nil}
	ids := slices.Sorted(maps.Keys(m.own))
	ids = ids[:min(n, len(ids))]
	var customers []cohort.Customer
	var err error
	switch {
	case s.Do == "create many" || len(ids) == 0:
		var items []service.NewCustomer
		for i := range n {
			m.created++
			u := ada(fmt.Sprint(m.name, m.created, "@example.com"))
			u.GroupID = groups[i%len(groups)]
			items = append(items, service.NewCustomer{CustomerUpdate: u})
		}
		customers, err = m.svc.CreateCustomers(ctx, m.store, items)
	case s.Do == "move many":
		var items []service.CustomerChange
		for i, id := range slices.Backward(ids) {
			items = append(items, service.CustomerChange{ID: id, CustomerUpdate: cohort.CustomerUpdate{GroupID: groups[i%len(groups)]}})
		}
		customers, err = m.svc.UpdateCustomers(ctx, m.store, items)
	default:
		err = m.svc.DeleteCustomersByID(ctx, m.store, append(ids, 1<<40))
		for _, id := range ids {
			delete(m.own, id)
		}
	}
	for _, c := range customers {
		m.own[c.ID] = c.GroupID
	}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		for _, e := range items {
			if e.Error() != noGroup {
				m.problem("%s %+v: %v", m.name, s, err)
			}
		}
	} else if err != nil {
		m.problem("%s %+v: %v", m.name, s, err)
	}
}

// deleteGroup is Service.DeleteGroup with another batch size.
func (h *history) deleteGroup(ctx context.Context, id, batch int64) error {
	if batch == 0 {
		return h.svc.DeleteGroup(ctx, h.store, id)
	}
	return h.db.Update(ctx, func(tx *db.Tx) error {
		if err := tx.DeleteGroup(h.store, id); err != nil {
			return err
		}
		_, err := tx.UnassignMembers(h.store, id, batch)
		return err
	})
}

// sweep is Service.SweepTombstones with another batch size.
func (h *history) sweep(ctx context.Context, batch int64) (more bool, err error) {
	if batch == 0 {
		return h.svc.SweepTombstones(ctx)
	}
	err = h.db.Update(ctx, func(tx *db.Tx) error {
		more, err = tx.SweepTombstones(batch, nil)
		return err
	})
	return more, err
}

// run runs the callers concurrently. It checks the store during the calls, after them,
// and after all sweeps.
func (h *history) run(t rapid.TB, callers [][]step, seed map[int64]int64) {
	ctx := context.Background()
	var members []*member
	var wg sync.WaitGroup
	for i, steps := range callers {
		m := &member{history: h, name: fmt.Sprint("caller", i), own: map[int64]int64{}}
		for id, group := range seed {
			if int(id)%len(callers) == i {
				m.own[id] = group
			}
		}
		members = append(members, m)
		wg.Go(func() {
			for n, s := range steps {
				m.act(ctx, s)
				if n%4 == 3 {
					h.snapshot(ctx)
				}
			}
		})
	}
	wg.Wait()
	h.wantOwn(ctx, members)
	for more := true; more; {
		h.snapshot(ctx)
		var err error
		if more, err = h.sweep(ctx, callers[0][0].Batch); err != nil {
			t.Fatal(err)
		}
	}
	h.wantOwn(ctx, members)
	for _, p := range h.problems {
		t.Error(p)
	}
	if len(h.problems) > 0 {
		t.FailNow()
	}
}

// Groups and batches are small, so that deletions, sweeps and changes interleave in many
// ways.
func TestConcurrentMemberHistories(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		stores := 0
		rapid.Check(t, func(t *rapid.T) {
			stores++
			h := &history{svc: svc, db: d, store: fmt.Sprint("s", stores)}
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: h.store}); err != nil {
				t.Fatal(err)
			}
			h.run(t, rapid.SliceOfN(rapid.SliceOfN(steps(true), 1, 15), 2, 4).Draw(t, "callers"), nil)
		})
	})
}

// The service needs several transactions to empty the groups.
func TestConcurrentMemberHistoriesOfLargeGroups(t *testing.T) {
	callers := rapid.SliceOfN(rapid.SliceOfN(steps(false), 20, 40), 3, 3)
	for seed := range testenv.Times(3, 1) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			eachEngine(t, func(t *testing.T, s *fixture) {
				h := &history{svc: s.Service, db: s.db, store: "a"}
				own := map[int64]int64{}
				for _, members := range []int{memberBatch + 50, memberBatch + 10, 20} {
					group := s.group(t, cohort.Group{})
					for _, id := range fill(t, s.db, "a", group, members) {
						own[id] = group
					}
					h.groups.Store(group)
				}
				all := callers.Example(seed)
				// Two groups are deleted in any case.
				all[0] = slices.Insert(all[0], 5, step{Do: "delete group", Group: 1})
				all[1] = slices.Insert(all[1], 10, step{Do: "delete group", Group: 2})
				h.run(t, all, own)
			})
		})
	}
}
