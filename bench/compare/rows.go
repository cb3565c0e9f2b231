package main

import (
	"context"
	"errors"
	"fmt"

	"cohort.example/cohort/bench/load"
)

// row is one or several lines of the table that are measured together.
type row struct {
	name string
	peer bool // needs the peer
	run  func(context.Context, *bench) ([]line, error)
}

// rows are all rows, in the order of the table.
func rows() []row {
	return []row{
		{name: "create/durable", peer: true, run: createBesidePeer},
		{name: "create/shipped", peer: true, run: createBesidePeerAsShipped},
		{name: "create/echo", run: createBesideEcho},
		{name: "create/slow-disk", peer: true, run: createOnSlowDisk},
		{name: "create/one", run: createByOne},
		{name: "create/events", run: createsWithEvents},
		{name: "get/hello", run: getBesideHello},
		{name: "list", peer: true, run: listBesidePeer},
		{name: "mix", peer: true, run: mixBesidePeer},
		{name: "million", run: million},
		{name: "page", run: deepPage},
		{name: "filters", run: filters},
		{name: "stores", run: manyStores},
		{name: "noise", run: noisyStore},
		{name: "memory", run: memory},
		{name: "start", run: start},
	}
}

// operation is a kind of request, in both APIs.
type operation struct {
	groups int // in a response; -1 if it depends on the request
	cohort func(*cohortAPI) load.Source
	peer   func(*peerAPI) load.Source
}

var (
	create = operation{1, func(a *cohortAPI) load.Source { return a.create }, func(a *peerAPI) load.Source { return a.create }}
	get    = operation{1, func(a *cohortAPI) load.Source { return a.get }, func(a *peerAPI) load.Source { return a.get }}
	list50 = operation{pageSize, func(a *cohortAPI) load.Source { return a.list }, func(a *peerAPI) load.Source { return a.list }}
	mixed  = operation{-1, func(a *cohortAPI) load.Source { return a.mix }, func(a *peerAPI) load.Source { return a.mix }}
)

// cohortSide is an operation on Cohort.
func (b *bench) cohortSide(name string, p *process, c content, callers int, op operation) side {
	return b.served(name, p.addr, callers, op.groups, op.cohort(newCohortAPI(p.addr, c)))
}

func (b *bench) peerSide(name string, p *process, c content, op operation) side {
	return b.served(name, p.addr, b.callers, op.groups, op.peer(newPeerAPI(p.addr, c)))
}

// besidePeer measures an operation of Cohort beside the same one of the peer.
func (b *bench) besidePeer(ctx context.Context, cohort, peer program, synchronous string, op operation) (duel, error) {
	c, err := b.startCohort(ctx, cohort, b.small)
	if err != nil {
		return duel{}, err
	}
	defer c.stop()
	p, err := b.startPeer(ctx, peer, synchronous, b.small)
	if err != nil {
		return duel{}, err
	}
	defer p.stop()
	return b.compare(ctx, b.cohortSide(cohort.name, c, b.small, b.callers, op), b.peerSide(peer.name, p, b.small, op))
}

func createBesidePeer(ctx context.Context, b *bench) ([]line, error) {
	d, err := b.besidePeer(ctx, cohortProgram, peerProgram, equallyDurable, create)
	if err != nil {
		return nil, err
	}
	return []line{
		d.line("create, PocketBase equally durable", "PocketBase", atLeast(8)),
		{
			what:   "… its 99th percentile",
			cohort: fmt.Sprintf("%.1f ms", medianOf(d.a, tail)),
			peer:   fmt.Sprintf("PocketBase %.1f ms", medianOf(d.b, tail)),
			figure: d.ratio(tail), spread: d.spread(tail), form: "%.3f", goal: atMost(1.0 / 15),
		},
	}, nil
}

func createBesidePeerAsShipped(ctx context.Context, b *bench) ([]line, error) {
	d, err := b.besidePeer(ctx, cohortProgram, peerProgram, asShipped, create)
	if err != nil {
		return nil, err
	}
	return []line{d.line("create, PocketBase as shipped", "PocketBase", atLeast(5))}, nil
}

// createOnSlowDisk also shows the actual delay of a flush, because the ratio
// depends on it.
func createOnSlowDisk(ctx context.Context, b *bench) ([]line, error) {
	const what = "create, 2 ms more per flush"
	slow := map[string]program{}
	for _, p := range []program{cohortProgram, peerProgram, limitsProgram} {
		s, err := b.slowed(ctx, p)
		if errors.Is(err, errNoPlace) {
			return []line{{what: what, note: "skipped: " + err.Error()}}, nil
		}
		if err != nil {
			return nil, err
		}
		slow[p.name] = s
	}
	flush, err := b.flushes(ctx, slow[limitsProgram.name])
	if err != nil {
		return nil, err
	}
	d, err := b.besidePeer(ctx, slow[cohortProgram.name], slow[peerProgram.name], equallyDurable, create)
	if err != nil {
		return nil, err
	}
	return []line{d.line(what+", PocketBase equally durable", "PocketBase", atLeast(18)), flush}, nil
}

