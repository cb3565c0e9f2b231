package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
)

// coldRequests is how many stores get a first request for the figure of cold stores.
const coldRequests = 2000

// manyStores measures a server whose database has very many stores: its start, the
// first request to a store, and its memory when each store has had a request.
func manyStores(ctx context.Context, b *bench) ([]line, error) {
	filled, err := b.filledStores(ctx)
	if err != nil {
		return nil, err
	}
	path, err := b.copy(filled)
	if err != nil {
		return nil, err
	}
	lite, err := b.manyStoresIn(ctx, "SQLite", "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if missing := pgtest.Missing(); missing != "" {
		return append(lite, line{what: "many stores, PostgreSQL", note: "skipped: " + missing}), nil
	}
	var postgres []line
	err = withPostgres(func(url string) (err error) {
		b.progress("copies %d stores to PostgreSQL", b.scattered.stores)
		if err := b.copyDatabase(ctx, "sqlite:"+filled, url); err != nil {
			return err
		}
		postgres, err = b.manyStoresIn(ctx, "PostgreSQL", url)
		return err
	})
	return append(lite, postgres...), err
}

func (b *bench) manyStoresIn(ctx context.Context, engine, url string) ([]line, error) {
	var startups []float64
	for range b.rounds {
		p, err := b.serveCohortURL(ctx, b.scattered, url)
		if err != nil {
			return nil, err
		}
		startups = append(startups, ms(p.startup))
		p.stop()
	}
	p, err := b.serveCohortURL(ctx, b.scattered, url)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	before, err := p.resident()
	if err != nil {
		return nil, err
	}
	api := newCohortAPI(p.addr, b.scattered)
	cold, err := b.requests(p, 1, api.get, coldRequests)
	if err != nil {
		return nil, err
	}
	// Two requests to each store, and one of them reads the list.
	for _, source := range []load.Source{api.get, api.allGroups} {
		if _, err := b.requests(p, b.callers, source, uint64(b.scattered.stores)); err != nil {
			return nil, err
		}
	}
	after, err := p.resident()
	if err != nil {
		return nil, err
	}
	what := func(text string) string { return fmt.Sprintf(text, b.scattered.stores, engine) }
	return []line{
		{what: what("start with %d stores, %s"), figure: median(startups), form: "%.0f ms", goal: atMost(100)},
		{what: what("first get from each of %d stores, the 99th percentile, %s"), figure: ms(cold.Quantile(99)), form: "%.2f ms", goal: atMost(5)},
		{
			what:   what("memory after two requests to each of %d stores, %s"),
			cohort: fmt.Sprintf("%.0f MB", mb(after)), peer: fmt.Sprintf("%.0f MB after the start", mb(before)),
			figure: mb(after), form: "%.0f MB", goal: atMost(400),
		},
	}, nil
}

// requests sends a number of requests.
func (b *bench) requests(p *process, callers int, source load.Source, number uint64) (*load.Result, error) {
	r, err := load.Run(load.Plan{Addr: p.addr, Callers: callers, Source: source, First: b.number, Requests: number})
	if err != nil {
		return nil, err
	}
	b.number = r.Next
	b.detail("%d requests by %d callers in %s, p99 %.3f ms", number, callers, r.Took.Round(time.Millisecond), ms(r.Quantile(99)))
	return r, r.Check()
}

// allGroups lists the groups of a store that has few.
func (a *cohortAPI) allGroups(b []byte, n uint64) []byte { return a.query(b, n, "?limit=50&page=", 1) }

// filledStores returns the path of a SQLite database with very many stores, which must
// not be changed. Each store has the same number of groups, and two tokens.
func (b *bench) filledStores(ctx context.Context) (string, error) {
	path := filepath.Join(b.dir, b.scattered.file())
	if b.made[path] {
		return path, nil
	}
	b.progress("fills a database: %d stores", b.scattered.stores)
	d, err := db.Open(ctx, "sqlite:"+path)
	if err != nil {
		return "", err
	}
	if err := errors.Join(fillStores(ctx, d, b.scattered), d.Close()); err != nil {
		return "", err
	}
	b.made[path] = true
	return path, nil
}

func fillStores(ctx context.Context, d *db.DB, c content) error {
	const atATime = 5000
	for from := 0; from < c.stores; from += atATime {
		to := min(from+atATime, c.stores)
		err := d.UpdateLong(ctx, func(tx *db.Tx) error {
			for i := from; i < to; i++ {
				if err := insertStore(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil { // PostgreSQL allocates ids in a transaction of its own, which has to see the stores
			err = d.UpdateLong(ctx, func(tx *db.Tx) error { return insert(tx, c, from*c.perStore(), to*c.perStore()) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertStore adds a store and its tokens. Only the first of them sends requests.
func insertStore(tx *db.Tx, i int) error {
	hash := storeName(i)
	if _, err := tx.CreateStore(cohort.Store{
		Hash: hash, Plan: cohort.PlanUnlimited, Concurrency: cohort.MaxConcurrency, DateCreated: firstDate,
	}.WithDefaults()); err != nil {
		return err
	}
	for _, secret := range []string{secretOf(i), "other-" + secretOf(i)} {
		err := tx.InsertToken(cohort.Token{
			ID: "t-" + secret, Hash: cohort.HashTokenSecret(secret), StoreKey: hash,
			Scopes: []cohort.Scope{cohort.ScopeCustomers}, DateCreated: firstDate,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyDatabase copies a database into an empty one, as an operator does.
func (b *bench) copyDatabase(ctx context.Context, from, to string) error {
	program, err := b.build(ctx, cohortProgram)
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, program, "copy", "--from", from, "--to", to).CombinedOutput(); err != nil {
		return fmt.Errorf("cohort copy: %w\n%s", err, out)
	}
	return nil
}
