package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// newHook returns a hook of a token.
func newHook(client, scope string) cohort.Hook {
	return cohort.Hook{ClientID: client, Scope: scope, Destination: "https://app.example/hooks", Active: true}
}

func mustCreateHook(t testing.TB, svc *service.Service, h cohort.Hook) cohort.Hook {
	t.Helper()
	created, err := svc.CreateHook(t.Context(), "a", h)
	must(t, err)
	return created
}

func setHookActive(t testing.TB, svc *service.Service, h cohort.Hook, active bool) cohort.Hook {
	t.Helper()
	after, err := svc.UpdateHook(t.Context(), "a", h.ClientID, h.ID, cohort.HookUpdate{Active: &active})
	must(t, err)
	return after
}

// hookRows returns the numbers of rows of the tables of hooks in store a.
func hookRows(t testing.TB, d *db.DB) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, table := range []string{"hooks", "hook_contacts", "hook_positions", "hook_deliveries", "hook_dispatch", "hook_blocks", "client_secrets"} {
		dbtest.View(t, d, func(tx *db.Tx) error {
			var n int
			err := tx.QueryRow("SELECT count(*) FROM " + table + " WHERE store_hash = 'a'").Scan(&n)
			if n > 0 {
				rows[table] = n
			}
			return err
		})
	}
	return rows
}

// positionOf returns the position of a hook of store a.
func positionOf(t testing.TB, d *db.DB, id int64) (number int64) {
	t.Helper()
	dbtest.View(t, d, func(tx *db.Tx) error {
		return tx.QueryRow("SELECT number FROM hook_positions WHERE store_hash = 'a' AND hook_id = $1", id).Scan(&number)
	})
	return number
}

func wantHasHooks(t testing.TB, svc *service.Service, want bool) {
	t.Helper()
	st, err := svc.Store(t.Context(), "a")
	must(t, err)
	if st.HasHooks != want {
		t.Errorf("the store has active hooks: %t, want %t", st.HasHooks, want)
	}
}

// addDeliveries adds deliveries of a hook to its log.
func addDeliveries(t testing.TB, d *db.DB, hookID int64, state cohort.DeliveryState, n int) {
	t.Helper()
	dbtest.Update(t, d, func(tx *db.Tx) error {
		for range n {
			id, err := tx.NextID("a", "hook_delivery")
			if err != nil {
				return err
			}
			_, err = tx.Exec(`INSERT INTO hook_deliveries VALUES ('a', $1, $2, 7, 'customer 3', 'store/customer/created', '{"data":1}', $3, 12, 0, 500,
				'{"X-Key":"a"}', 'no', 'status 500', 42, 5000, 6000)`, id, hookID, string(state))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// A store records changes as long as it has an active hook, also if the events are off.
func TestHooksOfStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		token, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		wantHasHooks(t, svc, false)
		off := newHook(token.ID, "store/customer/*")
		off.Active = false
		first := mustCreateHook(t, svc, off)
		wantHasHooks(t, svc, false)
		mustCreate(t, svc, "a", cohort.Group{Name: "before"})
		if events := allEvents(t, svc, "a", 0); len(events) != 0 {
			t.Errorf("events before there is an active hook: %v", toldAll(events))
		}

		first = setHookActive(t, svc, first, true)
		wantHasHooks(t, svc, true)
		mustCreate(t, svc, "a", cohort.Group{Name: "one"})
		second := mustCreateHook(t, svc, newHook(token.ID, "store/customerGroup/*"))
		if at, last := positionOf(t, d, second.ID), lastNumber(allEvents(t, svc, "a", 0)); at != last || last == 0 {
			t.Errorf("the second hook begins after event %d of %d", at, last)
		}
		setHookActive(t, svc, first, false)
		wantHasHooks(t, svc, true)
		_, err := svc.DeleteHook(t.Context(), "a", token.ID, second.ID)
		must(t, err)
		wantHasHooks(t, svc, false)

		// A hook that becomes active again is told nothing of the time between.
		mustCreate(t, svc, "a", cohort.Group{Name: "two"})
		setHookActive(t, svc, first, true)
		if at, last := positionOf(t, d, first.ID), lastNumber(allEvents(t, svc, "a", 0)); at != last {
			t.Errorf("the first hook goes on after event %d of %d", at, last)
		}
		mustCreate(t, svc, "a", cohort.Group{Name: "three"})
		at := positionOf(t, d, first.ID)
		setHookActive(t, svc, first, true)
		if again := positionOf(t, d, first.ID); again != at {
			t.Errorf("an active hook that is made active moves from %d to %d", at, again)
		}
	})
}

func lastNumber(events []cohort.Event) int64 {
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Number
}

func TestHookBounds(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		create := func(client string, i int) error {
			h := newHook(client, "store/customer/*")
			h.Destination += fmt.Sprint(i)
			_, err := svc.CreateHook(t.Context(), "a", h)
			return err
		}
		for i := range cohort.MaxHooksPerScope {
			must(t, create("one", i))
		}
		wantKind(t, create("one", 99), cohort.KindConflict)
		wantKind(t, create("one", 1), cohort.KindConflict)
		must(t, create("two", 1))
		other := mustCreateHook(t, svc, newHook("one", "store/sku/*"))
		full := "store/customer/*"
		_, err := svc.UpdateHook(t.Context(), "a", "one", other.ID, cohort.HookUpdate{Scope: &full})
		wantKind(t, err, cohort.KindConflict)
		_, err = svc.UpdateHook(t.Context(), "a", "one", 1, cohort.HookUpdate{Scope: &full})
		must(t, err)
	})
}

