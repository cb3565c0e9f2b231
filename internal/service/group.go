package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
	"cohort.example/cohort/internal/outbox"
)

// CreateGroup adds a group to a store and returns it as stored, with its id and
// dates. A flag of the group is taken from the group that had it.
//
// It returns KindInvalid if a rule of groups is broken, or if the store's catalog is
// managed and the group names a part of it that does not exist. With KindPartial the
// group is stored and returned, but its sitewide discount is not in effect.
func (s *Service) CreateGroup(ctx context.Context, storeKey string, g cohort.Group) (cohort.Group, error) {
	g = g.Normalized()
	if err := g.Validate(); err != nil {
		return cohort.Group{}, err
	}
	refs, err := s.lookUp(ctx, storeKey, g.CategoryAccess, g.DiscountRules)
	if err != nil {
		return cohort.Group{}, err
	}
	var pending *outbox.Pending
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		g.DateCreated = s.timestamp(storeKey)
		g.DateModified = g.DateCreated
		if err := takeFlags(tx, storeKey, g); err != nil {
			return err
		}
		if err := refs.check(tx, storeKey, g.DiscountRules); err != nil {
			return err
		}
		if g, err = tx.CreateGroup(storeKey, g); err != nil {
			return err
		}
		if err := syncAssignments(tx, storeKey, g.ID, nil, g.DiscountRules); err != nil {
			return err
		}
		pending, err = s.putSitewide(ctx, tx, storeKey, nil, g)
		return err
	})
	if err != nil {
		return cohort.Group{}, err
	}
	return g, s.deliverSitewide(ctx, pending)
}

// Group returns a group, or KindNotFound.
func (s *Service) Group(ctx context.Context, storeKey string, id int64) (g cohort.Group, err error) {
	err = s.db.ViewOne(ctx, func(tx *db.Tx) error {
		g, err = tx.Group(storeKey, id)
		return err
	})
	return g, err
}

// ReadGroups sends one page of the groups that pass the filter, by id, to a sink.
func (s *Service) ReadGroups(ctx context.Context, storeKey string, f cohort.GroupFilter, p cohort.Page, to Sink[cohort.Group]) error {
	if index := s.indexFor(ctx, storeKey, f, p.Offset()); index != nil {
		if ok, err := s.readGroupsWithIndex(ctx, index, storeKey, f, p, to); ok {
			return err
		}
	}
	if p.Before == "" || p.After != "" { // otherwise another query finds where the page begins
		ctx = db.OneQuery(ctx)
	}
	return view(ctx, s, to, func(tx *db.Tx) error { return tx.ReadGroups(storeKey, f, p, to.Add) })
}

// ListGroups is ReadGroups into a slice.
func (s *Service) ListGroups(ctx context.Context, storeKey string, f cohort.GroupFilter, p cohort.Page) ([]cohort.Group, error) {
	var list rowSlice[cohort.Group]
	err := s.ReadGroups(ctx, storeKey, f, p, &list)
	return list.rows, err
}

// CountGroups returns the number of groups that pass the filter.
func (s *Service) CountGroups(ctx context.Context, storeKey string, f cohort.GroupFilter) (n int64, err error) {
	if index := s.indexFor(ctx, storeKey, f, minIndexOffset); index != nil {
		n = int64(index.Count(groupindex.NewFilter(f, db.Fold)))
		s.db.AwaitNotified()
		return n, nil
	}
	err = s.db.ViewOne(ctx, func(tx *db.Tx) error {
		n, err = tx.CountGroups(storeKey, f)
		return err
	})
	return n, err
}

// GroupCondition returns an error if a group must not be changed as it is. UpdateGroup and
// DeleteGroup call it in their transaction and return its error.
type GroupCondition func(cohort.Group) error

// checkAll returns the first error of conditions.
func checkAll(conditions []GroupCondition, g cohort.Group) error {
	for _, c := range conditions {
		if err := c(g); err != nil {
			return err
		}
	}
	return nil
}

