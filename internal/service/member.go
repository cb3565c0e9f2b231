package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// memberBatch bounds the customers that one transaction takes out of a group, and the
// rows of memberships and shopper profiles that it deletes, so that other writers do not
// wait long.
const memberBatch = 500

// GroupMembers is a group with its number of members.
type GroupMembers struct {
	cohort.Group
	Members int64
}

// ListGroupMembers is ListGroups with the number of members of each group. It reads
// the numbers from counters.
func (s *Service) ListGroupMembers(ctx context.Context, storeKey string, f cohort.GroupFilter, p cohort.Page) (list []GroupMembers, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		groups, err := tx.ListGroups(storeKey, f, p)
		if err != nil || len(groups) == 0 {
			return err
		}
		ids := make([]int64, len(groups))
		for i, g := range groups {
			ids[i] = g.ID
		}
		counts, err := tx.MemberCounts(storeKey, ids...)
		if err != nil {
			return err
		}
		list = make([]GroupMembers, len(groups))
		for i, g := range groups {
			list[i] = GroupMembers{g, counts[g.ID]}
		}
		return nil
	})
	return list, err
}

// CountMembers returns the number of members of a group, from a counter. A group that does
// not exist has none.
func (s *Service) CountMembers(ctx context.Context, storeKey string, groupID int64) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.MemberCount(storeKey, groupID)
		return err
	})
	return n, err
}

// SweepTombstones clears the group of a batch of customers whose group is deleted, or
// deletes a batch of rows of segments' members and of shopper profiles that exist no
// more. It reports whether there may be more. It may be interrupted and repeated.
func (s *Service) SweepTombstones(ctx context.Context) (more bool, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		if more, err = tx.SweepTombstones(memberBatch, s.timestamp); more || err != nil {
			return err
		}
		more, err = tx.SweepSegments(memberBatch)
		return err
	})
	return more, err
}

// TombstonesAdded receives a signal when a deletion has left rows to SweepTombstones.
func (s *Service) TombstonesAdded() <-chan struct{} { return s.tombstones }
