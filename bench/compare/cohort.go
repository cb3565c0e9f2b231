package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// content is the content of a database before a measurement.
type content struct{ stores, groups int } // groups of all stores together

func (c content) perStore() int { return c.groups / c.stores }

func (c content) file() string { return fmt.Sprintf("filled-%d-%d.db", c.stores, c.groups) }

func storeName(i int) string { return fmt.Sprintf("bench-%d", i) }

// secretOf is the token of a store. It follows from the number of the store,
// which keeps the load generator simple.
func secretOf(i int) string { return fmt.Sprintf("bench-secret-%d", i) }

// filled returns the path of a filled database, which must not be changed. It
// is filled once, through internal/db, because a million creates over HTTP are
// a row of their own.
func (b *bench) filled(ctx context.Context, c content) (string, error) {
	path := filepath.Join(b.dir, c.file())
	if b.made[path] {
		return path, nil
	}
	b.progress("fills a database: %d groups in %d stores", c.groups, c.stores)
	program, err := b.build(ctx, cohortProgram)
	if err != nil {
		return "", err
	}
	if err := makeStore(ctx, program, path, storeName(0)); err != nil {
		return "", err
	}
	d, err := db.Open(ctx, "sqlite:"+path)
	if err != nil {
		return "", err
	}
	if err := errors.Join(fill(ctx, d, c), d.Close()); err != nil {
		return "", err
	}
	b.made[path] = true
	return path, nil
}

// makeStore creates a store on the command line, as an operator does, with a
// concurrency limit that is out of the way.
func makeStore(ctx context.Context, program, path, hash string) error {
	out, err := exec.CommandContext(ctx, program, "store", "create", hash,
		"--db", "sqlite:"+path, "--plan", "unlimited", "--max-concurrent", strconv.Itoa(cohort.MaxConcurrency)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cohort store create: %w\n%s", err, out)
	}
	return nil
}

func fill(ctx context.Context, d *db.DB, c content) error {
	svc := service.New(d)
	for i := range c.stores {
		if i > 0 {
			if _, err := svc.CreateStore(ctx, cohort.Store{Hash: storeName(i), Plan: cohort.PlanUnlimited, Concurrency: cohort.MaxConcurrency}); err != nil {
				return err
			}
		}
		token := cohort.Token{StoreKey: storeName(i), Scopes: []cohort.Scope{cohort.ScopeCustomers}}
		if _, err := svc.CreateTokenWithSecret(ctx, token, secretOf(i)); err != nil {
			return err
		}
	}
	const atATime = 50_000
	for n := 0; n < c.groups; n += atATime {
		err := d.Update(ctx, func(tx *db.Tx) error { return insert(tx, c, n, min(n+atATime, c.groups)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// firstDate is the creation date of the first group of a filled database. Each
// further group is a second younger.
var firstDate = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// insert adds the groups from number from up to number to, store by store.
func insert(tx *db.Tx, c content, from, to int) error {
	for n := from; n < to; n++ {
		store := storeName(n / c.perStore())
		id, err := tx.NextID(store, "customer_group")
		if err != nil {
			return err
		}
		created := firstDate.Add(time.Duration(id) * time.Second)
		g := cohort.Group{
			ID:             id,
			Name:           fmt.Sprintf("Wholesale %010d", id),
			CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19}},
			DiscountRules: []cohort.DiscountRule{
				{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)},
				{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.New(125, -1)},
				{Type: cohort.RuleProduct, TargetID: 77, Method: cohort.MethodFixed, Amount: decimal.New(3, 0)},
			},
			DateCreated:  created,
			DateModified: created,
		}
		// One group has each flag, as in a real store.
		g.IsDefault, g.IsGroupForGuests = id == int64(c.perStore()), id == int64(c.perStore()/2)
		if err := tx.InsertGroup(store, g); err != nil {
			return err
		}
	}
	return nil
}

// startCohort serves a copy of a filled database.
func (b *bench) startCohort(ctx context.Context, p program, c content) (*process, error) {
	filled, err := b.filled(ctx, c)
	if err != nil {
		return nil, err
	}
	path, err := b.copy(filled)
	if err != nil {
		return nil, err
	}
	return b.serveCohort(ctx, p, c, path)
}

// serveCohort serves a SQLite file with the defaults of all flags.
func (b *bench) serveCohort(ctx context.Context, p program, c content, path string) (*process, error) {
	return b.serveProgram(ctx, p, c, "sqlite:"+path)
}

// serveCohortURL is serveCohort for any database.
func (b *bench) serveCohortURL(ctx context.Context, c content, url string) (*process, error) {
	return b.serveProgram(ctx, cohortProgram, c, url)
}

func (b *bench) serveProgram(ctx context.Context, p program, c content, url string) (*process, error) {
	program, err := b.build(ctx, p)
	if err != nil {
		return nil, err
	}
	first := func(addr string) []byte { return newCohortAPI(addr, c).count(nil, 0) }
	return b.start(ctx, program, first, func(addr string) []string {
		return []string{"serve", "--db", url, "--addr", addr}
	})
}

// cohortAPI writes the requests to Cohort, spread over all stores and all
// initial groups.
type cohortAPI struct {
	content
	clients []load.Client // of each store
	paths   []string      // of the groups of each store
}

func newCohortAPI(addr string, c content) *cohortAPI {
	a := &cohortAPI{content: c}
	for i := range c.stores {
		a.clients = append(a.clients, load.Client{Host: addr, Token: secretOf(i)})
		a.paths = append(a.paths, " /stores/"+storeName(i)+"/v2/customer_groups")
	}
	return a
}

// begin appends the method and the path of the groups of the store of request
// n, and returns the client of that store.
func (a *cohortAPI) begin(b []byte, method string, n uint64) ([]byte, load.Client) {
	i := n % uint64(a.stores)
	b = append(b, method...)
	return append(b, a.paths[i]...), a.clients[i]
}

// pick returns the number of one of the given number of things of a store, for
// request n.
func (a *cohortAPI) pick(n uint64, most int) uint64 { return pick(n/uint64(a.stores), most) }

func (a *cohortAPI) create(b []byte, n uint64) []byte {
	b, client := a.begin(b, "POST", n)
	return sendGroup(client, b, n)
}

func (a *cohortAPI) get(b []byte, n uint64) []byte {
	b, client := a.begin(b, "GET", n)
	b = append(b, '/')
	b = strconv.AppendUint(b, a.pick(n, a.perStore()), 10)
	return client.Get(b)
}

func (a *cohortAPI) list(b []byte, n uint64) []byte {
	return a.query(b, n, "?limit=50&page=", a.pick(n, a.perStore()/pageSize))
}

func (a *cohortAPI) query(b []byte, n uint64, query string, number uint64) []byte {
	b, client := a.begin(b, "GET", n)
	b = append(b, query...)
	return client.Get(strconv.AppendUint(b, number, 10))
}

func (a *cohortAPI) count(b []byte, n uint64) []byte {
	b, client := a.begin(b, "GET", n)
	return client.Get(append(b, "/count"...))
}

func (a *cohortAPI) update(b []byte, n uint64) []byte {
	b, client := a.begin(b, "PUT", n)
	b = append(b, '/')
	b = strconv.AppendUint(b, a.pick(n, a.perStore()), 10)
	return sendName(client, b, n)
}

func (a *cohortAPI) mix(b []byte, n uint64) []byte {
	return mix(n, a.get, a.list, a.create, a.update)(b, n)
}
