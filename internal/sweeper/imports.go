package sweeper

import (
	"context"
	"log/slog"
	"time"

	"cohort.example/cohort/internal/service"
)

// importsEvery is how often the sweeper looks for interrupted imports. It is shorter
// than lookAgain because the catalog of a store cannot be changed between the
// publication of an import and its merge. After a failure the wait is lookAgain.
const importsEvery = 5 * time.Second

// finishImports finishes interrupted imports.
func finishImports(ctx context.Context, svc *service.Service, log *slog.Logger) {
	repeat(ctx, importsEvery, log, "cannot finish an interrupted import yet; the catalog of its store may be read-only until then", svc.FinishImports)
}
