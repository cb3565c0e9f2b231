package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"cohort.example/cohort/internal/service"
)

// deliverEvery is how often a node looks for jobs that have become due, or that
// another node has left.
const deliverEvery = time.Second

// concurrency is how many jobs a node carries out at once.
const concurrency = 8

// deliver carries out jobs that are due. What is under way when ctx ends it
// finishes, which takes no longer than service.PushTimeout and a commit.
func deliver(ctx context.Context, svc *service.Service, log *slog.Logger) {
	d := &delivery{svc: svc, log: log}
	ticker := time.NewTicker(deliverEvery)
	defer ticker.Stop()
	for {
		d.all(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-svc.JobsDue():
		}
	}
}

// delivery is what deliver has said in the log. When the other side is away every
// attempt fails, and one line is enough.
type delivery struct {
	svc *service.Service
	log *slog.Logger

	mu            sync.Mutex
	failing       bool // attempts
	databaseFails bool
}

// all carries out jobs until none is due.
func (d *delivery) all(ctx context.Context) {
	for ctx.Err() == nil {
		leased, err := d.svc.LeaseJobs(ctx, concurrency)
		if ctx.Err() != nil && err != nil {
			return
		}
		d.noteDatabase(err)
		if len(leased) == 0 {
			return
		}
		var under sync.WaitGroup
		for _, j := range leased {
			under.Go(func() { d.carryOut(ctx, j) })
		}
		under.Wait()
	}
}

func (d *delivery) carryOut(ctx context.Context, j service.LeasedJob) {
	failure, unnoted := d.svc.CarryOut(ctx, j)
	d.noteDatabase(unnoted)
	d.noteAttempt(failure)
	if failure != nil && j.IsLastAttempt() {
		d.log.Error("a job is given up; see \"cohort jobs\"", "store", j.StoreHash, "job", j.ID, "kind", j.Kind, "subject", j.Subject, "error", failure)
	}
}

// noteDatabase logs when the database begins to fail.
func (d *delivery) noteDatabase(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && !d.databaseFails {
		d.log.Error("jobs cannot be read or written; they are tried again", "error", err)
	}
	d.databaseFails = err != nil
}

// noteAttempt logs when attempts begin to fail, and when they succeed again.
func (d *delivery) noteAttempt(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil && !d.failing:
		d.log.Warn("sitewide discounts do not reach the pricing system; they are tried again", "error", err)
	case err == nil && d.failing:
		d.log.Info("sitewide discounts reach the pricing system again")
	}
	d.failing = err != nil
}
