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
