package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"cohort.example/cohort/internal/pgtest"
)

// createsWithEvents measures creates in a store that records events beside creates in one
// that does not, in the same process and the same database.
func createsWithEvents(ctx context.Context, b *bench) ([]line, error) {
	b.number++
	lite, err := b.createsWithEventsIn(ctx, "SQLite", "sqlite:"+filepath.Join(b.work, fmt.Sprintf("events-%d.db", b.number)))
	if err != nil {
		return nil, err
	}
	if missing := pgtest.Missing(); missing != "" {
		return []line{lite, {what: "create with events, PostgreSQL", note: "skipped: " + missing}}, nil
	}
	var postgres line
	err = withPostgres(func(url string) (err error) {
		postgres, err = b.createsWithEventsIn(ctx, "PostgreSQL", url)
		return err
	})
	return []line{lite, postgres}, err
}

func (b *bench) createsWithEventsIn(ctx context.Context, engine, url string) (line, error) {
	program, err := b.build(ctx, cohortProgram)
	if err != nil {
		return line{}, err
	}
	var tokens []string
	for i, switched := range []string{"on", "off"} {
		token, err := makeStoreWithToken(ctx, program, url, storeName(i))
		if err != nil {
			return line{}, err
		}
		tokens = append(tokens, token)
		out, err := exec.CommandContext(ctx, program, "store", "update", storeName(i), "--db", url, "--events", switched).CombinedOutput()
		if err != nil {
			return line{}, fmt.Errorf("cohort store update: %w\n%s", err, out)
		}
	}
	api := func(addr string, store int) *cohortAPI {
		one := newCohortAPI(addr, b.small)
		one.clients[0].Token, one.paths[0] = tokens[store], " /stores/"+storeName(store)+"/v2/customer_groups"
		return one
	}
	p, err := b.start(ctx, program, func(addr string) []byte { return api(addr, 0).count(nil, 0) }, func(addr string) []string {
		return []string{"serve", "--db", url, "--addr", addr}
	})
	if err != nil {
		return line{}, err
	}
	defer p.stop()
	var sides []side
	for i, name := range []string{"with events", "without"} {
		source := api(p.addr, i).create
		if err := b.fillOverHTTP(p.addr, source); err != nil {
			return line{}, err
		}
		sides = append(sides, b.served(name, p.addr, b.callers, create.groups, source))
	}
	d, err := b.compare(ctx, sides[0], sides[1])
	if err != nil {
		return line{}, err
	}
	return d.line("create with events, "+engine, "itself", atLeast(0.80)), nil
}
