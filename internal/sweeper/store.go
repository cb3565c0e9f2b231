package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// sweepStores deletes the rows of deleted stores.
func sweepStores(ctx context.Context, svc *service.Service, log *slog.Logger) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if err := sweepAllStores(ctx, svc, log); err != nil && ctx.Err() == nil {
			log.Error("cannot delete the rows of deleted stores yet; reads do not show them", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func sweepAllStores(ctx context.Context, svc *service.Service, log *slog.Logger) error {
	deleted, err := svc.DeletedStores(ctx)
	if err != nil {
		return err
	}
	for _, d := range deleted {
		var swept int64
		if err := svc.SweepStore(ctx, d, func(rows int64) { swept = rows }); err != nil {
			return err
		}
		if d.SnapshotOf != "" {
			log.Info("deleted the rows of a deleted snapshot", "store", d.SnapshotOf, "rows", swept)
			continue
		}
		log.Info("deleted the rows of a deleted store", "store", d.Key, "rows", swept)
	}
	return nil
}