// refusing is a sender that refuses a destination.
type refusing struct {
	service.HookSender
	refused string
}

func (r *refusing) CheckDestination(url string) error {
	if url == r.refused {
		return cohort.Invalid("", "The address is private.")
	}
	return nil
}

// A destination is refused that may not be called. A hook that has it already can be made
// inactive.
func TestHookDestinations(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		sender := &refusing{}
		svc := newService(t, d, []string{"a"}, service.WithHookSender(sender))
		h := mustCreateHook(t, svc, newHook("one", "store/customer/*"))
		sender.refused = h.Destination
		_, err := svc.CreateHook(t.Context(), "a", newHook("one", "store/sku/*"))
		if diff := cmp.Diff(error(cohort.Invalid("destination", "The address is private.")), err); diff != "" {
			t.Errorf("the error (-want +got):\n%s", diff)
		}
		setHookActive(t, svc, h, false)
		on := true
		_, err = svc.UpdateHook(t.Context(), "a", "one", h.ID, cohort.HookUpdate{Active: &on})
		wantKind(t, err, cohort.KindInvalid)
	})
}

// With a hook go its position and its deliveries, and with a token all of its hooks.
func TestHooksEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ours, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		theirs, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		kept := mustCreateHook(t, svc, newHook(theirs.ID, "store/customer/*"))
		first := mustCreateHook(t, svc, newHook(ours.ID, "store/customer/*"))
		second := mustCreateHook(t, svc, newHook(ours.ID, "store/sku/*"))
		must(t, svc.SetHookEmails(t.Context(), "a", ours.ID, []string{"ops@app.example"}))
		addDeliveries(t, d, kept.ID, cohort.DeliveryFailed, 1)
		addDeliveries(t, d, first.ID, cohort.DeliveryDelivered, 501)
		addDeliveries(t, d, second.ID, cohort.DeliveryWaiting, 3)

		_, err := svc.DeleteHook(t.Context(), "a", theirs.ID, first.ID)
		wantKind(t, err, cohort.KindNotFound)
		gone, err := svc.DeleteHook(t.Context(), "a", ours.ID, first.ID)
		must(t, err)
		if !cmp.Equal(gone, first) {
			t.Errorf("deleted %+v, want %+v", gone, first)
		}
		want := map[string]int{"hooks": 2, "hook_contacts": 1, "hook_positions": 2, "hook_deliveries": 4, "client_secrets": 2}
		if diff := cmp.Diff(want, hookRows(t, d)); diff != "" {
			t.Errorf("rows after the deletion of a hook (-want +got):\n%s", diff)
		}
		must(t, svc.RevokeToken(t.Context(), ours.ID))
		want = map[string]int{"hooks": 1, "hook_positions": 1, "hook_deliveries": 1, "client_secrets": 1}
		if diff := cmp.Diff(want, hookRows(t, d)); diff != "" {
			t.Errorf("rows after the end of the token (-want +got):\n%s", diff)
		}
		wantHasHooks(t, svc, true)
		must(t, svc.RevokeToken(t.Context(), theirs.ID))
		wantHasHooks(t, svc, false)
	})
}

