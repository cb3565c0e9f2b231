package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/sweeper"
)

// BenchmarkWritesBesideASweep measures how long consecutive writes of one store
// take while a group with 200 000 members of another store is deleted and
// swept, and before that for comparison. An iteration takes seconds and its
// preparation more, so run it with -benchtime 1x.
func BenchmarkWritesBesideASweep(b *testing.B) {
	const baseline = 2000
	var alone, beside latencies
	for b.Loop() {
		b.StopTimer()
		d, svc, group := newLargeGroup(b)
		for range baseline {
			alone.measureWrite(b, svc)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { defer close(done); sweeper.Run(ctx, svc, slog.New(slog.DiscardHandler)) }()
		deleted := make(chan error, 1)
		b.StartTimer()

		go func() { deleted <- svc.DeleteGroup(b.Context(), "a", group) }()
		for swept := false; !swept; swept = len(deleted) == 1 && isSwept(b, d) {
			for range 10 {
				beside.measureWrite(b, svc)
			}
		}

		b.StopTimer()
		if err := <-deleted; err != nil {
			b.Fatal(err)
		}
		cancel()
		<-done
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	alone.report(b, "alone")
	beside.report(b, "beside")
}

// newLargeGroup returns a database with the stores "a" and "b", and a group
// with many members in "a".
func newLargeGroup(b *testing.B) (d *db.DB, svc *service.Service, group int64) {
	b.Helper()
	const members, atATime = 200_000, 10_000
	d = openDB(b, sqliteURL(b))
	svc = service.New(d)
	addStores(b, svc, "a", "b")
	g, err := svc.CreateGroup(b.Context(), "a", cohort.Group{Name: "large"})
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < members; from += atATime {
		err := d.Update(b.Context(), func(tx *db.Tx) error {
			for range atATime {
				id, err := tx.NextID("a", "customer")
				if err != nil {
					return err
				}
				c := cohort.Customer{ID: id, FirstName: "Ada", LastName: "Lovelace", Email: fmt.Sprint(id, "@example.com"), GroupID: g.ID}
				if err := tx.InsertCustomer("a", c, ""); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return d, svc, g.ID
}

// latencies are the times that calls took.
type latencies []time.Duration

func (l *latencies) measureWrite(b *testing.B, svc *service.Service) {
	b.Helper()
	start := time.Now()
	_, err := svc.CreateGroup(b.Context(), "b", newGroup())
	*l = append(*l, time.Since(start))
	if err != nil {
		b.Fatal(err)
	}
}

func (l latencies) report(b *testing.B, name string) {
	b.Helper()
	slices.Sort(l)
	for unit, d := range map[string]time.Duration{"p50-ms": l[len(l)/2], "p99-ms": l[len(l)*99/100], "max-ms": l[len(l)-1]} {
		b.ReportMetric(d.Seconds()*1000, name+"-"+unit)
	}
	b.ReportMetric(float64(len(l)), name+"-writes")
}

// isSwept reports whether no row refers to a deleted group. It rolls its
// attempt back.
func isSwept(b *testing.B, d *db.DB) bool {
	b.Helper()
	undo := errors.New("undo")
	more := true
	err := d.Update(b.Context(), func(tx *db.Tx) (err error) {
		more, err = tx.SweepTombstones(1, func(string) time.Time { return time.Now() })
		return errors.Join(err, undo)
	})
	if !errors.Is(err, undo) {
		b.Fatal(err)
	}
	return !more
}
