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
	repeat(ctx, expireEvery, log, "cannot delete expired stores yet; they are still served", func(ctx context.Context) error {
		return untilDone(ctx, svc.DeleteExpiredStores)
	})
}
