package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// CountStoreRows returns how many rows SweepStore would delete of a store.
func (s *Service) CountStoreRows(ctx context.Context, key string) (rows int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		rows, err = tx.CountStoreRows(key)
		return err
	})
	return rows, err
}
