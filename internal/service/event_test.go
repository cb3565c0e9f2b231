package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// newStoreWithEvents creates a store that records events, and returns a context for
// requests with a token of it.
func newStoreWithEvents(t testing.TB, svc *service.Service, hash string) context.Context {
	t.Helper()
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash, Events: true})
	if err != nil {
		t.Fatal(err)
	}
	token, secret, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: st.Key, Scopes: cohort.Scopes()})
	if err != nil || secret == "" {
		t.Fatal(err)
	}
	return service.ForRequest(t.Context(), service.Bearer{Token: token, Store: st}, "r1")
}

// allEvents returns the events of a store after a number.
func allEvents(t testing.TB, svc *service.Service, store string, after int64) (all []cohort.Event) {
	t.Helper()
	for {
		page, err := svc.Events(context.Background(), store, cohort.EventFilter{After: after}, service.MaxEvents)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Events...)
		if !page.More {
			return all
		}
		after = page.Next
	}
}

// told is what an event says, as a line.
func told(e cohort.Event) string {
	return strings.TrimSpace(fmt.Sprintf("%s g%d c%d %s", e.Kind, e.GroupID, e.CustomerID, e.Changes))
}

func toldAll(events []cohort.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, told(e))
	}
	return lines
}

// TestEventsTellChanges checks the events of each kind of change, and that a change that
// fails has none.
func TestEventsTellChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		ctx := newStoreWithEvents(t, svc, "a")
		last := int64(0)
		expect := func(what string, want ...string) {
			t.Helper()
			events := allEvents(t, svc, "a", last)
			if diff := cmp.Diff(want, toldAll(events)); diff != "" {
				t.Fatalf("%s: events (-want +got):\n%s", what, diff)
			}
			for _, e := range events {
				if e.Number <= last || !e.Date.Equal(t0) || e.RequestID != "r1" || len(e.Actor) != 16 {
					t.Errorf("%s: event %+v", what, e)
				}
				last = e.Number
			}
		}
		vip, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "VIP", IsDefault: true})
		must(t, err)
		expect("create", `customerGroup.created g1 c0 {"name":[null,"VIP"],"category_access":[null,{"type":"all"}],"discount_rules":[null,[]],"is_default":[null,true],"is_group_for_guests":[null,false]}`)
		_, err = svc.CreateGroup(ctx, "a", cohort.Group{Name: "vip"})
		if cohort.KindOf(err) != cohort.KindInvalid {
			t.Fatal(err)
		}
		expect("a taken name")
		gold, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "Gold", IsDefault: true})
		must(t, err)
		expect("another default group", `customerGroup.updated g1 c0 {"is_default":[true,false]}`,
			fmt.Sprintf(`customerGroup.created g%d c0 {"name":[null,"Gold"],"category_access":[null,{"type":"all"}],"discount_rules":[null,[]],"is_default":[null,true],"is_group_for_guests":[null,false]}`, gold.ID))
		_, err = svc.UpdateGroup(ctx, "a", vip.ID, cohort.GroupUpdate{Name: new("Best")})
		must(t, err)
		expect("rename", `customerGroup.updated g1 c0 {"name":["VIP","Best"]}`)
		_, err = svc.UpdateGroup(ctx, "a", 99, cohort.GroupUpdate{Name: new("x")})
		if cohort.KindOf(err) != cohort.KindNotFound {
			t.Fatal(err)
		}
		expect("an unknown group")

		ann, err := svc.CreateCustomer(ctx, "a", cohort.CustomerUpdate{FirstName: new("Ann"), LastName: new("Ö"), Email: new("ann@example.com"), GroupID: &vip.ID})
		must(t, err)
		events := allEvents(t, svc, "a", last)
		if len(events) != 2 || !strings.HasPrefix(told(events[0]), `customer.created g0 c1 {"customer_group_id":[null,1],"company":[null,""],"first_name":[null,"Ann"]`) ||
			told(events[1]) != "customerGroup.member.added g1 c1 {}" {
			t.Fatalf("create a customer: %v", toldAll(events))
		}
		last = events[1].Number
		_, err = svc.UpdateCustomer(ctx, "a", ann.ID, cohort.CustomerUpdate{GroupID: &gold.ID, Password: new("hunter2hunter2")})
		must(t, err)
		expect("move", fmt.Sprintf(`customer.updated g0 c1 {"customer_group_id":[1,%d],"password":null}`, gold.ID),
			"customerGroup.member.removed g1 c1 {}", fmt.Sprintf("customerGroup.member.added g%d c1 {}", gold.ID))
		_, err = svc.MoveMembers(ctx, "a", service.MemberMove{IDs: []int64{ann.ID}, Confirmation: service.Confirmation{Expected: new(int64(1))}})
		must(t, err)
		expect("move many", fmt.Sprintf(`customer.updated g0 c1 {"customer_group_id":[%d,0]}`, gold.ID), fmt.Sprintf("customerGroup.member.removed g%d c1 {}", gold.ID))
		_, err = svc.MoveMembers(ctx, "a", service.MemberMove{IDs: []int64{ann.ID}, GroupID: gold.ID, Confirmation: service.Confirmation{Expected: new(int64(1))}})
		must(t, err)
		expect("move many back", fmt.Sprintf(`customer.updated g0 c1 {"customer_group_id":[0,%d]}`, gold.ID), fmt.Sprintf("customerGroup.member.added g%d c1 {}", gold.ID))
		must(t, svc.DeleteGroup(ctx, "a", gold.ID))
		expect("delete a group", fmt.Sprintf(`customerGroup.deleted g%d c0 {"name":["Gold",null],"category_access":[{"type":"all"},null],"discount_rules":[[],null],"is_default":[true,null],"is_group_for_guests":[false,null],"members":[1,null]}`, gold.ID))
		must(t, svc.DeleteCustomer(ctx, "a", ann.ID))
		expect("delete a customer", `customer.deleted g0 c1 {"customer_group_id":[0,null]}`)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEventsAreOff checks that a store that records no events has none, and that the switch
