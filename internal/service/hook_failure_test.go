package service_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// The hook for failed deliveries of a token is told that one will be repeated, at most every
// ten minutes, and that the last attempt has failed. It is told nothing of itself.
func TestHookExceptions(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		told := f.hook(t, cohort.ScopeDeliveryException, "https://example.com/exceptions")
		f.to.set(func(_ context.Context, a service.HookAttempt) error {
			if a.Destination == h.Destination {
				return errRefused
			}
			return nil
		})
		codes := map[int]int{}
		take := func(attempts int) {
			for attempts > 0 {
				got := f.to.next(t)
				if got.Destination == h.Destination {
					attempts--
					continue
				}
				if got.Data.ID != h.ID || got.Data.Type != "webhook" || got.Scope != cohort.ScopeDeliveryException {
					t.Errorf("got %s", got.Body)
				}
				codes[got.Data.Code]++
			}
		}
		mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		take(1)
		for _, wait := range []int{60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400} {
			f.settle(t, f.svc.Now("a").Add(time.Second))
			if err := f.svc.Clocks().Advance("a", time.Duration(wait)*time.Second); err != nil {
				t.Fatal(err)
			}
			take(1)
		}
		f.settle(t, time.Time{})
		for range len(f.to.got) {
			got := f.to.next(t)
			codes[got.Data.Code]++
		}
		// Those after 60, 240 and 540 seconds are within ten minutes of the first attempt.
		if codes[90001] != 8 || codes[90002] != 1 || len(codes) != 2 {
			t.Errorf("told %v", codes)
		}
		for _, d := range f.deliveries(t, told.ID) {
			if d.State != cohort.DeliveryDelivered || d.EventNumber != 0 {
				t.Errorf("delivery %+v", d)
			}
		}
	})
}

// The hook for failed deliveries is told also if the database makes the transaction with the
// message run again.
func TestHookExceptionInRepeatedTransaction(t *testing.T) {
	d := dbtest.Open(t, dbtest.MigratedPostgresURL(t))
	for _, statement := range []string{
		"CREATE SEQUENCE exceptions",
		`CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.scope = 'store/hook/deliveryException' AND nextval('exceptions') = 1 THEN
				RAISE EXCEPTION 'run it again' USING ERRCODE = 'serialization_failure';
			END IF;
			RETURN NEW;
		END $$`,
		"CREATE TRIGGER fail_once BEFORE INSERT ON hook_deliveries FOR EACH ROW EXECUTE FUNCTION fail_once()",
	} {
		if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(statement); return err }); err != nil {
			t.Fatal(err)
		}
	}
	f := newHookFixture(t, d)
	h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
	told := f.hook(t, cohort.ScopeDeliveryException, "https://example.com/exceptions")
	f.to.set(func(_ context.Context, a service.HookAttempt) error {
		if a.Destination == h.Destination {
			return errRefused
		}
		return nil
	})
	mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
	f.to.next(t) // the attempt that fails
	if got := f.to.next(t); got.Destination != told.Destination || got.Data.Code != 90001 {
		t.Errorf("got %s", got.Body)
	}
}

// A domain is blocked for three minutes after 100 calls of which too many fail. Events wait,
// and the wait is no attempt.
func TestHookDomainIsBlocked(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		f.to.set(refuse)
		for i := range 100 {
			mustCreate(t, f.svc, "a", cohort.Group{Name: fmt.Sprint(i)})
			f.to.next(t)
		}
		f.settle(t, t0.Add(time.Second))
		f.to.set(nil)
		late := mustCreate(t, f.svc, "a", cohort.Group{Name: "late"})
		f.settle(t, t0.Add(time.Second))
		f.to.none(t)
		admin, err := f.svc.HookAdmin(f.ctx, "a", cohort.HookFilter{ClientID: f.token.ID}, cohort.Page{Number: 1, Size: 10})
		if err != nil || len(admin.Blocks) != 1 || admin.Blocks[0].Domain != "example.com" || !admin.Blocks[0].Until.Equal(t0.Add(3*time.Minute)) ||
			admin.Blocks[0].Reasons[0].Description != "refused" {
			t.Errorf("blocks %+v, %v", admin.Blocks, err)
		}
		if err := f.svc.Clocks().Advance("a", 3*time.Minute); err != nil {
			t.Fatal(err)
		}
		seen := map[int64]bool{}
		for range 101 {
			seen[f.to.next(t).Data.ID] = true
		}
		f.settle(t, time.Time{})
		if len(seen) != 101 || !seen[late.ID] {
			t.Errorf("%d groups were told", len(seen))
		}
		for _, d := range f.deliveries(t, h.ID) {
			if d.State != cohort.DeliveryDelivered || d.Attempt > 2 {
				t.Errorf("delivery %+v", d)
			}
		}
	})
}

// What a node that stops in the middle has sent and not written down is sent again by another
// one, with the same id.
func TestHookAfterCrash(t *testing.T) {
	dbtest.EachLogicURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		f := newIdleHooks(t, d)
		stuck := make(chan struct{})
		f.to.set(func(context.Context, service.HookAttempt) error { <-stuck; return nil })
		h := f.hook(t, "store/customerGroup/created", "https://example.com/a")
		t.Cleanup(func() { close(stuck) }) // before the workers are awaited
		f.run(t, f.svc)
		g := mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		f.await(t, func() bool { jobs := f.jobs(t); return len(jobs) == 1 && jobs[0].LeasedBy != "" })
		later := newReceivers(t)
		second := f.node(d, later)
		f.clock.Set(t0.Add(time.Minute))
		f.run(t, second)
		got := later.next(t)
		if got.Data.ID != g.ID || got.Destination != h.Destination {
			t.Errorf("got %s", got.Body)
		}
		stuck <- struct{}{} // the first node comes back: it changes nothing
		if first := f.to.next(t); first.ID != got.ID {
			t.Errorf("the ids are %s and %s", first.ID, got.ID)
		}
		f.settle(t, time.Time{})
		if list := f.deliveries(t, h.ID); len(list) != 1 {
			t.Errorf("log %+v", list)
		}
	})
}

// A reset drops what waits. The hooks that a seed brings back are told of what follows.
func TestHookAfterReset(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newHookFixture(t, d)
		f.hook(t, "store/customerGroup/created", "https://example.com/a")
		if _, _, err := f.svc.SaveSnapshot(f.ctx, "a", "s"); err != nil {
			t.Fatal(err)
		}
		f.to.set(refuse)
		mustCreate(t, f.svc, "a", cohort.Group{Name: "x"})
		f.to.next(t)
		f.settle(t, t0.Add(time.Second))
		if _, err := f.svc.RestoreSnapshot(f.ctx, "a", "s"); err != nil {
			t.Fatal(err)
		}
		f.to.set(nil)
		if err := f.svc.Clocks().Advance("a", time.Hour); err != nil {
			t.Fatal(err)
		}
		f.settle(t, time.Time{})
		f.to.none(t)
		mustCreate(t, f.svc, "a", cohort.Group{Name: "y"})
		f.to.next(t)
		f.settle(t, time.Time{})
		f.to.none(t)
		if err := f.svc.DeleteStore(f.ctx, "a"); err != nil {
			t.Fatal(err)
		}
		f.to.none(t)
	})
}
