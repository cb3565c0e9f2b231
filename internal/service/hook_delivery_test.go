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

// A hook is told each change that it wants, in the order of the changes of a resource, and
// nothing of changes that fail.
func TestHookIsToldChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/*", "https://example.com/a")
		f.hook(t, "store/customer/created", "https://example.com/b")
		g := mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		if _, err := f.svc.CreateGroup(f.ctx, "a", cohort.Group{Name: "x"}); err == nil {
			t.Fatal("a group with the same name is created")
		}
		name := "y"
		mustUpdate(t, f.svc, "a", g.ID, cohort.GroupUpdate{Name: &name})
		if err := f.svc.DeleteGroup(f.ctx, "a", g.ID); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, want := range []string{"created", "updated", "deleted"} {
			got := f.to.next(t)
			if got.Scope != "store/customerGroup/"+want || got.Data.ID != g.ID || got.Producer != "stores/a" || got.Destination != h.Destination {
				t.Errorf("got %s, want %s", got.Body, want)
			}
			if !strings.HasPrefix(got.ID, "msg_") || ids[got.ID] || len(got.Secrets) == 0 {
				t.Errorf("id %q, secrets %v", got.ID, got.Secrets)
			}
			ids[got.ID] = true
		}
		f.settle(t, time.Time{})
		f.to.none(t)
		list := f.deliveries(t, h.ID)
		if len(list) != 3 {
			t.Fatalf("log %+v", list)
		}
		first := list[0]
		if first.State != cohort.DeliveryDelivered || first.Attempt != 1 || first.Status != 200 || first.Response != "ok" || first.Error != "" ||
			first.RequestHeader["Webhook-Id"] == "" || !first.NextAttempt.IsZero() || first.EventNumber == 0 || !first.DateCreated.Equal(t0) {
			t.Errorf("delivery %+v", first)
		}
	})
}

// A delivery that fails is repeated at the times of the ladder, by the clock of the store.
// After the last attempt the hook is deactivated, and can be revived.
func TestHookLadder(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		f.to.set(refuse)
		g := mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		first := f.to.next(t)
		for i, wait := range []int{60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400} {
			f.settle(t, f.svc.Now("a").Add(time.Second))
			d := f.deliveries(t, h.ID)[0]
			if d.State != cohort.DeliveryWaiting || d.Attempt != i+1 || d.Error != "refused" || d.Status != 500 ||
				d.NextAttempt.Sub(f.svc.Now("a")) != time.Duration(wait)*time.Second {
				t.Fatalf("after %d attempts: %+v, in %v", i+1, d, d.NextAttempt.Sub(f.svc.Now("a")))
			}
			if err := f.svc.Clocks().Advance("a", time.Duration(wait)*time.Second-time.Millisecond); err != nil {
				t.Fatal(err)
			}
			f.settle(t, f.svc.Now("a"))
			f.to.none(t)
			if err := f.svc.Clocks().Advance("a", time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if again := f.to.next(t); again.ID != first.ID || again.Data.ID != g.ID {
				t.Errorf("attempt %d has the id %s, not %s", i+2, again.ID, first.ID)
			}
		}
		f.settle(t, time.Time{})
		if active, deactivated := f.isActive(t, h.ID); active || !deactivated {
			t.Error("the hook is active after the last attempt")
		}
		if d := f.deliveries(t, h.ID)[0]; d.State != cohort.DeliveryFailed || d.Attempt != 12 || !d.NextAttempt.IsZero() {
			t.Errorf("delivery %+v", d)
		}
		f.to.set(nil)
		mustCreate(t, f.svc, "a", cohort.Group{Name: "nobody is told"})
		on := true
		if _, err := f.svc.UpdateHook(f.ctx, "a", f.token.ID, h.ID, cohort.HookUpdate{Active: &on}); err != nil {
			t.Fatal(err)
		}
		after := mustCreate(t, f.svc, "a", cohort.Group{Name: "z"})
		if got := f.to.next(t); got.Data.ID != after.ID {
			t.Errorf("the revived hook is told of group %d, not %d", got.Data.ID, after.ID)
		}
	})
}

// Messages about a resource stay in order: while one waits, the later ones wait behind it.
// Those about others go on.
func TestHookOrderOfSubject(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/*", "https://example.com/a")
		f.to.set(func(_ context.Context, a service.HookAttempt) error {
			if strings.Contains(string(a.Body), `"id":1}`) {
				return errRefused
			}
			return nil
		})
		one := mustCreate(t, f.svc, "a", cohort.Group{Name: "one"})
		f.to.next(t)
		for i := range 3 {
			name := fmt.Sprint("one ", i)
			mustUpdate(t, f.svc, "a", one.ID, cohort.GroupUpdate{Name: &name})
			two := mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint("two ", i)})
			if got := f.to.next(t); got.Data.ID != two.ID {
				t.Errorf("got %s", got.Body)
			}
		}
		f.settle(t, t0.Add(time.Second))
		f.to.none(t)
		f.to.set(nil)
		if err := f.svc.Clocks().Advance("a", time.Minute); err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"created", "updated", "updated", "updated"} {
			if got := f.to.next(t); got.Data.ID != one.ID || got.Scope != "store/customerGroup/"+want {
				t.Errorf("message %d is %s", i, got.Body)
			}
		}
		f.settle(t, time.Time{})
		last := int64(0)
		for _, d := range f.deliveries(t, h.ID) {
			if d.State != cohort.DeliveryDelivered {
				t.Errorf("delivery %+v", d)
			}
			if d.Subject == "customerGroup 1" {
				if d.EventNumber <= last {
					t.Errorf("event %d after %d", d.EventNumber, last)
				}
				last = d.EventNumber
			}
		}
	})
}

// A destination that hangs delays no other one.
func TestDeadDestinationDelaysNobody(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		dead := f.hook(t, "store/customerGroup/created", "https://dead.example.com/")
		live := f.hook(t, "store/customerGroup/created", "https://live.example.com/")
		release := make(chan struct{})
		f.to.set(func(ctx context.Context, a service.HookAttempt) error {
			if a.Destination == dead.Destination {
				<-release
			}
			return nil
		})
		for i := range 50 { // each is told before the next one is created
			g := mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint(i)})
			if got := f.to.next(t); got.Destination != live.Destination || got.Data.ID != g.ID {
				t.Fatalf("got %s at %s", got.Body, got.Destination)
			}
		}
		close(release)
		for range 50 {
			if got := f.to.next(t); got.Destination != dead.Destination {
				t.Errorf("got %s at %s", got.Body, got.Destination)
			}
		}
		f.settle(t, time.Time{})
		f.to.none(t)
	})
}
