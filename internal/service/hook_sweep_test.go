package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// The log of a hook keeps the last deliveries, for some days. An unused hook is
// deactivated.
func TestSweepHooks(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		for i := range service.KeptDeliveries + 5 {
			mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint(i)})
		}
		for range service.KeptDeliveries + 5 {
			f.to.next(t)
		}
		f.settle(t, time.Time{})
		sweep := func(after time.Duration, want int) {
			t.Helper()
			if after > 0 {
				if err := f.svc.Clocks().Advance("a", after); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.svc.SweepHooks(f.ctx); err != nil {
				t.Fatal(err)
			}
			if list := f.deliveries(t, h.ID); len(list) != want || want > 0 && list[want-1].EventNumber != service.KeptDeliveries+5 {
				t.Errorf("after %v the log has %d deliveries, want %d", after, len(list), want)
			}
		}
		sweep(0, service.KeptDeliveries)
		sweep(service.DeliveryAge, service.KeptDeliveries)
		sweep(time.Second, 0)
		sweep(service.HookIdle-service.DeliveryAge-time.Second, 0)
		if active, _ := f.isActive(t, h.ID); !active {
			t.Error("the hook is inactive after exactly 90 days")
		}
		sweep(time.Second, 0)
		if active, deactivated := f.isActive(t, h.ID); active || !deactivated {
			t.Error("the hook is active after 90 days without a delivery")
		}
	})
}

// Events that a hook has not got yet stay, up to ten times as many as the store keeps.
func TestSweepKeepsEventsOfHooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		names := 0
		sweep := func(create, left int) {
			t.Helper()
			for range create {
				names++
				mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint(names)})
			}
			if err := f.svc.SweepEventsBeyond(f.ctx, "a", 1); err != nil {
				t.Fatal(err)
			}
			if n := len(allEvents(t, f.svc, "a", 0)); n != left {
				t.Errorf("%d events are left, want %d", n, left)
			}
		}
		sweep(10, 10)
		if list := f.deliveries(t, h.ID); len(list) != 0 {
			t.Errorf("log %+v", list)
		}
		sweep(5, 10)
		list := f.deliveries(t, h.ID)
		if len(list) != 1 || list[0].State != cohort.DeliveryFailed || !strings.Contains(list[0].Error, "too far behind") {
			t.Errorf("log %+v", list)
		}
		wantKind(t, f.svc.RedeliverHook(f.ctx, "a", h.ID, list[0].ID), cohort.KindNotFound) // there is nothing to send
		if _, err := f.svc.DeleteHook(f.ctx, "a", f.token.ID, h.ID); err != nil {
			t.Fatal(err)
		}
		sweep(0, 1)
	})
}

// The waiting deliveries of a hook that is deleted are failed, and go with age.
func TestSweepOrphanDeliveries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		kept := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		addDeliveries(t, d, kept.ID, cohort.DeliveryWaiting, 1)
		addDeliveries(t, d, kept.ID+1, cohort.DeliveryWaiting, 2)
		waiting := func(want int64) {
			t.Helper()
			if err := f.svc.SweepHooks(f.ctx); err != nil {
				t.Fatal(err)
			}
			if n, err := f.svc.WaitingDeliveries(f.ctx); err != nil || n != want {
				t.Errorf("%d deliveries wait, want %d; error %v", n, want, err)
			}
		}
		waiting(1)
		if n := hookRows(t, d)["hook_deliveries"]; n != 3 {
			t.Errorf("%d deliveries are left", n)
		}
		f.advance(t, service.DeliveryAge+time.Millisecond)
		waiting(1)
		if n := hookRows(t, d)["hook_deliveries"]; n != 1 {
			t.Errorf("%d deliveries are left, later", n)
		}
	})
}
