package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// Two nodes that record, dispatch and send at the same time tell each hook each change once,
// and those of a group in order.
func TestTwoNodesTellOnce(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		f := newHookFixture(t, dbtest.Open(t, url))
		other := f.node(dbtest.Open(t, url), f.to)
		f.run(t, other)
		hooks := []cohort.Hook{
			f.hook(t, "store/customerGroup/*", "https://example.com/a"),
			f.hook(t, "store/customerGroup/updated", "https://other.example.com/"),
		}
		g := mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		const updates = 20
		for i := range updates {
			name := fmt.Sprint("x", i)
			mustUpdate(t, []*service.Service{f.svc, other}[i%2], "a", g.ID, cohort.GroupUpdate{Name: &name})
		}
		for range 2*updates + 1 {
			f.to.next(t)
		}
		f.settle(t, time.Time{})
		f.to.none(t)
		for i, h := range hooks {
			list, last := f.deliveries(t, h.ID), int64(0)
			if len(list) != updates+1-i {
				t.Errorf("hook %d has %d deliveries", h.ID, len(list))
			}
			for _, d := range list {
				if d.State != cohort.DeliveryDelivered || d.EventNumber <= last {
					t.Errorf("after event %d: %+v", last, d)
				}
				last = d.EventNumber
			}
		}
	})
}

// A hook that is deleted while a message is sent leaves nothing behind. One that is made
// inactive has the outcome in its log, and what failed is not repeated.
func TestHookEndsDuringSend(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		off := false
		send := func(end func(h cohort.Hook) error) cohort.Hook {
			t.Helper()
			h := f.hook(t, "store/customerGroup/*", "https://example.com/a")
			f.to.set(func(_ context.Context, a service.HookAttempt) error {
				if err := end(h); err != nil {
					t.Error(err)
				}
				if strings.Contains(string(a.Body), "/created") {
					return nil
				}
				return errRefused
			})
			g := mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint("x", h.ID)})
			name := fmt.Sprint("y", h.ID)
			mustUpdate(t, f.svc, "a", g.ID, cohort.GroupUpdate{Name: &name})
			f.pump(t, f.svc)
			f.to.next(t)
			f.to.next(t)
			f.to.none(t)
			f.advance(t, time.Hour)
			f.pump(t, f.svc)
			f.to.none(t)
			if len(f.jobs(t)) != 0 {
				t.Errorf("jobs %+v", f.jobs(t))
			}
			return h
		}
		send(func(h cohort.Hook) error {
			_, err := f.svc.DeleteHook(f.ctx, "a", f.token.ID, h.ID)
			if cohort.KindOf(err) == cohort.KindNotFound { // by the first message
				return nil
			}
			return err
		})
		if rows := hookRows(t, d); rows["hook_deliveries"] != 0 || rows["hook_positions"] != 0 {
			t.Errorf("the deleted hook leaves %v", rows)
		}
		h := send(func(h cohort.Hook) error {
			_, err := f.svc.UpdateHook(f.ctx, "a", f.token.ID, h.ID, cohort.HookUpdate{Active: &off})
			return err
		})
		list := f.deliveries(t, h.ID)
		if len(list) != 2 || list[0].State != cohort.DeliveryDelivered || list[1].State != cohort.DeliveryFailed ||
			list[1].Error != "The webhook is not active." {
			t.Errorf("log %+v", list)
		}
		if active, deactivated := f.isActive(t, h.ID); active || deactivated {
			t.Errorf("active %t, deactivated %t", active, deactivated)
		}
	})
}

// At MaxWaitingDeliveries a hook takes no more events, and goes on when some are delivered.
func TestHookTakesNoMoreEvents(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		h := f.hook(t, "store/customer/created", "https://example.com/a")
		addDeliveries(t, d, h.ID, cohort.DeliveryWaiting, service.MaxWaitingDeliveries-2)
		dbtest.Update(t, d, func(tx *db.Tx) error {
			return tx.Later("UPDATE hook_deliveries SET subject = 'customer 9999', attempt = 1, run_at = $1", t0.Add(time.Hour).UnixMilli())
		})
		f.addCustomers(t, f.svc, 1)
		f.pump(t, f.svc)
		f.to.next(t)
		f.to.set(refuse)
		f.addCustomers(t, f.svc, 2)
		f.pump(t, f.svc)
		f.to.next(t)
		f.to.next(t)
		f.to.set(nil)
		f.addCustomers(t, f.svc, 3)
		f.pump(t, f.svc)
		f.to.none(t)
		f.advance(t, time.Minute)
		f.pump(t, f.svc)
		for range 2 + 3 {
			f.to.next(t)
		}
		f.to.none(t)
		if n, err := f.svc.WaitingDeliveries(f.ctx); err != nil || n != service.MaxWaitingDeliveries-2 {
			t.Errorf("%d deliveries wait, error %v", n, err)
		}
	})
}

// A copy of the database goes on with the deliveries that wait, and with the events that
// no delivery has looked at.
func TestCopyGoesOnWithDeliveries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		h := f.hook(t, "store/customer/created", "https://example.com/a")
		f.addCustomers(t, f.svc, 1)
		f.pump(t, f.svc)
		f.to.next(t)
		f.to.set(refuse)
		f.addCustomers(t, f.svc, 1)
		f.pump(t, f.svc)
		failed := f.to.next(t)
		f.addCustomers(t, f.svc, 1)
		target := dbtest.SQLite(t)
		if _, err := db.Copy(f.ctx, d, target, func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		to := newReceivers(t)
		f.svc = f.node(target, to)
		f.pump(t, f.svc)
		if got := to.next(t); got.Data.ID != 3 {
			t.Errorf("got %s", got.Body)
		}
		to.none(t)
		f.clock.Set(t0.Add(time.Minute))
		f.pump(t, f.svc)
		if got := to.next(t); got.ID != failed.ID || len(got.Secrets) == 0 {
			t.Errorf("got %s %s, want %s", got.ID, got.Body, failed.ID)
		}
		to.none(t)
		for _, d := range f.deliveries(t, h.ID) {
			if d.State != cohort.DeliveryDelivered {
				t.Errorf("delivery %+v", d)
			}
		}
	})
}

// A delivery that is made again after its last attempt begins its attempts anew: one more
// failure does not end the hook.
func TestRedeliverAfterLastAttempt(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newIdleHooks(t, d)
		h := f.hook(t, "store/customer/created", "https://example.com/a")
		addDeliveries(t, d, h.ID, cohort.DeliveryFailed, 1) // after 12 attempts
		dbtest.Update(t, d, func(tx *db.Tx) error { return tx.Later("UPDATE hook_deliveries SET body = '{}'") })
		f.to.set(refuse)
		if err := f.svc.RedeliverHook(f.ctx, "a", h.ID, 1); err != nil {
			t.Fatal(err)
		}
		f.pump(t, f.svc)
		f.to.next(t)
		list := f.deliveries(t, h.ID)
		if list[0].State != cohort.DeliveryWaiting || list[0].Attempt != 1 || !list[0].NextAttempt.Equal(t0.Add(time.Minute)) {
			t.Errorf("delivery %+v", list[0])
		}
		if active, _ := f.isActive(t, h.ID); !active {
			t.Error("the hook has ended")
		}
	})
}
