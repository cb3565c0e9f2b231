package service_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestMain reduces the number of random histories, unless the full tests are requested.
func TestMain(m *testing.M) {
	flag.Parse()
	checksGiven := false
	flag.Visit(func(f *flag.Flag) { checksGiven = checksGiven || f.Name == "rapid.checks" })
	if !checksGiven {
		if err := flag.Set("rapid.checks", fmt.Sprint(testenv.Times(100, 10))); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// t0 is the time at which the clock of a test starts.
var t0 = time.Date(2024, 2, 29, 12, 30, 45, 678_000_000, time.UTC)

// collected is a sink that collects all rows.
type collected[T any] []T

func (c *collected[T]) Begin() { *c = nil }

func (c *collected[T]) Add(row T) bool {
	*c = append(*c, row)
	return true
}

// clock is a clock that only Set moves.
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

// newService returns a service on d with the stores. Its clock stands at t0.
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

func mustCreate(t testing.TB, svc *service.Service, store string, g cohort.Group) cohort.Group {
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

// fixture is a service with the stores "a" and "b". Its methods use the store "a".
type fixture struct {
	*service.Service
	db     *db.DB
	clock  *clock
	groups atomic.Int64 // that group has created
}

func newFixture(t *testing.T, d *db.DB) *fixture {
	t.Helper()
	c := newClock()
	return &fixture{Service: newService(t, d, []string{"a", "b"}, service.WithClock(c.Now)), db: d, clock: c}
}

// eachEngine runs a test with a fixture on an empty database of each engine.
func eachEngine(t *testing.T, fn func(t *testing.T, s *fixture)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newFixture(t, d)) })
}

// eachEngineLogic is eachEngine for tests whose queries other tests run on every
// engine; see [dbtest.EachLogic].
func eachEngineLogic(t *testing.T, fn func(t *testing.T, s *fixture)) {
	t.Helper()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) { fn(t, newFixture(t, d)) })
}

// later moves the clock and returns its time.
func (s *fixture) later(by time.Duration) time.Time {
	s.clock.Set(s.clock.Now().Add(by))
	return s.clock.Now()
}

// group creates a group with a name of its own and returns its id.
func (s *fixture) group(t testing.TB, g cohort.Group) int64 {
	t.Helper()
	g.Name = fmt.Sprint("group ", s.groups.Add(1))
	return mustCreate(t, s.Service, "a", g).ID
}

// ada returns an update with the required fields of a customer.
func ada(email string) cohort.CustomerUpdate {
	return cohort.CustomerUpdate{FirstName: new("Ada"), LastName: new("Lovelace"), Email: &email}
}

func (s *fixture) create(t testing.TB, u cohort.CustomerUpdate) cohort.Customer {
	t.Helper()
	c, err := s.CreateCustomer(t.Context(), "a", u)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *fixture) customers(t testing.TB, f cohort.CustomerFilter) []cohort.Customer {
	t.Helper()
	customers, err := s.ListCustomers(t.Context(), "a", f, cohort.Page{Number: 1, Size: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.CountCustomers(t.Context(), "a", f); n != int64(len(customers)) || err != nil {
		t.Errorf("the count is %d (error %v), the list has %d customers", n, err, len(customers))
	}
	return customers
}

// wantCustomers fails unless the store has exactly these customers.
func (s *fixture) wantCustomers(t testing.TB, want ...cohort.Customer) {
	t.Helper()
	if diff := cmp.Diff(want, s.customers(t, cohort.CustomerFilter{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("customers (-want +got):\n%s", diff)
	}
}

// fill adds customers to a group, in one transaction, without the service.
func fill(t testing.TB, d *db.DB, store string, group int64, customers int) (ids []int64) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		for range customers {
			id, err := tx.NextID(store, "customer")
			if err != nil {
				return err
			}
			c := ada(fmt.Sprint(id, "@filled.example")).Apply(cohort.Customer{ID: id, GroupID: group, DateCreated: t0, DateModified: t0})
			if err := tx.InsertCustomer(store, c, ""); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
