package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// AddMembers makes all profiles members of a segment or none, and returns them. It
// returns KindNotFound if the segment does not exist, and ItemErrors, of KindInvalid if a
// profile does not exist, and of KindConflict if it is a member already or in the batch
// twice.
func (s *Service) AddMembers(ctx context.Context, storeKey, segmentID string, profileIDs []string) (added []cohort.ShopperProfile, err error) {
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		segment, err := tx.SegmentEpoch(storeKey, segmentID)
		if err != nil {
			return err
		}
		held, err := tx.HoldShopperProfiles(storeKey, profileIDs)
		if err != nil {
			return err
		}
		if added, err = heldProfiles(held, profileIDs); err != nil {
			return err
		}
		members, err := tx.MembersAmong(storeKey, segment, added)
		if err != nil {
			return err
		}
		if err := checkNoMembers(segmentID, members, added); err != nil {
			return err
		}
		return tx.AddMembers(storeKey, segment, added)
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// heldProfiles returns the profiles in the order of their ids.
func heldProfiles(held map[string]cohort.ShopperProfile, ids []string) ([]cohort.ShopperProfile, error) {
	list := make([]cohort.ShopperProfile, len(ids))
	wrong := cohort.ItemErrors{}
	for i, id := range ids {
		p, exists := held[id]
		if !exists {
			wrong[i] = cohort.Invalid("", "There is no shopper profile with this id.")
		}
		list[i] = p
	}
	return list, orNil(wrong)
}

func checkNoMembers(segmentID string, members map[int64]bool, profiles []cohort.ShopperProfile) error {
	wrong := cohort.ItemErrors{}
	for i, p := range profiles {
		if members[p.Number] || slices.Contains(profiles[:i], p) {
			wrong[i] = &cohort.Error{
				Kind:   cohort.KindConflict,
				Reason: fmt.Sprintf("Shopper profile `%s` already exists for segment `%s`.", p.ID, segmentID), // the vendor's text
			}
		}
	}
	return orNil(wrong)
}

// ReadMembers sends one page of the profiles that are members of a segment, in the order
// of their creation, to a sink, and returns the number of all of them, or KindNotFound.
func (s *Service) ReadMembers(ctx context.Context, storeKey, segmentID string, p cohort.Page, to Sink[cohort.ShopperProfile]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		segment, err := tx.SegmentEpoch(storeKey, segmentID)
		if err != nil {
			return err
		}
		if err := tx.ReadMembers(storeKey, segment, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountMembers(storeKey, segment)
		return err
	})
	return total, err
}

// RemoveMembers removes those of the profiles that are members from a segment, and all
// members if profileIDs is nil. It returns KindNotFound if the segment does not exist.
// Readers see none of all members from the commit on; SweepTombstones deletes the rows.
func (s *Service) RemoveMembers(ctx context.Context, storeKey, segmentID string, profileIDs []string) error {
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		if profileIDs == nil {
			if err := tx.LockSegments(storeKey); err != nil {
				return err
			}
		}
		segment, err := tx.SegmentEpoch(storeKey, segmentID)
		if err != nil {
			return err
		}
		if profileIDs == nil {
			return tx.EmptySegments(storeKey, []string{segmentID})
		}
		return tx.RemoveMembers(storeKey, segment, profileIDs)
	})
	if err == nil && profileIDs == nil {
		signal(s.tombstones)
	}
	return err
}
