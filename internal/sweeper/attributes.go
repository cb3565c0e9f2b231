package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// sweepAttributes deletes the values of deleted attributes.
func sweepAttributes(ctx context.Context, svc *service.Service, log *slog.Logger) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if err := untilDone(ctx, svc.SweepAttributes); err != nil && ctx.Err() == nil {
			log.Error("cannot delete the values of deleted attributes yet; reads do not show them", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-svc.AttributesDeleted():
		}
	}
}
