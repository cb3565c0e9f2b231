package service

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// adoptParts is cohort.AdoptParts with ids of a store.
func adoptParts(tx *db.Tx, storeKey string, before, update cohort.Details, now time.Time) (cohort.Details, error) {
	return cohort.AdoptParts(before, update, now, func(kind string, n int64) (int64, error) {
		return tx.ReserveIDs(storeKey, kind, 0, n)
	})
}

// ProductWith is Product with what with names.
func (s *Service) ProductWith(ctx context.Context, storeKey string, id int64, with cohort.ProductWith) (p cohort.Product, err error) {
	if with == (cohort.ProductWith{}) {
		return s.Product(ctx, storeKey, id)
	}
	f := cohort.ProductFilter{IDs: []int64{id}, With: with}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		found := false
		err := tx.ReadProducts(storeKey, f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 1}, func(read cohort.Product) bool {
			p, found = read, true
			return true
		})
		if err == nil && !found {
			return cohort.NotFound(fmt.Sprintf("product %d", id))
		}
		return err
	})
	return p, err
}
