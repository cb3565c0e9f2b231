package service_test

import (
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// TestHistoryHasAnEnd checks that a time that the events do not reach is an error: before the
// switch to on, before a reset, and before what was deleted with age.
func TestHistoryHasAnEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		_, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		must(t, err)
		wantEnd := func(what string, at time.Time, text string) {
			t.Helper()
			if _, err := svc.GroupAsOf(t.Context(), "a", 1, at); cohort.KindOf(err) != cohort.KindInvalid || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v", what, err)
			}
		}
		wantMembers := func(what string, at time.Time, n int64) {
			t.Helper()
			if g, err := svc.GroupAsOf(t.Context(), "a", 1, at); err != nil || g.Members != n {
				t.Errorf("%s: %+v, %v", what, g, err)
			}
		}
		tick := func() time.Time { c.Set(c.Now().Add(time.Hour)); return c.Now() }
		_, err = svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "VIP"})
		must(t, err)
		wantEnd("off", c.Now(), "records no events")
		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Events: new(true)})
		must(t, err)
		on := tick()
		wantEnd("before the switch to on", t0.Add(-time.Minute), "reach back to")
		wantEnd("the future", on.Add(time.Hour), "not come yet")
		wantMembers("after the switch", on, 0)
		tick()
		for _, email := range []string{"a@example.com", "b@example.com"} {
			_, err = svc.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{FirstName: new("A"), LastName: new("B"), Email: &email, GroupID: new(int64(1))})
			must(t, err)
		}
		joined := c.Now()
		wantMembers("before the members", on, 0)
		wantMembers("with the members", joined, 2)
		m, err := svc.Membership(t.Context(), "a", 1, joined)
		if err != nil || m.GroupID != 1 || m.Change == nil || m.Change.Kind != cohort.MemberAdded || m.Change.Actor != cohort.ActorCommandLine {
			t.Errorf("membership %+v, %v", m, err)
		}

		must(t, svc.SweepEventsBeyond(t.Context(), "a", 2))
		wantEnd("what is deleted", on, "reach back to")
		wantMembers("what is left", joined, 2)

		reset := tick()
		_, err = svc.ResetStore(t.Context(), "a", true)
		must(t, err)
		_, err = svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "New"})
		must(t, err)
		wantEnd("before the reset", joined, "reach back to")
		wantMembers("after the reset", reset, 0)
		if _, err := svc.Membership(t.Context(), "a", 1, c.Now()); cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("a customer of before the reset: %v", err)
		}
	})
}

// TestMembershipOfADeletedGroup checks that a deletion ends the membership, and that nothing
// is invented for a customer of whom no event says that she was in the group.
func TestMembershipOfADeletedGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		_, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		must(t, err)
		vip, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "VIP"})
		must(t, err)
		customer := func(email string) int64 {
			created, err := svc.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{FirstName: new("A"), LastName: new("B"), Email: &email, GroupID: &vip.ID})
			must(t, err)
			return created.ID
		}
		old := customer("old@example.com")
		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Events: new(true)})
		must(t, err)
		c.Set(c.Now().Add(time.Hour))
		known := customer("known@example.com")
		before := c.Now()
		c.Set(before.Add(time.Hour))
		must(t, svc.DeleteGroup(t.Context(), "a", vip.ID))

		m, err := svc.Membership(t.Context(), "a", known, before)
		if err != nil || m.GroupID != vip.ID {
			t.Errorf("before the deletion: %+v, %v", m, err)
		}
		m, err = svc.Membership(t.Context(), "a", known, c.Now())
		if err != nil || m.GroupID != 0 || m.Change == nil || m.Change.Kind != cohort.GroupDeleted {
			t.Errorf("after the deletion: %+v, %v", m, err)
		}
		if _, err := svc.Membership(t.Context(), "a", old, before); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("a membership that no event tells: %v", err)
		}
		g, err := svc.GroupAsOf(t.Context(), "a", vip.ID, before)
		if err != nil || g.Name != "VIP" || g.Members != 2 {
			t.Errorf("the group before its deletion: %+v, %v", g, err)
		}
		page, _, err := svc.History(t.Context(), "a", cohort.EventSubject{GroupID: vip.ID, WithoutMembers: true}, cohort.EventFilter{}, 10)
		if err != nil || len(page.Events) != 1 || page.Events[0].Kind != cohort.GroupDeleted {
			t.Errorf("its history: %v, %v", toldAll(page.Events), err)
		}
		page, _, err = svc.History(t.Context(), "a", cohort.EventSubject{GroupID: vip.ID}, cohort.EventFilter{}, 1)
		if err != nil || len(page.Events) != 1 || page.Events[0].Kind != cohort.MemberAdded || !page.More {
			t.Errorf("its history with members: %v, %v", toldAll(page.Events), err)
		}
		if _, _, err = svc.History(t.Context(), "a", cohort.EventSubject{GroupID: 99}, cohort.EventFilter{}, 1); cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("the history of nothing: %v", err)
		}
	})
}
