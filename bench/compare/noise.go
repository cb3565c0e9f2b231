package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"

	"github.com/shopspring/decimal"
)

const (
	noisySecret  = "noisy-secret"
	noisyRecords = 1000 // price records that the noisy store has
	noisyAtOnce  = 100  // … and that one of its requests writes
)

// noisyStore measures how much longer the requests of one store take while another store
// writes as much as it can: 40 callers put price records, 100 in each request.
func noisyStore(ctx context.Context, b *bench) ([]line, error) {
	b.number++
	lines, err := b.noisyStoreIn(ctx, "SQLite", "sqlite:"+filepath.Join(b.work, fmt.Sprintf("noise-%d.db", b.number)))
	if err != nil {
		return nil, err
	}
	if missing := pgtest.Missing(); missing != "" {
		return append(lines, line{what: "a noisy store, PostgreSQL", note: "skipped: " + missing}), nil
	}
	err = withPostgres(func(url string) error {
		more, err := b.noisyStoreIn(ctx, "PostgreSQL", url)
		lines = append(lines, more...)
		return err
	})
	return lines, err
}

func (b *bench) noisyStoreIn(ctx context.Context, engine, url string) ([]line, error) {
	if err := fillNoisy(ctx, url, b.small); err != nil {
		return nil, err
	}
	p, err := b.serveCohortURL(ctx, b.small, url)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	api, noisy := newCohortAPI(p.addr, b.small), newNoisyAPI(p.addr)
	var lines []line
	for _, o := range []struct {
		what   string
		source load.Source
	}{{"get", api.get}, {"create", api.create}} {
		beside := b.served(o.what+", a noisy store beside it", p.addr, 1, 1, o.source)
		quiet := beside.round
		beside.round = func(ctx context.Context) (s sample, err error) {
			err = b.withNoise(p.addr, noisy.put, func() (err error) {
				s, err = quiet(ctx)
				return err
			})
			return s, err
		}
		alone := b.served(o.what+", alone", p.addr, 1, 1, o.source)
		d, err := b.compare(ctx, beside, alone)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{
			what:   fmt.Sprintf("%s beside a noisy store, the 99th percentile, %s", o.what, engine),
			cohort: fmt.Sprintf("%.2f ms", medianOf(d.a, tail)),
			peer:   fmt.Sprintf("%.2f ms alone", medianOf(d.b, tail)),
			figure: d.ratio(tail), spread: d.spread(tail), form: "%.2f", goal: atMost(2),
		})
	}
	return lines, nil
}

// withNoise runs measure while the callers of the noisy store send their requests. Those
// that a limit rejects are part of the noise, and so are connections that the server
// closes because a body arrives late.
func (b *bench) withNoise(addr string, source load.Source, measure func() error) error {
	done := make(chan load.Result, 1)
	go func() {
		begun, all := time.Now(), load.Result{Refused: map[int]int64{}}
		for left := b.noiseTime(); left > 0; left = b.noiseTime() - time.Since(begun) {
			r, err := load.Run(load.Plan{Addr: addr, Callers: b.callers, Source: source, For: left})
			if err != nil {
				b.detail("the noise begins again: %v", err)
				continue
			}
			all.Answers += r.Answers
			for status, n := range r.Refused {
				all.Refused[status] += n
			}
		}
		done <- all
	}()
	time.Sleep(b.warmUp / 2) // the noise begins before the measurement
	err := measure()
	noise := <-done
	if err == nil && noise.Answers == 0 {
		err = errors.New("none of the requests of the noisy store succeeded")
	}
	b.detail("the noise: %d responses, and rejected by status: %v", noise.Answers, noise.Refused)
	return err
}

// noiseTime is how long the noise lasts: from before a round until after it.
func (b *bench) noiseTime() time.Duration { return b.warmUp + b.round + b.warmUp }

// noisyAPI writes the requests of the noisy store.
type noisyAPI struct {
	load.Client
	bodies [][]byte // made before, so that the generator costs little
}

func newNoisyAPI(addr string) noisyAPI {
	a := noisyAPI{Client: load.Client{Host: addr, Token: noisySecret}}
	for first := 1; first <= noisyRecords; first += noisyAtOnce {
		body := []byte{'['}
		for variant := first; variant < first+noisyAtOnce; variant++ {
			body = fmt.Appendf(body, `{"variant_id":%d,"currency":"usd","price":%d.5},`, variant, variant%100+1)
		}
		body[len(body)-1] = ']'
		a.bodies = append(a.bodies, body)
	}
	return a
}

// put writes request n, which puts some of the records of the store.
func (a noisyAPI) put(b []byte, n uint64) []byte {
	body := a.bodies[n%uint64(len(a.bodies))]
	b = append(b, "PUT /stores/noisy/v3/pricelists/1/records"...)
	return append(a.Send(b, len(body)), body...)
}

// fillNoisy adds the quiet store with its groups, and the noisy one with its catalog. The
// concurrency limit of the noisy one is out of the way.
func fillNoisy(ctx context.Context, url string, c content) error {
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := fillStores(ctx, d, c); err != nil {
		return err
	}
	return d.UpdateLong(ctx, func(tx *db.Tx) error {
		if _, err := tx.CreateStore(cohort.Store{
			Hash: "noisy", Plan: cohort.PlanUnlimited, Concurrency: cohort.MaxConcurrency, DateCreated: firstDate,
		}.WithDefaults()); err != nil {
			return err
		}
		if err := tx.InsertToken(cohort.Token{
			ID: "t-noisy", Hash: cohort.HashTokenSecret(noisySecret), StoreKey: "noisy",
			Scopes: []cohort.Scope{cohort.ScopeProducts}, DateCreated: firstDate,
		}); err != nil {
			return err
		}
		if err := tx.InsertPriceList("noisy", cohort.PriceList{ID: 1, Name: "List", Active: true}); err != nil {
			return err
		}
		for id := int64(1); id <= noisyRecords; id++ {
			product := cohort.Product{ID: id, Name: fmt.Sprint("Product ", id), Type: cohort.ProductPhysical, Price: decimal.New(100, 0), BaseVariantID: id}
			if err := tx.InsertProduct("noisy", product); err != nil {
				return err
			}
			if err := tx.InsertVariant("noisy", cohort.Variant{ID: id, ProductID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}
