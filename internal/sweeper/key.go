package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// keysEvery is how often the sweeper deletes expired idempotency keys. They have no effect
// any more, so this bounds only their number.
const keysEvery = 10 * time.Minute

// sweepKeys deletes expired idempotency keys.
func sweepKeys(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, keysEvery, log, "cannot delete expired idempotency keys yet; they have no effect any more", svc.SweepKeys)
}
