package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
	"cohort.example/cohort/internal/outbox"
)

// CreateGroup adds a group to a store and returns it as it is kept, with its
// id and dates. A flag that it has moves away from the group that had it.
//
// It returns KindInvalid if a rule of groups is broken, or if the store's catalog
// is managed and has not what the group names. With KindPartial the group is
// stored and returned, but its sitewide discount is not in effect.
func (s *Service) CreateGroup(ctx context.Context, storeHash string, g cohort.Group) (cohort.Group, error) {
	g = g.Normalized()
	if err := g.Validate(); err != nil {
		return cohort.Group{}, err
	}
	named, err := s.lookUp(ctx, storeHash, g.CategoryAccess, g.DiscountRules)
	if err != nil {
		return cohort.Group{}, err
	}
	var pending *outbox.Pending
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		g.DateCreated = s.timestamp()
		g.DateModified = g.DateCreated
		if err := takeFlags(tx, storeHash, g); err != nil {
			return err
		}
		if err := named.check(tx, storeHash, g.DiscountRules); err != nil {
			return err
		}
		id, err := tx.NextGroupID(storeHash)
		if err != nil {
			return err
		}
		g.ID = id
		if err := tx.InsertGroup(storeHash, g); err != nil {
			return err
		}
		if err := followRule(tx, storeHash, id, nil, g.DiscountRules); err != nil {
			return err
		}
		pending, err = s.putSitewide(tx, storeHash, nil, g)
		return err
	})
	if err != nil {
		return cohort.Group{}, err
	}
	return g, s.deliverSitewide(ctx, pending)
}

// Group returns a group, or KindNotFound.
func (s *Service) Group(ctx context.Context, storeHash string, id int64) (g cohort.Group, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		g, err = tx.Group(storeHash, id)
		return err
	})
	return g, err
}

// ReadGroups hands on one page of the groups that pass the filter, by id.
func (s *Service) ReadGroups(ctx context.Context, storeHash string, f cohort.GroupFilter, p cohort.Page, to Sink[cohort.Group]) error {
	if r := s.indexFor(storeHash, f, p.Offset()); r != nil {
		if ok, err := s.readWith(ctx, r, storeHash, f, p, to); ok {
			return err
		}
	}
	return view(ctx, s, to, func(tx *db.Tx) error { return tx.ReadGroups(storeHash, f, p, to.Add) })
}

// ListGroups returns what ReadGroups hands on.
func (s *Service) ListGroups(ctx context.Context, storeHash string, f cohort.GroupFilter, p cohort.Page) ([]cohort.Group, error) {
	var list kept[cohort.Group]
	err := s.ReadGroups(ctx, storeHash, f, p, &list)
	return list.rows, err
}

// CountGroups returns how many groups pass the filter.
func (s *Service) CountGroups(ctx context.Context, storeHash string, f cohort.GroupFilter) (n int64, err error) {
	if r := s.indexFor(storeHash, f, shallow); r != nil {
		n = int64(r.Count(groupindex.NewFilter(f, db.Fold)))
		s.db.AwaitNotified()
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
	// What is not sent is not looked up again.
	sent := cohort.GroupUpdate{CategoryAccess: u.CategoryAccess, DiscountRules: u.DiscountRules}.Apply(cohort.Group{})
	named, err := s.lookUp(ctx, storeHash, sent.CategoryAccess, sent.DiscountRules)
	if err != nil {
		return cohort.Group{}, err
	}
	var after cohort.Group
	var pending *outbox.Pending
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		if u.MovesFlag() {
			if err := tx.LockFlags(storeHash); err != nil {
				return err
			}
		}
		before, err := tx.GroupForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := u.Validate(after); err != nil {
			return err
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		if err := moveFlags(tx, storeHash, before, after); err != nil {
			return err
		}
		if err := named.check(tx, storeHash, sent.DiscountRules); err != nil {
			return err
		}
		if err := followRule(tx, storeHash, id, before.DiscountRules, after.DiscountRules); err != nil {
			return err
		}
		if err := tx.UpdateGroup(storeHash, after); err != nil {
			return err
		}
		if pending = nil; u.DiscountRules == nil {
			return nil
		}
		pending, err = s.putSitewide(tx, storeHash, before.DiscountRules, after)
		return err
	})
	if err != nil {
		return cohort.Group{}, err
	}
	return after, s.deliverSitewide(ctx, pending)
}

// DeleteGroup deletes a group, or returns KindNotFound. Its id is not given
// out again, and from then on its members are in no group. The rows of most of
// a large group's members are written later; see SweepTombstones. A worker of the
// outbox sends the removal of the sitewide discount to another pricing system later.
func (s *Service) DeleteGroup(ctx context.Context, storeHash string, id int64) error {
	var more, queued bool
	err := s.update(ctx, storeHash, func(tx *db.Tx) (err error) {
		if queued, err = s.putSitewideRemoval(tx, storeHash, id); err != nil {
			return err
		}
		if err := tx.DeleteGroup(storeHash, id); err != nil {
			return err
		}
		if err := tx.DeleteAssignmentsOfGroup(storeHash, id); err != nil {
			return err
		}
		more, err = tx.UnassignMembers(storeHash, id, memberSlice)
		return err
	})
	if err != nil {
		return err
	}
	if more {
		signal(s.departures)
	}
	if queued {
		s.outbox.Wake()
	}
	return nil
}

// signal wakes up whoever waits for the channel, or will. It has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // signalled already
	}
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

// laterOf keeps a modification date from going back when the clock does.
func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
