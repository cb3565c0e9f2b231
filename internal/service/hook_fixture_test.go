package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
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
	nodes []*service.Service // that deliver
	clock *clock             // of the system
	to    *receivers
	token cohort.Token
	ctx   context.Context // of requests

	customers int64 // that addCustomers has added

	mu      sync.Mutex
	stepped chan struct{} // closed and replaced when a node has taken a step
}

func newHookFixture(t *testing.T, d *db.DB) *hookFixture {
	t.Helper()
	f := newIdleHooks(t, d)
	f.run(t, f.svc)
	return f
}

// newIdleHooks returns a fixture that delivers only while pump runs.
func newIdleHooks(t *testing.T, d *db.DB) *hookFixture {
	t.Helper()
	f := &hookFixture{to: newReceivers(t), clock: newClock(), ctx: t.Context()}
	f.svc = newService(t, d, []string{"a"}, service.WithClock(f.clock.Now), service.WithHookSender(f.to))
	var err error
	if f.token, _, err = f.svc.CreateToken(f.ctx, cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()}); err != nil {
		t.Fatal(err)
	}
	return f
}

// node returns another node over a database.
func (f *hookFixture) node(d *db.DB, to *receivers) *service.Service {
	return service.New(d, service.WithClock(f.clock.Now), service.WithHookSender(to))
}

// pump delivers on a node until nothing is due, also what another process has left.
func (f *hookFixture) pump(t testing.TB, svc *service.Service) {
	t.Helper()
	if err := svc.PollHooks(f.ctx); err != nil {
		t.Fatal(err)
	}
	for {
		if err := svc.DispatchHooks(f.ctx); err != nil {
			t.Fatal(err)
		}
		leased, err := svc.Outbox().Lease(f.ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(leased) == 0 {
			return
		}
		for _, l := range leased {
			if out := svc.Outbox().Attempt(f.ctx, l); out.Failure != nil || out.Unrecorded != nil {
				t.Errorf("%+v", out)
			}
		}
	}
}

// run delivers on a node until the test ends.
func (f *hookFixture) run(t *testing.T, svc *service.Service) {
	t.Helper()
	f.nodes = append(f.nodes, svc)
	f.runDispatcher(t, svc)
	f.runWorkers(t, svc)
}

// runDispatcher does what RunHooks does, without its ticks.
func (f *hookFixture) runDispatcher(t *testing.T, svc *service.Service) {
	t.Helper()
	f.loop(t, svc.HooksWoken(), func(ctx context.Context) {
		if err := svc.DispatchHooks(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("dispatch: %v", err)
		}
	})
}

// runWorkers does what the Run of an outbox does, without its ticks.
func (f *hookFixture) runWorkers(t *testing.T, svc *service.Service) {
	t.Helper()
	var attempts sync.WaitGroup
	t.Cleanup(attempts.Wait)
	f.loop(t, svc.Outbox().Woken(), func(ctx context.Context) {
		leased, err := svc.Outbox().Lease(ctx, 100)
		if err != nil && ctx.Err() == nil {
			t.Errorf("lease: %v", err)
		}
		for _, l := range leased {
			attempts.Go(func() {
				svc.Outbox().Attempt(ctx, l)
				svc.Outbox().Wake()
				f.step()
			})
		}
	})
}

// loop takes a step at once and whenever it is woken, until the test ends.
func (f *hookFixture) loop(t *testing.T, woken <-chan struct{}, step func(context.Context)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { stop(); <-ended })
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			step(ctx)
			f.step()
			select {
			case <-ctx.Done():
			case <-woken:
			}
		}
	}()
}

func (f *hookFixture) step() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stepped != nil {
		close(f.stepped)
		f.stepped = nil
	}
}

// await waits until something is so, which steps of nodes bring about.
func (f *hookFixture) await(t testing.TB, is func() bool) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		f.mu.Lock()
		if f.stepped == nil {
			f.stepped = make(chan struct{})
		}
		stepped := f.stepped
		f.mu.Unlock()
		if is() {
			return
		}
		select {
		case <-stepped:
		case <-timeout:
			t.Fatal("the deliveries do not end")
		}
	}
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

// settle waits until nodes have nothing to do for a hook before a time of its store; the zero
// time: nothing at all.
func (f *hookFixture) settle(t testing.TB, until time.Time) {
	t.Helper()
	f.await(t, func() bool {
		for _, node := range f.nodes {
			if !node.HooksIdle() {
				return false
			}
		}
		for _, j := range f.jobs(t) {
			if j.LeasedBy != "" || until.IsZero() || j.NextAttempt.Before(until) {
				return false
			}
		}
		return true
	})
}

func (f *hookFixture) jobs(t testing.TB) []outbox.Entry {
	t.Helper()
	jobs, err := f.svc.Outbox().List(f.ctx, "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// addCustomers creates customers at once.
func (f *hookFixture) addCustomers(t testing.TB, svc *service.Service, n int) {
	t.Helper()
	items := make([]service.NewCustomer, n)
	for i := range items {
		f.customers++
		email, name := fmt.Sprintf("c%d@example.com", f.customers), "Ada"
		items[i].CustomerUpdate = cohort.CustomerUpdate{Email: &email, FirstName: &name, LastName: &name}
	}
	if _, err := svc.CreateCustomers(f.ctx, "a", items); err != nil {
		t.Fatal(err)
	}
}

// advance moves the clock of the store.
func (f *hookFixture) advance(t testing.TB, by time.Duration) {
	t.Helper()
	if err := f.svc.Clocks().Advance("a", by); err != nil {
		t.Fatal(err)
	}
}

var errRefused = errors.New("refused")

func refuse(context.Context, service.HookAttempt) error { return errRefused }
