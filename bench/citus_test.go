package bench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// BenchmarkCitus measures creates, gets by id and pages of 50 groups per second, with 40
// callers over 40 stores: on one PostgreSQL server and on Citus with a coordinator and two
// workers, all on this machine. So the ratio shows what the distribution costs, not what
// further machines gain. In each round both take turns; b.N is the number of rounds, and the
// figures are medians. It needs an installed Citus:
//
//	cd bench && COHORT_TEST_CITUS=/usr/lib/postgresql/15/bin go test -run '^$' -bench Citus -benchtime 5x
func BenchmarkCitus(b *testing.B) {
	pgtest.RequireCitus(b)
	sides := []*shop{newShop(b, dbtest.MigratedPostgresURL(b)), newShop(b, dbtest.MigratedCitusURL(b))}
	for _, s := range sides {
		for i := range benchStores {
			if err := s.create(b.Context(), benchStore(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, work := range []struct {
		name string
		do   func(s *shop, ctx context.Context, store string) error
	}{{"create", (*shop).create}, {"get", (*shop).get}, {"list", (*shop).list}} {
		b.Run(work.name, func(b *testing.B) {
			var figures [2][]float64
			var ratios []float64
			for b.Loop() {
				for i, s := range sides {
					figures[i] = append(figures[i], s.perSecond(b, func(ctx context.Context, store string) error { return work.do(s, ctx, store) }))
				}
				ratios = append(ratios, last(figures[1])/last(figures[0]))
			}
			b.ReportMetric(median(figures[0]), "postgres/s")
			b.ReportMetric(median(figures[1]), "citus/s")
			b.ReportMetric(median(ratios), "citus/postgres")
			b.Logf("citus/postgres from %.2f to %.2f", slices.Min(ratios), slices.Max(ratios))
		})
	}
}

func (s *shop) create(ctx context.Context, store string) error {
	_, err := s.svc.CreateGroup(ctx, store, newGroup())
	return err
}

func (s *shop) get(ctx context.Context, store string) error {
	_, err := s.svc.Group(ctx, store, 1)
	return err
}

func (s *shop) list(ctx context.Context, store string) error {
	_, err := s.svc.ListGroups(ctx, store, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 50})
	return err
}

// perSecond calls do with 40 callers over 40 stores, and returns how many calls per second
// succeed.
func (s *shop) perSecond(b *testing.B, do func(ctx context.Context, store string) error) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), roundSeconds*time.Second)
	defer cancel()
	var made atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for i := range benchStores {
		all.Go(func() {
			store := benchStore(i)
			as := service.ForBearer(b.Context(), service.Bearer{Token: cohort.NewToken(secretOf(i)), Store: cohort.Store{Key: store}})
			for ctx.Err() == nil {
				if err := do(as, store); err != nil {
					b.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	return float64(made.Load()) / time.Since(begun).Seconds()
}
