package service_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// t0 is the moment at which the clock of a test begins.
var t0 = time.Date(2024, 2, 29, 12, 30, 45, 678_000_000, time.UTC)

// taken is the rows that a service has handed on.
type taken[T any] []T

func (t *taken[T]) Begin() { *t = nil }

func (t *taken[T]) Add(row T) bool {
	*t = append(*t, row)
	return true
}

// clock is a clock that moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: t0} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// pricing is another pricing system that records its calls, and fails if err is set.
type pricing struct {
	err   error
	calls []service.SitewideDiscount
	// during, if it is set, runs in each call.
	during func(ctx context.Context, d service.SitewideDiscount)
}

func (p *pricing) PushSitewide(ctx context.Context, d service.SitewideDiscount) error {
	p.calls = append(p.calls, d)
	if p.during != nil {
		p.during(ctx, d)
	}
	return p.err
}

// newService returns a service on d whose clock stands at t0, with the stores.
func newService(t *testing.T, d *db.DB, stores []string, opts ...service.Option) *service.Service {
	t.Helper()
	svc := service.New(d, append([]service.Option{service.WithClock(newClock().Now)}, opts...)...)
	for _, hash := range stores {
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash}); err != nil {
			t.Fatal(err)
		}
	}
	return svc
}

func mustCreate(t *testing.T, svc *service.Service, store string, g cohort.Group) cohort.Group {
	t.Helper()
	g, err := svc.CreateGroup(t.Context(), store, g)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustUpdate(t *testing.T, svc *service.Service, store string, id int64, u cohort.GroupUpdate) cohort.Group {
	t.Helper()
	g, err := svc.UpdateGroup(t.Context(), store, id, u)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// wantGroups fails unless the store has exactly these groups.
func wantGroups(t rapid.TB, svc *service.Service, store string, want ...cohort.Group) {
	t.Helper()
	got, err := svc.ListGroups(context.Background(), store, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("groups of %s (-want +got):\n%s", store, diff)
	}
}

func wantKind(t testing.TB, err error, want cohort.Kind) {
	t.Helper()
	if err == nil || cohort.KindOf(err) != want {
		t.Errorf("got error %v of kind %v, want kind %v", err, cohort.KindOf(err), want)
	}
}

func percentOff(kind cohort.RuleType, target, amount int64) cohort.DiscountRule {
	return cohort.DiscountRule{Type: kind, TargetID: target, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(amount)}
}
