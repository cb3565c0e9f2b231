package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"cohort.example/cohort/bench/load"
)

// shared is the round of a side that is several nodes, each with its share of the callers. The
// throughput is that of all nodes, and the 99th percentile that of the slowest.
func (b *bench) shared(name string, addrs []string, callers int, source load.Source) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sum sample, err error) {
		if err := ctx.Err(); err != nil {
			return sample{}, err
		}
		results, errs := make([]*load.Result, len(addrs)), make([]error, len(addrs))
		var all sync.WaitGroup
		for i, addr := range addrs {
			own := func(buf []byte, n uint64) []byte { return source(buf, n*uint64(len(addrs))+uint64(i)) } //nolint:gosec // a few nodes
			plan := load.Plan{Addr: addr, Callers: callers / len(addrs), Source: own, First: b.number, WarmUp: b.warmUp, For: b.round}
			all.Go(func() {
				if results[i], errs[i] = load.Run(plan); errs[i] == nil {
					errs[i] = results[i].Check()
				}
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return sample{}, fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range results {
			b.number = max(b.number, r.Next)
			sum = sample{sum.perSecond + r.PerSecond(), max(sum.p99, r.Quantile(99))}
		}
		b.detail("%-28s %8.0f/s  p99 %7.3f ms, of %d nodes", name, sum.perSecond, ms(sum.p99), len(addrs))
		return sum, nil
	}
}
