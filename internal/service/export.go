package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ExportCatalog calls fn with all items of some kinds of a store's catalog, kind by kind
// and each by id, base variants included. It reads one snapshot, which stays open as long
// as fn takes. It ends with the first error of fn.
//
// It returns KindNotFound if the store does not exist.
func (s *Service) ExportCatalog(ctx context.Context, storeKey string, kinds []cohort.CatalogKind, fn func(cohort.CatalogItem) error) error {
	return s.db.ViewLong(db.ForStore(ctx, storeKey), func(tx *db.Tx) error {
		if _, err := tx.Store(storeKey); err != nil {
			return err
		}
		for _, kind := range kinds {
			var failed error
			err := tx.ReadCatalog(storeKey, kind, func(item cohort.CatalogItem) (more bool) {
				failed = fn(item)
				return failed == nil
			})
			if failed != nil {
				return failed
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