// is in effect from its acknowledgment on.
func TestEventsAreOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		newStoreWithEvents(t, svc, "a")
		st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "b"})
		must(t, err)
		token, _, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "b", Scopes: cohort.Scopes()})
		must(t, err)
		create := func(name string) {
			t.Helper()
			for _, ctx := range []context.Context{t.Context(), service.ForBearer(t.Context(), service.Bearer{Token: token, Store: st})} {
				_, err := svc.CreateGroup(ctx, "b", cohort.Group{Name: name + fmt.Sprint(ctx == t.Context())})
				must(t, err)
			}
		}
		create("off")
		st, err = svc.UpdateStore(t.Context(), "b", cohort.StoreUpdate{Events: new(true)})
		must(t, err)
		create("on")
		_, err = svc.UpdateStore(t.Context(), "b", cohort.StoreUpdate{Events: new(false)})
		must(t, err)
		create("off again") // the bearer still says that it is on
		var names []string
		for _, e := range allEvents(t, svc, "b", 0) {
			var changes struct{ Name, Events []any }
			must(t, json.Unmarshal(e.Changes, &changes))
			names = append(names, fmt.Sprint(e.Actor, changes.Name, changes.Events))
		}
		want := []string{
			"command line[] [false true]", "command line[<nil> ontrue] []", token.ID + "[<nil> onfalse] []",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if other := allEvents(t, svc, "a", 0); len(other) != 0 {
			t.Errorf("another store has the events %v", toldAll(other))
		}
	})
}

// TestEventsKeepNoSecrets checks that no row of an event has a password or a hash of one,
// and that values that are too long are left out.
func TestEventsKeepNoSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		long := strings.Repeat("<", 60_000)
		c, err := svc.CreateCustomer(ctx, "a", cohort.CustomerUpdate{
			FirstName: new("A"), LastName: new("B"), Email: new("a@example.com"), Password: new("correct-horse-7"), Notes: &long,
		})
		must(t, err)
		_, err = svc.UpdateCustomer(ctx, "a", c.ID, cohort.CustomerUpdate{Password: new("battery-staple-8")})
		must(t, err)
		var hash string
		dbtest.View(t, d, func(tx *db.Tx) error {
			hash, err = tx.PasswordHash("a", c.ID)
			return err
		})
		events := allEvents(t, svc, "a", 0)
		if len(events) != 2 || !strings.Contains(string(events[0].Changes), `"notes":null`) || string(events[1].Changes) != `{"password":null}` {
			t.Errorf("events %v", toldAll(events))
		}
		for _, e := range events {
			for _, secret := range []string{"correct-horse-7", "battery-staple-8", hash, "argon2"} {
				if strings.Contains(fmt.Sprintf("%s %+v", e.Changes, e), secret) {
					t.Errorf("event %d has the secret %q", e.Number, secret)
				}
			}
		}
	})
}

