package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// DatabaseInfo describes the database: its engine, its schema and its size.
type DatabaseInfo = db.Info

// DatabaseInfo returns what the database is, or KindUnavailable if it does not respond.
func (s *Service) DatabaseInfo(ctx context.Context) (i DatabaseInfo, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		i, err = tx.Info()
		return err
	})
	return i, err
}