// A restore brings the hooks back, and they are told only of what follows it. Deliveries are
// dropped, and so are hooks of tokens that have ended.
func TestHooksOfSnapshots(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		token, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		ended, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		h := mustCreateHook(t, svc, newHook(token.ID, "store/customer/*"))
		mustCreateHook(t, svc, newHook(ended.ID, "store/customer/*"))
		must(t, svc.SetHookEmails(t.Context(), "a", ended.ID, []string{"ops@app.example"}))
		addDeliveries(t, d, h.ID, cohort.DeliveryWaiting, 2)
		mustCreate(t, svc, "a", cohort.Group{Name: "one"})
		_, _, err := svc.SaveSnapshot(t.Context(), "a", "s")
		must(t, err)
		must(t, svc.RevokeToken(t.Context(), ended.ID))

		mustCreate(t, svc, "a", cohort.Group{Name: "two"})
		_, err = svc.ResetStore(t.Context(), "a", true)
		must(t, err)
		wantHasHooks(t, svc, false)
		if diff := cmp.Diff(map[string]int{"client_secrets": 1}, hookRows(t, d)); diff != "" {
			t.Errorf("rows after the reset (-want +got):\n%s", diff)
		}
		_, err = svc.RestoreSnapshot(t.Context(), "a", "s")
		must(t, err)
		wantHasHooks(t, svc, true)
		if diff := cmp.Diff(map[string]int{"hooks": 1, "hook_positions": 1, "client_secrets": 1}, hookRows(t, d)); diff != "" {
			t.Errorf("rows after the restore (-want +got):\n%s", diff)
		}
		if at, last := positionOf(t, d, h.ID), lastNumber(allEvents(t, svc, "a", 0)); at != last || last == 0 {
			t.Errorf("the hook goes on after event %d of %d", at, last)
		}
		setHookActive(t, svc, h, false)
		_, err = svc.RestoreSnapshot(t.Context(), "a", "s")
		must(t, err)
		wantHasHooks(t, svc, true)
	})
}

// The log of a hook has pages, and each delivery can be made again while the hook is active.
func TestHookDeliveryLog(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(clock.Now))
		h := mustCreateHook(t, svc, newHook("one", "store/customer/*"))
		addDeliveries(t, d, h.ID, cohort.DeliveryDelivered, 2)
		addDeliveries(t, d, h.ID, cohort.DeliveryFailed, 1)
		list := func(f cohort.DeliveryFilter, limit int) (ids []int64, more bool) {
			t.Helper()
			f.HookID = h.ID
			deliveries, more, err := svc.HookDeliveries(t.Context(), "a", "one", f, limit)
			must(t, err)
			for _, d := range deliveries {
				ids = append(ids, d.ID)
			}
			return ids, more
		}
		if ids, more := list(cohort.DeliveryFilter{}, 2); !slices.Equal(ids, []int64{1, 2}) || !more {
			t.Errorf("the first page: %v, more %t", ids, more)
		}
		if ids, more := list(cohort.DeliveryFilter{After: 2}, 2); !slices.Equal(ids, []int64{3}) || more {
			t.Errorf("the second page: %v, more %t", ids, more)
		}
		if ids, _ := list(cohort.DeliveryFilter{State: cohort.DeliveryFailed}, 2); !slices.Equal(ids, []int64{3}) {
			t.Errorf("the failed ones: %v", ids)
		}

		must(t, svc.RedeliverHook(t.Context(), "a", h.ID, 3))
		deliveries, _, err := svc.HookDeliveries(t.Context(), "a", "", cohort.DeliveryFilter{HookID: h.ID, After: 2}, 1)
		must(t, err)
		want := cohort.HookDelivery{
			ID: 3, HookID: h.ID, EventNumber: 7, Subject: "customer 3", Scope: "store/customer/created", Body: `{"data":1}`,
			State: cohort.DeliveryWaiting, NextAttempt: t0, Status: 500, RequestHeader: map[string]string{"X-Key": "a"},
			Response: "no", Error: "status 500", Duration: 42 * time.Millisecond, DateCreated: time.UnixMilli(5000).UTC(), DateModified: t0,
		}
		if diff := cmp.Diff([]cohort.HookDelivery{want}, deliveries, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the delivery that is made again (-want +got):\n%s", diff)
		}
		if jobs, err := svc.Outbox().List(t.Context(), "a", ""); len(jobs) != 1 || jobs[0].Kind != service.HookKind || jobs[0].Subject != fmt.Sprint(h.ID) || err != nil {
			t.Errorf("the jobs are %+v, error %v", jobs, err)
		}
		wantKind(t, svc.RedeliverHook(t.Context(), "a", h.ID, 4), cohort.KindNotFound)
		setHookActive(t, svc, h, false)
		wantKind(t, svc.RedeliverHook(t.Context(), "a", h.ID, 3), cohort.KindConflict)
	})
}