// UpdateGroup changes a group if all conditions hold, and returns the new state. An empty
// update changes nothing, not even the modification date. Errors are those of CreateGroup
// and of the conditions, and KindNotFound.
func (s *Service) UpdateGroup(ctx context.Context, storeKey string, id int64, u cohort.GroupUpdate, on ...GroupCondition) (cohort.Group, error) {
	if u.IsEmpty() {
		g, err := s.Group(ctx, storeKey, id)
		if err == nil {
			err = checkAll(on, g)
		}
		return g, err
	}
	// Only the references in the update are looked up.
	sent := cohort.GroupUpdate{CategoryAccess: u.CategoryAccess, DiscountRules: u.DiscountRules}.Apply(cohort.Group{})
	refs, err := s.lookUp(ctx, storeKey, sent.CategoryAccess, sent.DiscountRules)
	if err != nil {
		return cohort.Group{}, err
	}
	var after cohort.Group
	var pending *outbox.Pending
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if u.MovesFlag() {
			if err := tx.LockFlags(storeKey); err != nil {
				return err
			}
		}
		before, err := tx.GroupForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		if err := checkAll(on, before); err != nil {
			return err
		}
		after = u.Apply(before)
		if err := u.Validate(after); err != nil {
			return err
		}
		after.DateModified = laterOf(s.timestamp(storeKey), before.DateModified)
		if err := moveFlags(tx, storeKey, before, after); err != nil {
			return err
		}
		if err := refs.check(tx, storeKey, sent.DiscountRules); err != nil {
			return err
		}
		if err := syncAssignments(tx, storeKey, id, before.DiscountRules, after.DiscountRules); err != nil {
			return err
		}
		if err := tx.UpdateGroup(storeKey, before, after); err != nil {
			return err
		}
		if pending = nil; u.DiscountRules == nil {
			return nil
		}
		pending, err = s.putSitewide(ctx, tx, storeKey, before.DiscountRules, after)
		return err
	})
	if err != nil {
		return cohort.Group{}, err
	}
	return after, s.deliverSitewide(ctx, pending)
}

// DeleteGroup deletes a group if all conditions hold. It returns KindNotFound, or the error of a
// condition. Its id is not used again, and
// its members are in no group. If the group has many members, their rows are updated
// later: see SweepTombstones. The outbox sends the end of the sitewide discount to an
// external pricing system later, too.
func (s *Service) DeleteGroup(ctx context.Context, storeKey string, id int64, on ...GroupCondition) error {
	hold := func(tx *db.Tx) error {
		if len(on) == 0 {
			return nil
		}
		g, err := tx.GroupForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		return checkAll(on, g)
	}
	return s.deleteGroup(ctx, storeKey, id, hold, func(tx *db.Tx) (more bool, err error) {
		return tx.UnassignMembers(storeKey, id, memberBatch)
	})
}

// deleteGroup is DeleteGroup. In the transaction it calls hold first, and leave after the
// group is deleted: leave takes the members out of it, and reports whether it has left rows
// to SweepTombstones.
func (s *Service) deleteGroup(ctx context.Context, storeKey string, id int64, hold func(*db.Tx) error, leave func(*db.Tx) (more bool, err error)) error {
	var more, queued bool
	err := s.update(ctx, storeKey, func(tx *db.Tx) (err error) {
		if err := hold(tx); err != nil {
			return err
		}
		if queued, err = s.putSitewideRemoval(tx, storeKey, id); err != nil {
			return err
		}
		if err := tx.DeleteGroup(storeKey, id); err != nil {
			return err
		}
		if err := tx.DeleteAssignmentsOfGroup(storeKey, id); err != nil {
			return err
		}
		more, err = leave(tx)
		return err
	})
	if err != nil {
		return err
	}
	if more {
		signal(s.tombstones)
	}
	if queued {
		s.outbox.Wake()
	}
	return nil
}

// signal sends to a channel with a buffer of one, unless a signal is pending.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// takeFlags clears the flags of a new group on the groups that have them.
func takeFlags(tx *db.Tx, storeKey string, g cohort.Group) error {
	if !g.IsDefault && !g.IsGroupForGuests {
		return nil
	}
	if err := tx.LockFlags(storeKey); err != nil {
		return err
	}
	return moveFlags(tx, storeKey, cohort.Group{}, g)
}

// moveFlags clears the flags that a group gains on the groups that have them.
func moveFlags(tx *db.Tx, storeKey string, before, after cohort.Group) error {
	if after.IsDefault && !before.IsDefault {
		if err := tx.ClearDefaultGroup(storeKey, after.DateModified); err != nil {
			return err
		}
	}
	if after.IsGroupForGuests && !before.IsGroupForGuests {
		return tx.ClearGuestGroup(storeKey, after.DateModified)
	}
	return nil
}

// laterOf returns the later time. It keeps a modification date from going back with
// the clock.
func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