// TestEventsSurviveReset checks that a reset keeps the events and continues the numbers.
func TestEventsSurviveReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		_, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "x"})
		must(t, err)
		_, _, err = svc.SaveSnapshot(t.Context(), "a", "s")
		must(t, err)
		_, err = svc.CreateGroup(ctx, "a", cohort.Group{Name: "y"})
		must(t, err)
		_, err = svc.RestoreSnapshot(t.Context(), "a", "s")
		must(t, err)
		_, err = svc.CreateGroup(ctx, "a", cohort.Group{Name: "z"})
		must(t, err)
		var kinds []string
		last := int64(0)
		for _, e := range allEvents(t, svc, "a", 0) {
			if e.Number <= last {
				t.Errorf("number %d follows %d", e.Number, last)
			}
			last = e.Number
			kinds = append(kinds, string(e.Kind))
		}
		want := []string{"customerGroup.created", "customerGroup.created", "store.replaced", "customerGroup.created"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestEventPages checks filters, limits and cursors.
func TestEventPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		ctx := newStoreWithEvents(t, svc, "a")
		for i := range 5 {
			_, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: fmt.Sprint(i)})
			must(t, err)
		}
		must(t, svc.DeleteGroup(ctx, "a", 2))
		all := allEvents(t, svc, "a", 0)
		read := func(f cohort.EventFilter, limit int) cohort.EventPage {
			t.Helper()
			page, err := svc.Events(t.Context(), "a", f, limit)
			must(t, err)
			return page
		}
		page := read(cohort.EventFilter{}, 2)
		if len(page.Events) != 2 || !page.More || page.Next != all[1].Number || page.First != all[0].Number || page.Last != all[5].Number {
			t.Errorf("first page %+v", page)
		}
		page = read(cohort.EventFilter{After: all[3].Number}, 2)
		if len(page.Events) != 2 || page.More || page.Next != all[5].Number {
			t.Errorf("last page %+v", page)
		}
		page = read(cohort.EventFilter{Kinds: []cohort.EventKind{cohort.GroupDeleted, cohort.GroupUpdated}}, 2)
		if len(page.Events) != 1 || page.Events[0].GroupID != 2 || page.More || page.Next != all[5].Number {
			t.Errorf("deletions %+v", page)
		}
		page = read(cohort.EventFilter{After: all[5].Number + 7}, 2)
		if len(page.Events) != 0 || page.More || page.Next != all[5].Number+7 {
			t.Errorf("page beyond the end %+v", page)
		}
		for _, limit := range []int{0, -1, service.MaxEvents + 1} {
			if _, err := svc.Events(t.Context(), "a", cohort.EventFilter{}, limit); cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("limit %d: %v", limit, err)
			}
		}

		must(t, svc.SweepEventsBeyond(t.Context(), "a", 4))
		page = read(cohort.EventFilter{After: all[0].Number}, 9)
		if len(page.Events) != 4 || !page.Missed || page.First != all[2].Number {
			t.Errorf("after a sweep of all but 4: %+v", page)
		}
		if page = read(cohort.EventFilter{After: all[1].Number}, 9); page.Missed {
			t.Errorf("nothing after event 2 is deleted: %+v", page)
		}
		c.Set(t0.Add(cohort.Store{}.EventAge() + time.Minute))
		_, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "late"})
		must(t, err)
		must(t, svc.SweepEvents(t.Context()))
		left := allEvents(t, svc, "a", 0)
		if len(left) != 1 || !left[0].Date.Equal(c.Now()) {
			t.Errorf("after 30 days the events are %v", toldAll(left))
		}
		sweepWith := func(u cohort.StoreUpdate) int {
			t.Helper()
			_, err := svc.UpdateStore(t.Context(), "a", u)
			must(t, err)
			must(t, svc.SweepEvents(t.Context()))
			groups := read(cohort.EventFilter{After: left[0].Number - 1, Kinds: []cohort.EventKind{cohort.GroupCreated}}, 9)
			return len(groups.Events) // the update of the store is an event too
		}
		c.Set(c.Now().Add(100 * 24 * time.Hour))
		if n := sweepWith(cohort.StoreUpdate{EventDays: new(101)}); n == 0 {
			t.Error("101 days: an event of 100 days is deleted")
		}
		if n := sweepWith(cohort.StoreUpdate{EventDays: new(99)}); n != 0 {
			t.Errorf("99 days: %d events of 100 days are kept", n)
		}
	})
}
