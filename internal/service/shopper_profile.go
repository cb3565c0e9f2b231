package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/uuid"
)

// CreateShopperProfiles adds profiles for all customers or for none, and returns them as
// stored. It returns ItemErrors, of KindInvalid if a customer does not exist, and of
// KindConflict if it has a profile or is in the batch twice.
func (s *Service) CreateShopperProfiles(ctx context.Context, storeKey string, customerIDs []int64) (created []cohort.ShopperProfile, err error) {
	list := make([]cohort.ShopperProfile, len(customerIDs))
	for i, id := range customerIDs {
		now := s.timestamp(storeKey)
		list[i] = cohort.ShopperProfile{ID: uuid.NewString(), CustomerID: id, DateCreated: now, DateModified: now}
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		existing, err := tx.HoldCustomers(storeKey, customerIDs)
		if err != nil {
			return err
		}
		profiles, err := tx.ShopperProfilesOfCustomers(storeKey, customerIDs)
		if err != nil {
			return err
		}
		if err := checkProfiled(customerIDs, existing, profiles); err != nil {
			return err
		}
		created, err = tx.CreateShopperProfiles(storeKey, list)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// checkProfiled reports customers that do not exist, or if there are none, those that
// have a profile.
func checkProfiled(customerIDs, existing []int64, profiles map[int64]string) error {
	missing, taken := cohort.ItemErrors{}, cohort.ItemErrors{}
	for i, id := range customerIDs {
		if !slices.Contains(existing, id) {
			missing[i] = cohort.Invalid("customer_id", "There is no customer with this id.")
		}
		if profiles[id] != "" || slices.Contains(customerIDs[:i], id) {
			taken[i] = &cohort.Error{Kind: cohort.KindConflict, Reason: fmt.Sprintf("Shopper profile already exists for customer `%d`.", id)}
		}
	}
	if len(missing) > 0 {
		return missing
	}
	return orNil(taken)
}

// ReadShopperProfiles sends one page of the profiles of a store, in the order of their
// creation, to a sink, and returns the number of all of them.
func (s *Service) ReadShopperProfiles(ctx context.Context, storeKey string, p cohort.Page, to Sink[cohort.ShopperProfile]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadShopperProfiles(storeKey, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountShopperProfiles(storeKey)
		return err
	})
	return total, err
}

// DeleteShopperProfiles deletes those of the profiles that exist with their memberships,
// and all profiles of the store if ids is nil. The customers stay. Of all profiles,
// readers see none from the commit on; SweepTombstones deletes the rows.
func (s *Service) DeleteShopperProfiles(ctx context.Context, storeKey string, ids []string) error {
	if ids != nil {
		return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteShopperProfiles(storeKey, ids) })
	}
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		return tx.DeleteAllShopperProfiles(storeKey)
	})
	if err == nil {
		signal(s.tombstones)
	}
	return err
}

// ReadSegmentsOfProfile sends one page of the segments that a profile is a member of to a
// sink, and returns the number of all of them, or KindNotFound.
func (s *Service) ReadSegmentsOfProfile(ctx context.Context, storeKey, profileID string, p cohort.Page, to Sink[cohort.Segment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		profile, err := tx.ShopperProfile(storeKey, profileID)
		if err != nil {
			return err
		}
		if err := tx.ReadSegmentsOfProfile(storeKey, profile.Number, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountSegmentsOfProfile(storeKey, profile.Number)
		return err
	})
	return total, err
}
