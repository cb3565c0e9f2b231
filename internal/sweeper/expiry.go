package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// expireEvery is how often the sweeper looks for stores that have expired.
const expireEvery = 5 * time.Second

// expireStores deletes stores that have expired.
func expireStores(ctx context.Context, svc *service.Service, log *slog.Logger) {
	for {
		pause := expireEvery
		if err := expireAllStores(ctx, svc); err != nil && ctx.Err() == nil {
			log.Error("cannot delete expired stores yet; they are still served", "error", err)
			pause = lookAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func expireAllStores(ctx context.Context, svc *service.Service) error {
	for ctx.Err() == nil {
		if more, err := svc.DeleteExpiredStores(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}
