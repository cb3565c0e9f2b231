package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"cohort.example/cohort/bench/load"
)

// sample is the result of one round of one side.
type sample struct {
	perSecond float64
	p99       time.Duration
}

// side is one of the two sides that a row compares.
type side struct {
	name  string
	probe func(context.Context) error // checks a response; may be nil
	round func(context.Context) (sample, error)
}

// served is a side that is a server, with others if it is one of several nodes. groups is the
// number of groups in a response, -1 if it depends on the request.
func (b *bench) served(name, addr string, callers, groups int, source load.Source, others ...string) side {
	return side{
		name:  name,
		probe: func(ctx context.Context) error { return b.probe(ctx, addr, groups, source) },
		round: func(ctx context.Context) (sample, error) {
			if err := ctx.Err(); err != nil {
				return sample{}, err
			}
			return b.load(name, callers, source, append([]string{addr}, others...)...)
		},
	}
}

// load is a round of requests to one server, or to several nodes that share the callers.
func (b *bench) load(name string, callers int, source load.Source, addrs ...string) (sample, error) {
	before := cpuTime()
	r, err := load.Spread(load.Plan{Callers: callers, Source: source, First: b.number, WarmUp: b.warmUp, For: b.round}, addrs...)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	made := r.Next - b.number
	b.number = r.Next
	if err := r.Check(); err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	b.detail("%-28s %8.0f/s  p50 %7.3f ms  p99 %7.3f ms  %6.0f bytes an answer; the load generator took %.1f µs of a CPU per request",
		name, r.PerSecond(), ms(r.Quantile(50)), ms(r.Quantile(99)), float64(r.Bytes)/float64(r.Answers),
		float64((cpuTime()-before).Microseconds())/float64(max(made, 1)))
	return sample{r.PerSecond(), r.Quantile(99)}, nil
}

// probe sends one request and checks the content of the response, which the
// load generator does not do.
func (b *bench) probe(ctx context.Context, addr string, groups int, source load.Source) error {
	conn, err := load.Dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := source(nil, b.number)
	b.number++
	status, body, err := conn.Do(request)
	line, _, _ := bytes.Cut(request, []byte("\r\n"))
	if err := refusal(status, body, string(line), err); err != nil {
		return err
	}
	// In both APIs the response contains the rules of every group.
	if n := bytes.Count(body, []byte(`"discount_rules"`)); groups >= 0 && n != groups {
		return fmt.Errorf("%s: %d groups in the answer instead of %d", line, n, groups)
	}
	return nil
}

// duel is the results of two sides, by round.
type duel struct{ a, b []sample }

// compare measures two sides in turn, a b a b …, so that other load on the
// machine affects both.
func (b *bench) compare(ctx context.Context, first, second side) (duel, error) {
	var d duel
	for _, s := range []side{first, second} {
		if s.probe == nil {
			continue
		}
		if err := s.probe(ctx); err != nil {
			return d, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for range b.rounds {
		x, err := first.round(ctx)
		if err != nil {
			return d, err
		}
		y, err := second.round(ctx)
		if err != nil {
			return d, err
		}
		d.a, d.b = append(d.a, x), append(d.b, y)
	}
	return d, nil
}

// ratio is the median of the ratios of the rounds.
func (d duel) ratio(of func(sample) float64) float64 { return median(d.ratios(of)) }

// spread is the smallest and the largest of these ratios.
func (d duel) spread(of func(sample) float64) []float64 {
	ratios := d.ratios(of)
	return []float64{slices.Min(ratios), slices.Max(ratios)}
}

func (d duel) ratios(of func(sample) float64) []float64 {
	ratios := make([]float64, len(d.a))
	for i := range d.a {
		ratios[i] = of(d.a[i]) / of(d.b[i])
	}
	return ratios
}

func medianOf(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return median(values)
}

// median returns the mean of the two middle values if their number is even. It
// does not change its argument.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func throughput(s sample) float64 { return s.perSecond }
func tail(s sample) float64       { return ms(s.p99) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// cpuTime is the processor time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fmt.Fprintln(os.Stderr, "getrusage:", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
