package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// memberSlice is how many rows of customers one transaction takes out of a
// group, so that no other writer waits long for its turn.
const memberSlice = 500

// GroupMembers is a group and how many members it has.
type GroupMembers struct {
	cohort.Group
	Members int64
}

// ListGroupMembers is ListGroups with the number of members of each group,
// which is kept and not counted.
func (s *Service) ListGroupMembers(ctx context.Context, storeHash string, f cohort.GroupFilter, p cohort.Page) (list []GroupMembers, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		groups, err := tx.ListGroups(storeHash, f, p)
		if err != nil {
			return err
		}
		counts, err := tx.MemberCounts(storeHash)
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

// SweepTombstones writes a slice of the customers that a deleted group left
// behind. It reports whether there may be more to do. It may stop at any
// moment, and be done twice.
func (s *Service) SweepTombstones(ctx context.Context) (more bool, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		more, err = tx.SweepTombstones(memberSlice)
		return err
	})
	return more, err
}

// Departures signals that a deleted group may have left customers behind for
// SweepTombstones.
func (s *Service) Departures() <-chan struct{} { return s.departures }
