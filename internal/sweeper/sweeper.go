// Package sweeper does in the background what requests leave behind: it moves the
// members out of deleted groups, deletes the values of deleted attributes and the rows
// of deleted segments, shopper profiles and stores, deletes expired stores,
// idempotency keys, old events, old deliveries of webhooks and ended sessions of
// the console, finishes interrupted imports, and writes when tokens were last used.
// Each step may be repeated, on several nodes at the same time, and may be interrupted at
// any moment.
package sweeper

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"cohort.example/cohort/internal/service"
)

// lookAgain is how often the sweeper looks for work that another node, or this one
// before a restart, has left.
const lookAgain = time.Minute

// Run works until ctx ends, and returns when nothing is running any more.
func Run(ctx context.Context, svc *service.Service, log *slog.Logger) {
	var running sync.WaitGroup
	running.Go(func() { sweepGroups(ctx, svc, log) })
	running.Go(func() { sweepAttributes(ctx, svc, log) })
	running.Go(func() { sweepStores(ctx, svc, log) })
	running.Go(func() { sweepEvents(ctx, svc, log) })
	running.Go(func() { sweepHooks(ctx, svc, log) })
	running.Go(func() { expireStores(ctx, svc, log) })
	running.Go(func() { finishImports(ctx, svc, log) })
	running.Go(func() { sweepKeys(ctx, svc, log) })
	running.Go(func() { sweepSessions(ctx, svc, log) })
	running.Go(func() { writeTokenUses(ctx, svc, log) })
	running.Wait()
}

// repeat does something every so often until ctx ends. After a failure, which it logs, the
// wait is lookAgain.
func repeat(ctx context.Context, every time.Duration, log *slog.Logger, failure string, do func(context.Context) error) {
	for {
		pause := every
		if err := do(ctx); err != nil && ctx.Err() == nil {
			log.Error(failure, "error", err)
			pause = lookAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// untilDone takes steps until there are no more, one fails, or ctx ends.
func untilDone(ctx context.Context, step func(context.Context) (more bool, err error)) error {
	for ctx.Err() == nil {
		if more, err := step(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

// sweepGroups moves the members out of deleted groups, and deletes the rows of deleted
// segments and shopper profiles.
func sweepGroups(ctx context.Context, svc *service.Service, log *slog.Logger) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if err := untilDone(ctx, svc.SweepTombstones); err != nil && ctx.Err() == nil {
			log.Error("cannot move the members out of deleted groups and segments yet; reads show them as moved all the same", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-svc.TombstonesAdded():
		}
	}
}