// A rotated secret stays valid for the time that is asked for, by the clock of the store.
func TestClientSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(clock.Now))
		token, _ := newToken(t, svc, "a", cohort.ScopeCustomers)
		secrets := func() []string {
			t.Helper()
			list, err := svc.ClientSecrets(t.Context(), "a", token.ID)
			must(t, err)
			return list
		}
		rotate := func(keep time.Duration) string {
			t.Helper()
			secret, err := svc.RotateClientSecret(t.Context(), token.ID, keep)
			must(t, err)
			return secret
		}
		want := func(list ...string) {
			t.Helper()
			if diff := cmp.Diff(list, secrets()); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		}
		first := secrets()
		if len(first) != 1 || len(first[0]) < 32 {
			t.Fatalf("a new token has the secrets %q", first)
		}
		second := rotate(time.Hour)
		want(second, first[0])
		third := rotate(2 * time.Hour)
		want(third, second, first[0])
		clock.Set(t0.Add(time.Hour))
		want(third, second)
		fourth := rotate(0)
		want(fourth)
		for range cohort.MaxClientSecrets - 1 {
			rotate(time.Hour)
		}
		_, err := svc.RotateClientSecret(t.Context(), token.ID, time.Hour)
		wantKind(t, err, cohort.KindConflict)
		if n := len(secrets()); n != cohort.MaxClientSecrets {
			t.Errorf("%d secrets are valid", n)
		}
		_, err = svc.RotateClientSecret(t.Context(), token.ID, -1)
		wantKind(t, err, cohort.KindInvalid)
		_, err = svc.RotateClientSecret(t.Context(), "nothing", 0)
		wantKind(t, err, cohort.KindNotFound)
	})
}

func TestHookAdmin(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		clock := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(clock.Now))
		dbtest.Update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("INSERT INTO hook_blocks VALUES ('a', 'one', 'app.example', $1, $2), ('a', 'one', 'b.example', $3, '[]'), ('a', 'two', 'c.example', $1, '[]')",
				t0.Add(time.Minute).UnixMilli(), `[{"failure_description":"status 500","count":9,"timestamp":5}]`, t0.UnixMilli())
			return err
		})
		admin, err := svc.HookAdmin(t.Context(), "a", cohort.HookFilter{ClientID: "one"}, dbtest.OnePage)
		must(t, err)
		want := service.HookAdmin{Blocks: []cohort.HookBlock{{
			ClientID: "one", Domain: "app.example", Until: t0.Add(time.Minute),
			Reasons: []cohort.HookBlockReason{{Description: "status 500", Count: 9, Date: time.Unix(5, 0).UTC()}},
		}}}
		if diff := cmp.Diff(want, admin); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
