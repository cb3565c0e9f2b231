package bench

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// BenchmarkManyHooks compares creates of groups in a store with 10 000 webhooks with those in
// a store with one, where no webhook wants to know of groups, in alternating rounds. The goal
// is at least 0.95. The dispatcher runs, so its work for the events counts too.
func BenchmarkManyHooks(b *testing.B) {
	pg := pgtest.Start(b, pgtest.Options{Fsync: true, Settings: map[string]string{"max_connections": "200"}})
	for _, on := range []struct{ name, url string }{{"sqlite", sqliteURL(b)}, {"postgres", pg.URL()}} {
		b.Run(on.name, func(b *testing.B) {
			d := openDB(b, on.url)
			svc := service.New(d, service.WithHookSender(webhook.New(webhook.Options{Dev: true})))
			one, many := deafBearer(b, d, svc, "one", 1), deafBearer(b, d, svc, "many", cohort.MaxHooks)
			ctx, stop := context.WithCancel(b.Context())
			var running sync.WaitGroup
			running.Go(func() { svc.RunHooks(ctx, slog.New(slog.DiscardHandler)) })
			defer running.Wait()
			defer stop()
			var ratios, processor []float64
			for b.Loop() {
				n, cpu := createFor(b, svc, one, eventRound)
				m, more := createFor(b, svc, many, eventRound)
				ratios, processor = append(ratios, m/n), append(processor, cpu/more)
			}
			b.ReportMetric(median(ratios), "many/one")
			b.ReportMetric(median(processor), "cpu-one/many")
			b.Logf("many/one from %.2f to %.2f", slices.Min(ratios), slices.Max(ratios))
		})
	}
}

// deafBearer makes a store with active webhooks that want to know of deleted products.
func deafBearer(b *testing.B, d *db.DB, svc *service.Service, hash string, hooks int) service.Bearer {
	b.Helper()
	bearer := eventBearer(b, svc, hash, "secret-"+hash, false)
	key := bearer.Store.Key
	const atOnce = 500
	for done := 0; done < hooks; done += atOnce {
		err := d.Update(b.Context(), func(tx *db.Tx) error {
			for i := done; i < min(done+atOnce, hooks); i++ {
				h, err := tx.InsertHook(key, cohort.Hook{
					ClientID: "app" + strconv.Itoa(i/cohort.MaxHooksPerScope), Scope: "store/product/deleted",
					Destination: "https://app.example/" + strconv.Itoa(i), Active: true,
				})
				if err != nil {
					return err
				}
				if err := tx.BeginHook(key, h.ID, h.DateCreated); err != nil {
					return err
				}
			}
			return tx.RefreshHooks(key)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	st, err := svc.Store(b.Context(), hash)
	if err != nil {
		b.Fatal(err)
	}
	if !st.HasHooks {
		b.Fatal("the store has no webhooks")
	}
	bearer.Store = st
	return bearer
}
