package service

import (
	"context"
	"time"

	"cohort.example/cohort/internal/db"
)

// pastPrices reads what prices are computed from as it was at a time.
type pastPrices struct {
	*db.PastPrices
	tx *db.Tx
	at time.Time
}

// CustomerGroupID returns the group in which a customer was; 0: none.
func (p pastPrices) CustomerGroupID(storeKey string, customerID int64) (int64, error) {
	m, err := membership(p.tx, storeKey, customerID, p.at)
	return m.GroupID, err
}

// viewPast runs fn with what the prices of a request were computed from at its time. All that
// it reads is of one transaction.
func (s *Service) viewPast(ctx context.Context, storeKey string, r PriceRequest, fn func(priceReader) error) error {
	return s.viewHistory(ctx, storeKey, func(tx *db.Tx, since time.Time) error {
		if err := s.checkReach(storeKey, r.AsOf, since); err != nil {
			return err
		}
		ids := make([]int64, len(r.Items))
		for i, item := range r.Items {
			ids[i] = item.ProductID
		}
		past, err := tx.PastPrices(storeKey, r.AsOf, unique(ids), s.bounds.past)
		if err != nil {
			return err
		}
		return fn(pastPrices{past, tx, r.AsOf})
	})
}
