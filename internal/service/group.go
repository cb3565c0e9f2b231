package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/roster"
)

// CreateGroup adds a group to a store and returns it as it is kept, with its
// id and dates. A flag that it has moves away from the group that had it.
//
// It returns KindInvalid if a rule of groups is broken. With KindPartial the
// group is stored and returned, but its sitewide discount is not in effect.
func (s *Service) CreateGroup(ctx context.Context, storeHash string, g cohort.Group) (cohort.Group, error) {
	g = g.Normalized()
	if err := g.Validate(); err != nil {
		return cohort.Group{}, err
	}
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		g.DateCreated = s.timestamp()
		g.DateModified = g.DateCreated
		if err := takeFlags(tx, storeHash, g); err != nil {
			return err
		}
		id, err := tx.NextGroupID(storeHash)
		if err != nil {
			return err
		}
		g.ID = id
		return tx.InsertGroup(storeHash, g)
	})
	if err != nil {
		return cohort.Group{}, err
	}
	return g, s.handOnSitewide(ctx, storeHash, nil, g)
}

// Group returns a group, or KindNotFound.
func (s *Service) Group(ctx context.Context, storeHash string, id int64) (g cohort.Group, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		g, err = tx.Group(storeHash, id)
		return err
	})
	return g, err
}

// ListGroups returns one page of the groups that pass the filter, by id.
func (s *Service) ListGroups(ctx context.Context, storeHash string, f cohort.GroupFilter, p cohort.Page) (groups []cohort.Group, err error) {
	if r := s.rosterFor(storeHash, f, p.Offset()); r != nil {
		if groups, ok, err := s.listWith(ctx, r, storeHash, f, p); ok {
			return groups, err
		}
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		groups, err = tx.ListGroups(storeHash, f, p)
		return err
	})
	return groups, err
}

// CountGroups returns how many groups pass the filter.
func (s *Service) CountGroups(ctx context.Context, storeHash string, f cohort.GroupFilter) (n int64, err error) {
	if r := s.rosterFor(storeHash, f, shallow); r != nil {
		n = int64(r.Count(roster.NewFilter(f, db.Fold)))
		s.db.AwaitTold()
		return n, nil
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountGroups(storeHash, f)
		return err
	})
	return n, err
}

// UpdateGroup changes a group and returns it as it is now. An update that
// holds nothing changes nothing, the modification date included. Errors are
// those of CreateGroup, and KindNotFound.
func (s *Service) UpdateGroup(ctx context.Context, storeHash string, id int64, u cohort.GroupUpdate) (cohort.Group, error) {
	if u.IsEmpty() {
		return s.Group(ctx, storeHash, id)
	}
	var before, after cohort.Group
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		if u.MovesFlag() {
			if err := tx.LockFlags(storeHash); err != nil {
				return err
			}
		}
		if before, err = tx.GroupForUpdate(storeHash, id); err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		if err := moveFlags(tx, storeHash, before, after); err != nil {
			return err
		}
		return tx.UpdateGroup(storeHash, after)
	})
	if err != nil {
		return cohort.Group{}, err
	}
	if u.DiscountRules == nil {
		return after, nil
	}
	return after, s.handOnSitewide(ctx, storeHash, before.DiscountRules, after)
}

// DeleteGroup deletes a group, or returns KindNotFound. Its id is not given
// out again, and from then on its members are in no group. The rows of most of
// a large group's members are written later; see SweepDeparted.
func (s *Service) DeleteGroup(ctx context.Context, storeHash string, id int64) error {
	var more bool
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		if err := tx.DeleteGroup(storeHash, id); err != nil {
			return err
		}
		var err error
		more, err = tx.UnassignMembers(storeHash, id, memberSlice)
		return err
	})
	if err == nil && more {
		select {
		case s.departures <- struct{}{}:
		default: // signalled already
		}
	}
	return err
}

// takeFlags takes the flags of a new group from the groups that have them.
func takeFlags(tx *db.Tx, storeHash string, g cohort.Group) error {
	if !g.IsDefault && !g.IsGroupForGuests {
		return nil
	}
	if err := tx.LockFlags(storeHash); err != nil {
		return err
	}
	return moveFlags(tx, storeHash, cohort.Group{}, g)
}

// moveFlags takes the flags that a group gains from the groups that have them.
func moveFlags(tx *db.Tx, storeHash string, before, after cohort.Group) error {
	if after.IsDefault && !before.IsDefault {
		if err := tx.ClearDefaultGroup(storeHash, after.DateModified); err != nil {
			return err
		}
	}
	if after.IsGroupForGuests && !before.IsGroupForGuests {
		return tx.ClearGuestGroup(storeHash, after.DateModified)
	}
	return nil
}

// handOnSitewide tells pricing the sitewide discount of a group that was just
// stored, unless there is none and was none. A repeated update with the same
// rule tells it again: that is the retry which the 207 invites.
func (s *Service) handOnSitewide(ctx context.Context, storeHash string, before []cohort.DiscountRule, g cohort.Group) error {
	_, had := cohort.SitewideRule(before)
	rule, has := cohort.SitewideRule(g.DiscountRules)
	if !had && !has {
		return nil
	}
	var next *cohort.DiscountRule
	if has {
		next = &rule
	}
	if err := s.pricing.SetSitewideDiscount(ctx, storeHash, g.ID, next); err != nil {
		return &cohort.Error{Kind: cohort.KindPartial, Field: "discount_rules", Err: err}
	}
	return nil
}

// laterOf keeps a modification date from going back when the clock does.
func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
