package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// restore replaces the store with the state of a snapshot, by a node.
func (f *hookFixture) restore(t testing.TB, svc *service.Service, name string) {
	t.Helper()
	if _, err := svc.RestoreSnapshot(f.ctx, "a", name); err != nil {
		t.Fatal(err)
	}
}

func (f *hookFixture) snapshot(t testing.TB, name string) {
	t.Helper()
	if _, _, err := f.svc.SaveSnapshot(f.ctx, "a", name); err != nil {
		t.Fatal(err)
	}
}

// A restore forgets what was known of the destinations too, so that tests do not disturb each
// other: blocks, the calls that lead to one, and when a failure was last told. The clock of
// the store stands still.
func TestResetForgetsDestinations(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		f.hook(t, "store/customer/created", "https://example.com/a")
		f.hook(t, cohort.ScopeDeliveryException, "https://other.example.com/")
		f.snapshot(t, "s")
		for range 2 {
			f.to.set(refuse)
			f.addCustomers(t, f.svc, 99)
			codes := map[int]int{}
			for range 99 + 1 {
				codes[f.to.next(t).Data.Code]++
			}
			if codes[90001] != 1 {
				t.Errorf("told %v", codes)
			}
			f.settle(t, t0.Add(time.Second))
			f.to.none(t)
			f.restore(t, f.svc, "s")
			f.settle(t, time.Time{})
		}
		f.to.set(refuse)
		f.addCustomers(t, f.svc, 100)
		for range 100 + 1 { // the block is told after the first failure
			f.to.next(t)
		}
		f.settle(t, t0.Add(time.Second))
		f.restore(t, f.svc, "s")
		f.to.set(nil)
		f.addCustomers(t, f.svc, 1)
		f.to.next(t)
	})
}

// A hook that waits for the end of a block is woken again when another node has replaced the
// store.
func TestResetOnAnotherNode(t *testing.T) {
	dbtest.EachLogicURL(t, func(t *testing.T, url string) {
		f := newHookFixture(t, dbtest.Open(t, url))
		f.hook(t, "store/customer/created", "https://example.com/a")
		f.snapshot(t, "s")
		f.to.set(refuse)
		f.addCustomers(t, f.svc, 100)
		for range 100 {
			f.to.next(t)
		}
		f.settle(t, t0.Add(time.Second))
		other := f.node(dbtest.Open(t, url), f.to)
		f.restore(t, other, "s")
		f.to.set(nil)
		f.addCustomers(t, f.svc, 1)
		f.to.next(t)
		f.settle(t, time.Time{})
	})
}

// Nothing of a deleted store is sent, also while its rows are still there.
func TestDeletedStoreSendsNothing(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		f.hook(t, "store/customer/created", "https://example.com/a")
		f.to.set(refuse)
		f.addCustomers(t, f.svc, 3)
		f.pump(t, f.svc)
		for range 3 {
			f.to.next(t)
		}
		f.addCustomers(t, f.svc, 600) // too many for DeleteStore itself
		if err := f.svc.DeleteStore(f.ctx, "a"); err != nil {
			t.Fatal(err)
		}
		f.clock.Set(t0.Add(time.Hour))
		f.pump(t, f.svc)
		f.to.none(t)
		if n := hookRows(t, d)["hook_deliveries"]; n != 3 {
			t.Errorf("%d deliveries are left for the sweep", n)
		}
	})
}
