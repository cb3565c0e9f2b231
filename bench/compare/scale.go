package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"cohort.example/cohort/bench/load"
)

// million measures Cohort with very many groups: gets beside a server that says hello, lists
// beside the peer with as many groups in as many stores, and creates beside Cohort with few
// groups.
func million(ctx context.Context, b *bench) ([]line, error) {
	many, err := b.startCohort(ctx, cohortProgram, b.many)
	if err != nil {
		return nil, err
	}
	defer many.stop()
	if err := b.awaitFill(ctx, many); err != nil {
		return nil, err
	}
	gets, err := b.manyBesideHello(ctx, many)
	if err != nil {
		return nil, err
	}
	lists, err := b.manyBesidePeer(ctx, many)
	if err != nil {
		return nil, err
	}
	creates, err := b.manyBesideFew(ctx, many)
	return append([]line{gets}, append(lists, creates)...), err
}

// fillTime is how long a server may take to fill its file of groups.
const fillTime = time.Minute

// awaitFill waits until the log of a server with very many groups says that the file of
// groups is filled. With few groups it says nothing.
func (b *bench) awaitFill(ctx context.Context, p *process) error {
	if b.smoke {
		return nil
	}
	for began := time.Now(); time.Since(began) < fillTime; {
		log, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if bytes.Contains(log, []byte("filled the cache of groups")) {
			b.detail("the file of groups is filled %.1f s after the start", time.Since(p.started).Seconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the file of groups is not filled")
}

func (b *bench) manyBesideHello(ctx context.Context, many *process) (line, error) {
	e, err := b.startEcho(ctx)
	if err != nil {
		return line{}, err
	}
	defer e.stop()
	api := echoAPI{load.Client{Host: e.addr, Token: secretOf(0)}}
	d, err := b.compare(ctx,
		b.cohortSide("cohort, many", many, b.many, b.callers, get),
		b.served("GET /hello", e.addr, b.callers, 0, api.hello))
	if err != nil {
		return line{}, err
	}
	return d.line(fmt.Sprintf("get by id, %d groups, a server that says hello", b.many.groups), "GET /hello", atLeast(0.50)), nil
}

// manyBesidePeer returns no line without the peer.
func (b *bench) manyBesidePeer(ctx context.Context, many *process) ([]line, error) {
	if !b.peer {
		return nil, nil
	}
	p, err := b.startPeer(ctx, peerProgram, equallyDurable, b.many)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	d, err := b.compare(ctx,
		b.cohortSide("cohort, many", many, b.many, b.callers, list50),
		b.peerSide("pocketbase, many", p, b.many, list50))
	if err != nil {
		return nil, err
	}
	return []line{d.line(fmt.Sprintf("list of 50, %d groups, PocketBase with as many", b.many.groups), "PocketBase", atLeast(20))}, nil
}

func (b *bench) manyBesideFew(ctx context.Context, many *process) (line, error) {
	few, err := b.startCohort(ctx, cohortProgram, b.small)
	if err != nil {
		return line{}, err
	}
	defer few.stop()
	d, err := b.compare(ctx,
		b.cohortSide("cohort, many", many, b.many, b.callers, create),
		b.cohortSide("cohort, few", few, b.small, b.callers, create))
	if err != nil {
		return line{}, err
	}
	return d.line(fmt.Sprintf("create, %d groups beside %d", b.many.groups, b.small.groups), "itself", atLeast(0.90)), nil
}

// deepPage measures a page far from the first one beside the first one.
func deepPage(ctx context.Context, b *bench) ([]line, error) {
	p, err := b.startCohort(ctx, cohortProgram, b.large)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	deep := uint64(b.large.groups / pageSize * 3 / 4) // 3 000 of 4 000
	api := newCohortAPI(p.addr, b.large)
	page := func(number uint64) load.Source {
		return func(buf []byte, n uint64) []byte { return api.query(buf, n, "?limit=50&page=", number) }
	}
	d, err := b.compare(ctx,
		b.served(fmt.Sprintf("page %d", deep), p.addr, b.callers, pageSize, page(deep)),
		b.served("page 1", p.addr, b.callers, pageSize, page(1)))
	if err != nil {
		return nil, err
	}
	lines := []line{d.line(fmt.Sprintf("page %d of %d groups, page 1", deep, b.large.groups), "itself", atLeast(0.80))}
	d, err = b.compare(ctx,
		b.served(fmt.Sprintf("page %d, changing", deep), p.addr, b.callers, -1, changing(page(deep), api.update)),
		b.served("page 1, changing", p.addr, b.callers, -1, changing(page(1), api.update)))
	if err != nil {
		return nil, err
	}
	return append(lines, d.line("… and one request of twenty changes a group", "itself", atLeast(0.80))), nil
}

// filters measures lists and counts that search for groups. The slowest one
// counts.
func filters(ctx context.Context, b *bench) ([]line, error) {
	p, err := b.startCohort(ctx, cohortProgram, b.large)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	alone, err := newLoner(ctx, b, p.addr)
	if err != nil {
		return nil, err
	}
	defer alone.conn.Close()
	queries := filterQueries(b.large)
	cold, err := alone.ask(queries[0])
	if err != nil {
		return nil, err
	}
	// The first requests do not count, as in all rows: they fill the caches.
	// The very first one has a line of its own.
	if _, _, err := alone.slowest("", queries, 1); err != nil {
		return nil, err
	}
	count, _, err := alone.slowest("/count", []string{""}, repetitions)
	if err != nil {
		return nil, err
	}
	lists, listQuery, err := alone.slowest("", queries, repetitions)
	if err != nil {
		return nil, err
	}
	counts, countQuery, err := alone.slowest("/count", queries, repetitions)
	if err != nil {
		return nil, err
	}
	what := func(text string) string { return fmt.Sprintf(text, b.large.groups) }
	return []line{
		{what: what("count of %d groups"), figure: count, form: "%.2f ms", goal: atMost(20)},
		{what: what("list of %d with a filter, the slowest"), peer: listQuery, figure: lists, form: "%.2f ms", goal: atMost(20)},
		{what: what("count of %d with a filter, the slowest"), peer: countQuery, figure: counts, form: "%.2f ms"},
		{what: "the first filter after a start, once", peer: queries[0], figure: cold, form: "%.2f ms"},
	}, nil
}

// filterQueries has each filter with a value of the first groups, of the last
// one, of all, or of none, where such values exist.
func filterQueries(c content) []string {
	last := firstDate.Add(time.Duration(c.perStore()) * time.Second)
	queries := []string{
		"?name:like=nobody",
		fmt.Sprintf("?name:like=%010d", c.perStore()),
		"?name:like=wholesale",
		fmt.Sprintf("?name=Wholesale%%20%010d", c.perStore()),
		"?name=nobody",
		"?is_default=true", "?is_default=false",
		"?is_group_for_guests=true", "?is_group_for_guests=false",
	}
	for _, field := range []string{"date_created", "date_modified"} {
		for _, filter := range []string{"", ":min", ":max"} {
			for _, date := range []time.Time{firstDate.AddDate(0, 0, -2), firstDate.Add(time.Second), last, last.AddDate(0, 0, 2)} {
				queries = append(queries, fmt.Sprintf("?%s%s=%s", field, filter, date.Format("2006-01-02T15:04:05")))
			}
		}
	}
	return queries
}

// loner is the only caller of a server.
type loner struct {
	*bench
	api  *cohortAPI
	conn *load.Conn
}

func newLoner(ctx context.Context, b *bench, addr string) (*loner, error) {
	conn, err := load.Dial(ctx, addr)
	return &loner{b, newCohortAPI(addr, b.large), conn}, err
}

const repetitions = 15

// slowest returns the slowest query and its time in milliseconds: the median of
// several requests. A group is changed before each of them, so that no response
// comes from the cache.
func (l *loner) slowest(path string, queries []string, times int) (most float64, query string, err error) {
	for _, q := range queries {
		var took []float64
		for range times {
			if err := l.change(); err != nil {
				return 0, "", err
			}
			t, err := l.ask(path + q)
			if err != nil {
				return 0, "", err
			}
			took = append(took, t)
		}
		l.detail("%8.3f ms  %s%s", median(took), path, q)
		if t := median(took); t >= most {
			most, query = t, path+q
		}
	}
	return most, query, nil
}

// ask returns the time of a GET of the groups in milliseconds.
func (l *loner) ask(query string) (float64, error) {
	request, client := l.api.begin(nil, "GET", 0)
	request = client.Get(append(request, query...))
	start := time.Now()
	status, body, err := l.conn.Do(request)
	took := ms(time.Since(start))
	return took, refusal(status, body, query, err)
}

// change renames a group in the middle, which is on none of the requested
// pages.
func (l *loner) change() error {
	l.number++
	request, client := l.api.begin(nil, "PUT", 0)
	request = append(request, '/')
	request = strconv.AppendInt(request, int64(l.large.groups/3), 10)
	status, body, err := l.conn.Do(sendName(client, request, l.number))
	return refusal(status, body, "a change", err)
}

// refusal is the error of a request that failed.
func refusal(status int, body []byte, what string, err error) error {
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("%d %s", status, body)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
