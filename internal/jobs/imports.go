package jobs

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// importsEvery is how often jobs look for imports that were stopped. A store's
// catalog cannot be changed before what everybody sees of one is moved to its
// place, so it is sooner than for other work. After a failure it is lookAgain.
const importsEvery = 5 * time.Second

// finishImports finishes what imports have left that were stopped.
func finishImports(ctx context.Context, svc *service.Service, log *slog.Logger) {
	for {
		pause := importsEvery
		if err := svc.FinishImports(ctx); err != nil && ctx.Err() == nil {
			log.Error("an import that was stopped is not finished yet; its store's catalog may not be changed until then", "error", err)
			pause = lookAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
