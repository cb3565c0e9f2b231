// Package jobs does in the background what a request only begins. Whatever it
// does can be done twice, and it may be stopped at any moment.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"cohort.example/cohort/internal/service"
)

// lookAgain is how often jobs look for work that another node, or this one
// before it was stopped, has left.
const lookAgain = time.Minute

// Run works until ctx ends, and returns when nothing is under way any more.
func Run(ctx context.Context, svc *service.Service, log *slog.Logger) {
	var running sync.WaitGroup
	running.Go(func() { sweep(ctx, svc, log) })
	running.Go(func() { sweepStores(ctx, svc, log) })
	running.Go(func() { finishImports(ctx, svc, log) })
	if svc.Pushes() {
		running.Go(func() { deliver(ctx, svc, log) })
	}
	running.Wait()
}

// sweep sweeps up what deleted groups leave behind.
func sweep(ctx context.Context, svc *service.Service, log *slog.Logger) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if err := sweepAll(ctx, svc); err != nil && ctx.Err() == nil {
			log.Error("customers of deleted groups are not swept up yet; they are in no group all the same", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-svc.Departures():
		}
	}
}

func sweepAll(ctx context.Context, svc *service.Service) error {
	for ctx.Err() == nil {
		if more, err := svc.SweepTombstones(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}
