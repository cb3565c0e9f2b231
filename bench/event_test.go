package bench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// eventRound is how long one round of BenchmarkEvents lasts.
const eventRound = time.Second

// BenchmarkEvents compares creates of groups in a store that records events with those in a
// store that does not, by 40 callers through the service, in alternating rounds on the same
// database. The goal is at least 0.80. It also compares the processor time of a create in
// this process, which other programs disturb less.
func BenchmarkEvents(b *testing.B) {
	pg := pgtest.Start(b, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}})
	for _, on := range []struct{ name, url string }{{"sqlite", sqliteURL(b)}, {"postgres", pg.URL()}} {
		b.Run(on.name, func(b *testing.B) {
			svc := service.New(openDB(b, on.url))
			quiet, recording := eventBearer(b, svc, "quiet", "secret-q", false), eventBearer(b, svc, "recording", "secret-r", true)
			var ratios, without, with, processor []float64
			for b.Loop() {
				n, cpu := createFor(b, svc, quiet, eventRound)
				m, more := createFor(b, svc, recording, eventRound)
				without, with = append(without, n), append(with, m)
				ratios, processor = append(ratios, m/n), append(processor, cpu/more)
			}
			b.ReportMetric(median(without), "without/s")
			b.ReportMetric(median(with), "with/s")
			b.ReportMetric(median(ratios), "with/without")
			b.ReportMetric(median(processor), "cpu-without/with")
			b.Logf("with/without from %.2f to %.2f", slices.Min(ratios), slices.Max(ratios))
		})
	}
}

func eventBearer(b *testing.B, svc *service.Service, hash, secret string, events bool) service.Bearer {
	b.Helper()
	if err := addBenchStore(b.Context(), svc, hash, secret, cohort.ScopeCustomers); err != nil {
		b.Fatal(err)
	}
	st, err := svc.Store(b.Context(), hash)
	if err == nil {
		st, err = svc.UpdateStore(b.Context(), st.Key, cohort.StoreUpdate{Events: &events})
	}
	if err != nil {
		b.Fatal(err)
	}
	return service.Bearer{Token: cohort.NewToken(secret), Store: st}
}

// createFor creates groups with 40 callers. It returns how many per second, and the processor
// time of one in nanoseconds.
func createFor(b *testing.B, svc *service.Service, bearer service.Bearer, long time.Duration) (perSecond, processor float64) {
	b.Helper()
	used := processorTime(b)
	ctx, cancel := context.WithTimeout(b.Context(), long)
	defer cancel()
	as := service.ForRequest(b.Context(), bearer, "0123456789abcdef0123456789abcdef")
	var made atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range 40 {
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := svc.CreateGroup(as, bearer.Store.Key, newGroup()); err != nil {
					b.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	n := float64(made.Load())
	return n / time.Since(begun).Seconds(), float64(processorTime(b)-used) / n
}
