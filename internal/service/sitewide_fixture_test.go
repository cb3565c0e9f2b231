package service_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/service"
)

// otherPricing is another pricing system. It keeps the newest version of each group,
// and fails the test on concurrent calls for one group, on an older version after a
// newer one, and on a version with two idempotency keys.
type otherPricing struct {
	t *testing.T
	// respond, if it is set, decides the result of a call.
	respond func(ctx context.Context, d service.SitewideDiscount) error

	mu        sync.Mutex
	received  []service.SitewideDiscount
	keys      map[int64]string // by version
	running   map[int64]bool   // by group
	newest    map[int64]service.SitewideDiscount
	delivered int
}

func newOtherPricing(t *testing.T) *otherPricing {
	return &otherPricing{t: t, keys: map[int64]string{}, running: map[int64]bool{}, newest: map[int64]service.SitewideDiscount{}}
}

func (p *otherPricing) PushSitewide(ctx context.Context, d service.SitewideDiscount) error {
	p.begin(d)
	var err error
	if p.respond != nil {
		err = p.respond(ctx, d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[d.GroupID] = false
	if err == nil {
		p.newest[d.GroupID] = d
		p.delivered++
	}
	return err
}

func (p *otherPricing) begin(d service.SitewideDiscount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[d.GroupID] {
		p.t.Errorf("two calls about group %d at the same time", d.GroupID)
	}
	p.running[d.GroupID] = true
	if last := p.newest[d.GroupID]; d.Version < last.Version {
		p.t.Errorf("version %d of group %d after %d", d.Version, d.GroupID, last.Version)
	}
	if key, again := p.keys[d.Version]; len(d.Key) < 20 || again && d.Key != key {
		p.t.Errorf("version %d has the key %q, and had %q", d.Version, d.Key, key)
	}
	p.keys[d.Version] = d.Key
	p.received = append(p.received, d)
}

// calls returns the calls since it was last called.
func (p *otherPricing) calls() []service.SitewideDiscount {
	p.mu.Lock()
	defer p.mu.Unlock()
	received := p.received
	p.received = nil
	return received
}

func (p *otherPricing) successes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delivered
}

func rulesOff(amount int64) *[]cohort.DiscountRule {
	return &[]cohort.DiscountRule{percentOff(cohort.RuleAll, 0, amount)}
}

var errDown = errors.New("down for now")

// pushFixture is a store "a" with a group 1, whose discount of 1 per cent has been
// delivered to another pricing system.
type pushFixture struct {
	svc     *service.Service
	clock   *clock
	pricing *otherPricing
}

func newPushFixture(t *testing.T, d *db.DB) *pushFixture {
	t.Helper()
	f := &pushFixture{clock: newClock(), pricing: newOtherPricing(t)}
	f.svc = service.New(d, service.WithClock(f.clock.Now), service.WithPusher(f.pricing))
	f.addGroup(t)
	return f
}

// newBubbleFixture is a pushFixture with the clock of the bubble.
func newBubbleFixture(t *testing.T, url string) *pushFixture {
	t.Helper()
	f := &pushFixture{pricing: newOtherPricing(t)}
	f.svc = f.node(t, url)
	f.addGroup(t)
	return f
}

// node returns the service of another node on the database.
func (f *pushFixture) node(t *testing.T, url string) *service.Service {
	t.Helper()
	return service.New(dbtest.Open(t, url), service.WithPusher(f.pricing))
}

func (f *pushFixture) addGroup(t *testing.T) {
	t.Helper()
	if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, f.svc, "a", cohort.Group{Name: "x", DiscountRules: *rulesOff(1)})
	f.pricing.calls()
}

func (f *pushFixture) put(ctx context.Context, amount int64) error {
	_, err := f.svc.UpdateGroup(ctx, "a", 1, cohort.GroupUpdate{DiscountRules: rulesOff(amount)})
	return err
}

func (f *pushFixture) messages(t *testing.T) []outbox.Entry {
	t.Helper()
	list, err := f.svc.Outbox().List(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// attempt attempts the delivery of the only message that is due.
func (f *pushFixture) attempt(t *testing.T) error {
	t.Helper()
	leased, err := f.svc.Outbox().Lease(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	if len(leased) != 1 {
		t.Fatalf("%d messages are due", len(leased))
	}
	out := f.svc.Outbox().Attempt(t.Context(), leased[0])
	if out.Unrecorded != nil {
		t.Error(out.Unrecorded)
	}
	return out.Failure
}

func (f *pushFixture) pass(d time.Duration) { f.clock.Set(f.clock.Now().Add(d)) }

func (f *pushFixture) wantInEffect(t *testing.T, amount int64) {
	t.Helper()
	if rule := f.pricing.newest[1].Rule; rule == nil || rule.Amount.IntPart() != amount {
		t.Errorf("the pricing system has %v, want %d", rule, amount)
	}
}

// inPushBubble runs a test in a synctest bubble on every engine: its clock advances only
// while every goroutine is blocked.
func inPushBubble(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) { fn(t, url) })
	})
}
