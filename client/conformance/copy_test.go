package conformance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/cohorttest"
)

// standardQuota is how many requests the smallest plan allows in 30 seconds.
const standardQuota = 150

// storeClock is the time of clients and of the stores that they call. No test waits: to sleep
// moves the clocks of the stores.
type storeClock struct {
	t      *testing.T
	stores []cohorttest.Clock

	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func (c *storeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clocks to the end of the wait, unless another wait has moved them there.
func (c *storeClock) Sleep(ctx context.Context, d time.Duration) error {
	until := c.Now().Add(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	if by := until.Sub(c.now); by > 0 {
		c.now = until
		c.slept += by
		for _, s := range c.stores {
			s.Advance(c.t, by)
		}
	}
	return ctx.Err()
}

// meteredStore adds a store with a quota and a managed catalog, whose clock is frozen.
func meteredStore(t *testing.T, s *cohorttest.Server, hash string, clock *storeClock) *client.Client {
	t.Helper()
	token := s.NewStore(t, cohort.Store{Hash: hash, Plan: cohort.PlanStandard, Catalog: cohort.CatalogManaged})
	of := s.Clock(hash)
	of.Freeze(t, clock.now)
	clock.stores = append(clock.stores, of)
	c, err := client.New(hash, token, client.WithBaseURL(s.URL), client.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCopyUnderTheQuota copies a store from one Cohort to another one. Both play the real
// service under the quota of its smallest plan, and neither sends a 429.
func TestCopyUnderTheQuota(t *testing.T) {
	const groups, customers, products = 260, 700, 40
	from, to := cohorttest.Start(t), cohorttest.Start(t)
	clock := &storeClock{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	source := meteredStore(t, from, "source", clock)
	target := meteredStore(t, to, "target", clock)
	ctx := t.Context()

	fill(ctx, t, source, groups, customers, products)
	copyStore(ctx, t, source, target, products)

	wantGroups, wantCustomers, wantRecords := contents(ctx, t, source)
	gotGroups, gotCustomers, gotRecords := contents(ctx, t, target)
	if len(gotGroups) != groups || !slices.Equal(gotGroups, wantGroups) {
		t.Errorf("%d groups were copied, want %d", len(gotGroups), groups)
	}
	if len(gotCustomers) != customers || !slices.Equal(gotCustomers, wantCustomers) {
		t.Errorf("%d customers were copied, want %d", len(gotCustomers), customers)
	}
	if len(gotRecords) != 2*products || !slices.Equal(gotRecords, wantRecords) {
		t.Errorf("%d records were copied, want %d", len(gotRecords), 2*products)
	}
	for _, s := range []struct {
		server *cohorttest.Server
		store  string
	}{{from, "source"}, {to, "target"}} {
		if n := s.server.Requests(s.store).Count(t, `{"status":429}`); n > 0 {
			t.Errorf("%s: %d requests got a 429", s.store, n)
		}
		all := s.server.Requests(s.store).Count(t, `{}`)
		if all < 2*standardQuota || all >= 1000 {
			t.Errorf("%s had %d requests; the test is about more than two quotas, and the journal has 1000", s.store, all)
		}
		t.Logf("%s: %d requests", s.store, all)
	}
	t.Logf("the clocks moved by %v", clock.slept)
}

// each calls a function for numbers from 1, some at the same time.
func each(t *testing.T, n int, call func(int) error) {
	t.Helper()
	todo := make(chan int)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for i := range todo {
				if err := call(i); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		todo <- i + 1
	}
	close(todo)
	wg.Wait()
}

func fill(ctx context.Context, t *testing.T, c *client.Client, groups, customers, products int) {
	t.Helper()
	each(t, groups, func(i int) error {
		rules := []client.DiscountRule{{Type: client.RuleAll, Method: client.MethodPercent, Amount: client.MustAmount(fmt.Sprintf("%d.25", i%90))}}
		_, err := c.Groups.Create(ctx, client.GroupUpdate{Name: client.Set(fmt.Sprintf("Group %d", i)), DiscountRules: client.Set(rules)})
		return err
	})
	var list []client.CustomerV3Create
	for i := range customers {
		one := client.CustomerV3Create{Email: fmt.Sprintf("c%04d@example.com", i), FirstName: "C", LastName: strconv.Itoa(i)}
		one.GroupID = client.Set(int64(i % groups)) // 0: none
		one.StoreCredit = client.Set([]client.StoreCredit{{Amount: client.MustAmount(fmt.Sprintf("%d.5", i))}})
		list = append(list, one)
	}
	for r := range c.CustomersV3.CreateAll(ctx, list) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	addProducts(ctx, t, c, products)
	if _, err := c.PriceLists.Create(ctx, client.PriceListUpdate{Name: client.Set("Wholesale")}); err != nil {
		t.Fatal(err)
	}
	var records []client.PriceRecordPut
	for i := range products {
		for _, currency := range []string{"usd", "eur"} {
			records = append(records, client.PriceRecordPut{SKU: sku(i + 1), Currency: currency, Price: client.Set(client.MustAmount(fmt.Sprintf("%d.99", i)))})
		}
	}
	if err := c.PriceRecords.Put(ctx, 1, records); err != nil {
		t.Fatal(err)
	}
}

func sku(i int) string { return fmt.Sprintf("SKU-%d", i) }

// addProducts adds products, each with a SKU.
func addProducts(ctx context.Context, t *testing.T, c *client.Client, n int) {
	t.Helper()
	each(t, n, func(i int) error {
		p := client.ProductUpdate{Name: client.Set(sku(i)), SKU: client.Set(sku(i)), Type: client.Set("physical")}
		p.Weight, p.Price = client.Set(client.MustAmount("1")), client.Set(client.MustAmount("10"))
		_, err := c.Products.Create(ctx, client.ProductCreate{ProductUpdate: p})
		return err
	})
}

func copyStore(ctx context.Context, t *testing.T, source, target *client.Client, products int) {
	t.Helper()
	groupIDs := map[int64]int64{0: 0}
	for g, err := range source.Groups.All(ctx, client.GroupFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		made, err := target.Groups.Create(ctx, client.GroupUpdate{Name: client.Set(g.Name), CategoryAccess: client.Set(g.CategoryAccess), DiscountRules: client.Set(g.DiscountRules)})
		if err != nil {
			t.Fatal(err)
		}
		groupIDs[g.ID] = made.ID
	}
	var list []client.CustomerV3Create
	for c, err := range source.CustomersV3.All(ctx, client.CustomerV3Filter{Include: []string{"storecredit"}}) {
		if err != nil {
			t.Fatal(err)
		}
		one := client.CustomerV3Create{Email: c.Email, FirstName: c.FirstName, LastName: c.LastName}
		one.GroupID, one.StoreCredit = client.Set(groupIDs[c.GroupID]), c.StoreCredit
		list = append(list, one)
	}
	for r := range target.CustomersV3.CreateAll(ctx, list) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	addProducts(ctx, t, target, products)
	for l, err := range source.PriceLists.All(ctx, client.PriceListFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		copyList(ctx, t, source, target, l)
	}
}

func copyList(ctx context.Context, t *testing.T, source, target *client.Client, l client.PriceList) {
	t.Helper()
	made, err := target.PriceLists.Create(ctx, client.PriceListUpdate{Name: client.Set(l.Name), Active: client.Set(l.Active)})
	if err != nil {
		t.Fatal(err)
	}
	var records []client.PriceRecordPut
	for r, err := range source.PriceRecords.All(ctx, l.ID, client.PriceRecordFilter{Include: []string{"sku"}}) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, client.PriceRecordPut{SKU: r.SKU.Or(""), Currency: r.Currency, Price: r.Price, SalePrice: r.SalePrice})
	}
	for r := range target.PriceRecords.PutAll(ctx, made.ID, records) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// contents describes what a store has, without ids.
func contents(ctx context.Context, t *testing.T, c *client.Client) (groups, customers, records []string) {
	t.Helper()
	names := map[int64]string{}
	for g, err := range c.Groups.All(ctx, client.GroupFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		names[g.ID] = g.Name
		groups = append(groups, fmt.Sprintf("%s %s", g.Name, g.DiscountRules[0].Amount))
	}
	for c, err := range c.CustomersV3.All(ctx, client.CustomerV3Filter{Include: []string{"storecredit"}}) {
		if err != nil {
			t.Fatal(err)
		}
		customers = append(customers, fmt.Sprintf("%s %s %s", c.Email, names[c.GroupID], c.StoreCredit.Or(nil)[0].Amount))
	}
	for r, err := range c.PriceRecords.All(ctx, 1, client.PriceRecordFilter{Include: []string{"sku"}}) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, fmt.Sprintf("%s %s %s", r.SKU.Or(""), r.Currency, r.Price.Or(client.Amount{})))
	}
	slices.Sort(groups)
	slices.Sort(customers)
	slices.Sort(records)
	return groups, customers, records
}
