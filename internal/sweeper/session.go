package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// sessionsEvery is how often the sweeper deletes ended sessions of the console. They open
// nothing any more, so this bounds only their number.
const sessionsEvery = 10 * time.Minute

// sweepSessions deletes ended sessions.
func sweepSessions(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, sessionsEvery, log, "cannot delete ended sessions of the console yet; they open nothing any more", svc.SweepSessions)
}
