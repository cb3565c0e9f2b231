package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CatalogSummary returns figures about a store's catalog. It reads the whole catalog, and
// stops when the context ends.
func (s *Service) CatalogSummary(ctx context.Context, storeKey string) (summary cohort.CatalogSummary, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		summary, err = tx.CatalogSummary(storeKey)
		return err
	})
	return summary, err
}
