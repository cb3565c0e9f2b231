package main

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort/bench/load"
)

// memory creates many groups over HTTP, and measures the memory of the process
// half way and at the end.
func memory(ctx context.Context, b *bench) ([]line, error) {
	p, err := b.startCohort(ctx, cohortProgram, b.small)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	half, err := b.createMany(ctx, p, b.creates/2)
	if err != nil {
		return nil, err
	}
	whole, err := b.createMany(ctx, p, b.creates-b.creates/2)
	if err != nil {
		return nil, err
	}
	return []line{
		{what: fmt.Sprintf("memory after %d creates", b.creates), figure: mb(whole), form: "%.0f MB", goal: atMost(150)},
		{
			what:   fmt.Sprintf("… beside that after %d", b.creates/2),
			cohort: fmt.Sprintf("%.0f MB", mb(whole)), peer: fmt.Sprintf("%.0f MB", mb(half)),
			figure: float64(whole) / float64(half), form: "%.2f", goal: atMost(1.10),
		},
	}, nil
}

// createMany returns the memory of the process after the given number of
// creates.
func (b *bench) createMany(ctx context.Context, p *process, creates uint64) (int64, error) {
	const most = 3 * time.Minute
	start := time.Now()
	for made := uint64(0); made < creates; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if time.Since(start) > most {
			return 0, fmt.Errorf("only %d of %d creates were done in %s", made, creates, most)
		}
		some := min(20_000, creates-made)
		r, err := load.Run(load.Plan{
			Addr: p.addr, Callers: b.callers, Source: newCohortAPI(p.addr, b.small).create, First: b.number, Requests: some,
		})
		if err != nil {
			return 0, err
		}
		if err := r.Check(); err != nil {
			return 0, err
		}
		b.number = r.Next
		made += some
	}
	b.detail("%d creates in %s", creates, time.Since(start).Round(time.Millisecond))
	return p.resident()
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// start measures the time from the start of the process to the first response
// that needs the database.
func start(ctx context.Context, b *bench) ([]line, error) {
	var lines []line
	for _, s := range []struct {
		what string
		content
		goal *goal
	}{
		{"start with an empty database", content{1, 0}, atMost(80)},
		{fmt.Sprintf("start with %d groups", b.many.groups), b.many, atMost(300)},
	} {
		took, err := b.startup(ctx, s.content)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{what: s.what, figure: took, form: "%.0f ms", goal: s.goal})
	}
	return lines, nil
}

// startup is the median of several starts in milliseconds.
func (b *bench) startup(ctx context.Context, c content) (float64, error) {
	filled, err := b.filled(ctx, c)
	if err != nil {
		return 0, err
	}
	path, err := b.copy(filled)
	if err != nil {
		return 0, err
	}
	var took []float64
	for range 2*b.rounds + 1 {
		p, err := b.serveCohort(ctx, cohortProgram, c, path)
		if err != nil {
			return 0, err
		}
		p.stop()
		b.detail("%8.1f ms", ms(p.startup))
		took = append(took, ms(p.startup))
	}
	return median(took), nil
}