// flushes measures a flush with and without the delay.
func (b *bench) flushes(ctx context.Context, slow program) (line, error) {
	delayed, err := b.startLoop(ctx, slow, "flush")
	if err != nil {
		return line{}, err
	}
	defer delayed.stop()
	plain, err := b.startLoop(ctx, limitsProgram, "flush")
	if err != nil {
		return line{}, err
	}
	defer plain.stop()
	short := *b // all flushes cost the same
	short.round = b.round / 4
	d, err := short.compare(ctx, short.looped(delayed), short.looped(plain))
	if err != nil {
		return line{}, err
	}
	took := func(s sample) float64 { return 1000 / s.perSecond }
	with, without := medianOf(d.a, took), medianOf(d.b, took)
	return line{
		what:   "… a flush alone, with that and without",
		cohort: fmt.Sprintf("%.2f ms", with), peer: fmt.Sprintf("%.2f ms", without),
		figure: with - without, form: "+%.2f ms",
	}, nil
}

func createBesideEcho(ctx context.Context, b *bench) ([]line, error) {
	return b.besideEcho(ctx, "create, a server that keeps nothing", create, "POST", atLeast(0.25))
}

func getBesideHello(ctx context.Context, b *bench) ([]line, error) {
	return b.besideEcho(ctx, "get by id, a server that says hello", get, "GET", atLeast(0.60))
}

// besideEcho measures an operation beside a server that does as little as
// possible.
func (b *bench) besideEcho(ctx context.Context, what string, op operation, method string, g *goal) ([]line, error) {
	c, err := b.startCohort(ctx, cohortProgram, b.small)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	e, err := b.startEcho(ctx)
	if err != nil {
		return nil, err
	}
	defer e.stop()
	api := echoAPI{load.Client{Host: e.addr, Token: secretOf(0)}}
	other := b.served("GET /hello", e.addr, b.callers, 0, api.hello)
	if method == "POST" {
		other = b.served("POST /echo", e.addr, b.callers, 1, api.echo)
	}
	d, err := b.compare(ctx, b.cohortSide("cohort", c, b.small, b.callers, op), other)
	if err != nil {
		return nil, err
	}
	return []line{d.line(what, other.name, g)}, nil
}

func createByOne(ctx context.Context, b *bench) ([]line, error) {
	c, err := b.startCohort(ctx, cohortProgram, b.small)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	commits, err := b.startLoop(ctx, limitsProgram, "commit")
	if err != nil {
		return nil, err
	}
	defer commits.stop()
	d, err := b.compare(ctx, b.cohortSide("cohort, one caller", c, b.small, 1, create), b.looped(commits))
	if err != nil {
		return nil, err
	}
	return []line{d.line("create by one caller, SQLite alone", "commits", atLeast(0.30))}, nil
}

func listBesidePeer(ctx context.Context, b *bench) ([]line, error) {
	d, err := b.besidePeer(ctx, cohortProgram, peerProgram, equallyDurable, list50)
	if err != nil {
		return nil, err
	}
	lines := []line{d.line("list of 50, PocketBase", "PocketBase", atLeast(20))}
	uncounted := list50
	uncounted.peer = func(a *peerAPI) load.Source { return a.listWithoutTotal }
	if d, err = b.besidePeer(ctx, cohortProgram, peerProgram, equallyDurable, uncounted); err != nil {
		return nil, err
	}
	lines = append(lines, d.line("… which is asked not to count all groups", "PocketBase", nil))
	changed := operation{
		groups: -1,
		cohort: func(a *cohortAPI) load.Source { return changing(a.list, a.update) },
		peer:   func(a *peerAPI) load.Source { return changing(a.listWithoutTotal, a.update) },
	}
	if d, err = b.besidePeer(ctx, cohortProgram, peerProgram, equallyDurable, changed); err != nil {
		return nil, err
	}
	return append(lines, d.line("… and one request of twenty changes a group", "PocketBase", nil)), nil
}

func mixBesidePeer(ctx context.Context, b *bench) ([]line, error) {
	d, err := b.besidePeer(ctx, cohortProgram, peerProgram, equallyDurable, mixed)
	if err != nil {
		return nil, err
	}
	return []line{d.line("the mix, PocketBase equally durable", "PocketBase", atLeast(12))}, nil
}

// line returns the table line of a comparison of throughput.
func (d duel) line(what, peer string, g *goal) line {
	return line{
		what:   what,
		cohort: fmt.Sprintf("%.0f/s", medianOf(d.a, throughput)),
		peer:   fmt.Sprintf("%s %.0f/s", peer, medianOf(d.b, throughput)),
		figure: d.ratio(throughput), spread: d.spread(throughput), form: "%.2f", goal: g,
	}
}
