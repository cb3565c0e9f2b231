package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

// receivers are the destinations of hooks. They keep what they get and pass it to a channel.
type receivers struct {
	t testing.TB
	// respond, if it is set, decides how an attempt ends.
	respond func(ctx context.Context, a service.HookAttempt) error

	got chan received
	mu  sync.Mutex
	ids map[string]string // bodies by id of the message
}

// received is an attempt, with what its body says.
type received struct {
	service.HookAttempt
	Scope    string
	Data     hookData
	Producer string
	Hash     string
}

type hookData struct {
	Type    string `json:"type"`
	ID      int64  `json:"id"`
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

func newReceivers(t testing.TB) *receivers {
	return &receivers{t: t, got: make(chan received, 10_000), ids: map[string]string{}}
}

func (r *receivers) CheckDestination(string) error { return nil }

func (r *receivers) Send(ctx context.Context, a service.HookAttempt) service.HookAnswer {
	got := received{HookAttempt: a}
	if err := json.Unmarshal(a.Body, &got); err != nil {
		r.t.Errorf("the body %s: %v", a.Body, err)
	}
	r.mu.Lock()
	if body, known := r.ids[a.ID]; known && body != string(a.Body) {
		r.t.Errorf("message %s has the bodies %s and %s", a.ID, body, a.Body)
	}
	r.ids[a.ID] = string(a.Body)
	respond := r.respond
	r.mu.Unlock()
	answer := service.HookAnswer{Status: 200, Request: map[string]string{"Webhook-Id": a.ID}, Response: "ok"}
	if respond != nil {
		if answer.Err = respond(ctx, a); answer.Err != nil {
			answer.Status, answer.Response = 500, "down"
		}
	}
	r.got <- got
	return answer
}

// set changes how attempts end.
func (r *receivers) set(respond func(context.Context, service.HookAttempt) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.respond = respond
}

// next returns the next attempt.
func (r *receivers) next(t testing.TB) received {
	t.Helper()
	select {
	case got := <-r.got:
		return got
	case <-time.After(30 * time.Second):
		t.Fatal("no message comes")
		return received{}
	}
}

// none fails if there was an attempt that next has not returned.
func (r *receivers) none(t testing.TB) {
	t.Helper()
	select {
	case got := <-r.got:
		t.Errorf("a message that nobody expects: %s to %s", got.Body, got.Destination)
	default:
	}
}

// hookFixture is a store "a" with receivers, whose deliveries run.
type hookFixture struct {
	svc   *service.Service
	to    *receivers
	token cohort.Token
	ctx   context.Context // of requests
}

func newHookFixture(t *testing.T, d *db.DB) *hookFixture {
	t.Helper()
	f := &hookFixture{to: newReceivers(t)}
	f.svc = newService(t, d, nil, service.WithClock(newClock().Now), service.WithHookSender(f.to))
	st, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if f.token, _, err = f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: st.Key, Scopes: cohort.Scopes()}); err != nil {
		t.Fatal(err)
	}
	f.ctx = t.Context()
	f.run(t, f.svc)
	return f
}

// run delivers on a node until the test ends.
func (f *hookFixture) run(t *testing.T, svc *service.Service) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	log := slog.New(slog.DiscardHandler)
	running.Go(func() { svc.Outbox().Run(ctx, log) })
	running.Go(func() { svc.RunHooks(ctx, log) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// hook adds a hook.
func (f *hookFixture) hook(t testing.TB, scope, destination string) cohort.Hook {
	t.Helper()
	h, err := f.svc.CreateHook(f.ctx, "a", cohort.Hook{ClientID: f.token.ID, Scope: scope, Destination: destination, Active: true})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (f *hookFixture) isActive(t testing.TB, id int64) (active, deactivated bool) {
	t.Helper()
	h, err := f.svc.Hook(f.ctx, "a", f.token.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return h.Active, h.Deactivated
}

// deliveries returns the log of a hook.
func (f *hookFixture) deliveries(t testing.TB, id int64) []cohort.HookDelivery {
	t.Helper()
	list, _, err := f.svc.HookDeliveries(f.ctx, "a", f.token.ID, cohort.DeliveryFilter{HookID: id}, service.MaxDeliveries)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// settle waits until workers have nothing to do for a hook before a time of its store; the
// zero time: nothing at all.
func (f *hookFixture) settle(t testing.TB, until time.Time) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		jobs, err := f.svc.Outbox().List(f.ctx, "a", "")
		if err != nil {
			t.Fatal(err)
		}
		busy := false
		for _, j := range jobs {
			busy = busy || j.LeasedBy != "" || until.IsZero() || j.NextAttempt.Before(until)
		}
		if !busy {
			return
		}
		time.Sleep(time.Millisecond) // only as long as workers are busy
	}
	t.Fatal("the deliveries do not end")
}

var errRefused = errors.New("refused")

func refuse(context.Context, service.HookAttempt) error { return errRefused }
