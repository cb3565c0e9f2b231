package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/service"
)

// A worker retries a delivery that failed in a request: it sends the same version with
// the same idempotency key.
func TestFailedPushIsRetried(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		if list := f.messages(t); len(list) != 0 {
			t.Fatalf("a message is left after a success: %+v", list)
		}
		f.pricing.respond = func(context.Context, service.SitewideDiscount) error { return errDown }
		wantKind(t, f.put(t.Context(), 5), cohort.KindPartial)
		if list := f.messages(t); len(list) != 1 || list[0].Attempt != 1 || list[0].Kind != service.SitewideKind || list[0].Subject != "1" || list[0].LastError != "down for now" {
			t.Errorf("messages %+v", list)
		}
		f.pass(time.Second)
		if err := f.attempt(t); !errors.Is(err, errDown) {
			t.Errorf("the attempt fails with %v", err)
		}
		f.pricing.respond = nil
		f.pass(2 * time.Second)
		if err := f.attempt(t); err != nil {
			t.Error(err)
		}
		calls := f.pricing.calls()
		if len(calls) != 3 || calls[0].Version != calls[2].Version || calls[0].Key != calls[2].Key {
			t.Errorf("calls %+v", calls)
		}
		if list := f.messages(t); len(list) != 0 {
			t.Errorf("messages are left: %+v", list)
		}
		f.wantInEffect(t, 5)
		c, err := f.svc.Outbox().Counts(t.Context())
		if want := (outbox.Counts{Delivered: 2, Failed: 2}); c != want || err != nil {
			t.Errorf("counts %+v, %v", c, err)
		}
	})
}

// The transaction of a change writes its message before any call. A rejected change
// writes no message.
func TestMessageIsWrittenWithTheChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		f.pricing.respond = func(_ context.Context, sent service.SitewideDiscount) error {
			list := f.messages(t)
			if len(list) != 1 || list[0].Version != sent.Version || !list[0].Leased(t0) {
				t.Errorf("during the call: %+v", list)
			}
			if _, err := f.svc.Outbox().Drop(t.Context(), "a", list[0].ID); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("it can be dropped during the call: %v", err)
			}
			return nil
		}
		if err := f.put(t.Context(), 5); err != nil {
			t.Error(err)
		}
		five := percentOff(cohort.RuleAll, 0, 5)
		_, err := f.svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{five, five}})
		wantKind(t, err, cohort.KindInvalid)
		if list := f.messages(t); len(list) != 0 || len(f.pricing.calls()) != 1 {
			t.Errorf("messages %+v", list)
		}
	})
}

// Without another pricing system nothing is written to the outbox.
func TestWithoutAnotherPricingThereAreNoMessages(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		g := mustCreate(t, svc, "a", cohort.Group{Name: "x", DiscountRules: *rulesOff(5)})
		mustUpdate(t, svc, "a", g.ID, cohort.GroupUpdate{DiscountRules: rulesOff(6)})
		if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
			t.Error(err)
		}
		if list, err := svc.Outbox().List(t.Context(), "", ""); len(list) != 0 || err != nil || svc.Outbox().HasKinds() {
			t.Errorf("messages %+v, %v", list, err)
		}
	})
}

// A message that cannot be decoded becomes a dead letter on the first attempt.
func TestBrokenMessage(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newPushFixture(t, d)
		for name, m := range map[string]outbox.Message{
			"subject": {Subject: "x", Payload: []byte("{}")}, "payload": {Subject: "1", Payload: []byte("{")},
		} {
			m.Store, m.Kind = "a", service.SitewideKind
			if err := d.Update(t.Context(), func(tx *db.Tx) error { return f.svc.Outbox().Put(tx, m) }); err != nil {
				t.Fatal(err)
			}
			if err := f.attempt(t); err == nil {
				t.Errorf("a broken %s is delivered", name)
			}
		}
		for _, e := range f.messages(t) {
			if e.State != outbox.Dead {
				t.Errorf("message %+v", e)
			}
		}
		if calls := f.pricing.calls(); len(calls) != 0 {
			t.Errorf("calls %+v", calls)
		}
	})
}

// A worker delivers the deletion of a group, unless the other system already has it
// without a discount.
func TestDeletionIsDeliveredByAWorker(t *testing.T) {
	none := func(f *pushFixture) {}
	removed := func(f *pushFixture) {
		f.pricing.respond = func(context.Context, service.SitewideDiscount) error { return errDown }
		_, err := f.svc.UpdateGroup(context.Background(), "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}})
		wantKind(f.pricing.t, err, cohort.KindPartial)
		f.pricing.respond = nil
	}
	confirmed := func(f *pushFixture) {
		mustUpdate(f.pricing.t, f.svc, "a", 1, cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}})
	}
	for name, c := range map[string]struct {
		before func(*pushFixture)
		queued bool
	}{
		"with a discount":            {none, true},
		"whose removal waits":        {removed, true},
		"whose removal is confirmed": {confirmed, false},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				f := newPushFixture(t, d)
				c.before(f)
				f.pricing.calls()
				if err := f.svc.DeleteGroup(t.Context(), "a", 1); err != nil {
					t.Fatal(err)
				}
				if calls := f.pricing.calls(); len(calls) != 0 {
					t.Errorf("calls of the request itself: %+v", calls)
				}
				select {
				case <-f.svc.Outbox().Woken():
					if !c.queued {
						t.Error("workers are woken for nothing")
					}
				default:
					if c.queued {
						t.Error("workers are not woken")
					}
				}
				if !c.queued {
					if list := f.messages(t); len(list) != 0 {
						t.Errorf("messages %+v", list)
					}
					return
				}
				if err := f.attempt(t); err != nil {
					t.Error(err)
				}
				if calls := f.pricing.calls(); len(calls) != 1 || calls[0].GroupID != 1 || calls[0].Rule != nil {
					t.Errorf("calls %+v", calls)
				}
				wantKind(t, f.svc.DeleteGroup(t.Context(), "a", 1), cohort.KindNotFound)
			})
		})
	}
}
