package sweeper

import (
	"context"
	"log/slog"

	"cohort.example/cohort/internal/service"
)

// sweepEvents deletes events that are too old or too many.
func sweepEvents(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, lookAgain, log, "cannot delete old events yet; they stay", svc.SweepEvents)
}

// sweepHooks deletes old deliveries of webhooks, and deactivates unused webhooks.
func sweepHooks(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, lookAgain, log, "cannot delete old deliveries of webhooks yet; they stay", svc.SweepHooks)
}
