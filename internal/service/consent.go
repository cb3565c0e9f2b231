package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// Consent returns what a customer allows and denies, and the current time, or
// KindNotFound.
func (s *Service) Consent(ctx context.Context, storeKey string, customerID int64) (c cohort.Consent, now time.Time, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		has, err := tx.HasCustomer(storeKey, customerID)
		if err != nil {
			return err
		}
		if !has {
			return noCustomer(customerID)
		}
		c, err = tx.Consent(storeKey, customerID)
		return err
	})
	return c, s.timestamp(storeKey), err
}

// SetConsent replaces what a customer allows and denies, and returns the time of the
// change. It returns KindInvalid if a rule is broken, and KindNotFound.
func (s *Service) SetConsent(ctx context.Context, storeKey string, customerID int64, c cohort.Consent) (now time.Time, err error) {
	if err := c.Validate(); err != nil {
		return now, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		found, err := tx.LockCustomers(storeKey, []int64{customerID})
		if err != nil {
			return err
		}
		if !slices.Contains(found, customerID) {
			return noCustomer(customerID)
		}
		return tx.PutConsent(storeKey, customerID, c)
	})
	return s.timestamp(storeKey), err
}

func noCustomer(id int64) error { return cohort.NotFound(fmt.Sprintf("customer %d", id)) }
