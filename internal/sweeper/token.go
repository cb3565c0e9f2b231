package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// lastUsesTime bounds the last write of uses, when the server ends.
const lastUsesTime = 2 * time.Second

// writeTokenUses writes in which hour tokens were last used, from time to time and at the end.
func writeTokenUses(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, lookAgain, log, "cannot write when tokens were last used; requests are served", svc.WriteTokenUses)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUsesTime)
	defer cancel()
	if err := svc.WriteTokenUses(last); err != nil {
		log.Warn("cannot write when tokens were last used, at the end", "error", err)
	}
}
