package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ClonedGroup is a copy of a group with the price lists of its members.
type ClonedGroup struct {
	cohort.Group // without an id and dates in a dry run
	// Assignments are those of the group, by id, without ids in a dry run.
	Assignments []cohort.PriceListAssignment
}

// CloneGroup adds a group with the category access, the discount rules and the price list
// assignments of another one, and returns it. The new group has no members, and is neither
// the default group nor that for guests. Another pricing system learns of its sitewide
// discount later, from the outbox. A dry run returns what the clone would be.
//
// It returns KindNotFound if the group does not exist, and KindInvalid if the name breaks a
// rule or is taken.
func (s *Service) CloneGroup(ctx context.Context, storeKey string, id int64, name string, dryRun bool) (clone ClonedGroup, err error) {
	if dryRun {
		err = s.db.View(ctx, func(tx *db.Tx) error {
			if clone, err = cloneOf(tx, storeKey, id, name, tx.Group); err != nil {
				return err
			}
			taken, err := tx.HasGroupNamed(storeKey, clone.Name)
			if err == nil && taken {
				return errNameTaken
			}
			return err
		})
		return clone, err
	}
	var queued bool
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if clone, err = cloneOf(tx, storeKey, id, name, tx.GroupForUpdate); err != nil {
			return err
		}
		clone.DateCreated = s.timestamp(storeKey)
		clone.DateModified = clone.DateCreated
		if err := clone.insert(tx, storeKey); err != nil {
			return err
		}
		queued, err = s.queueSitewide(tx, storeKey, clone.Group)
		return err
	})
	if err != nil {
		return ClonedGroup{}, err
	}
	if queued {
		s.outbox.Wake()
	}
	return clone, nil
}

// errNameTaken is the error of the unique index on names.
var errNameTaken = cohort.Invalid("name", "Another customer group has this name.")

// cloneOf returns the clone of a group, which read reads. If read locks the group, its
// assignments cannot change before the transaction ends.
func cloneOf(tx *db.Tx, storeKey string, id int64, name string, read func(string, int64) (cohort.Group, error)) (clone ClonedGroup, err error) {
	from, err := read(storeKey, id)
	if err != nil {
		return clone, err
	}
	clone.Group = cohort.GroupUpdate{Name: &name}.Apply(cohort.Group{CategoryAccess: from.CategoryAccess, DiscountRules: from.DiscountRules})
	if err := (cohort.GroupUpdate{Name: &name}).Validate(clone.Group); err != nil {
		return clone, err
	}
	clone.Assignments, err = tx.AssignmentsOfGroup(storeKey, id)
	for i := range clone.Assignments {
		a := &clone.Assignments[i]
		a.ID, a.GroupID = 0, 0
	}
	return clone, err
}

// insert adds the clone. The lists and channels of the assignments need no lock: a
// transaction that deletes one locks the groups with assignments of it, so also the group
// that is cloned.
func (c *ClonedGroup) insert(tx *db.Tx, storeKey string) (err error) {
	if c.Group, err = tx.CreateGroup(storeKey, c.Group); err != nil || len(c.Assignments) == 0 {
		return err
	}
	first, err := tx.ReserveIDs(storeKey, "price_list_assignment", 0, int64(len(c.Assignments)))
	if err != nil {
		return err
	}
	for i := range c.Assignments {
		a := &c.Assignments[i]
		a.ID, a.GroupID = first+int64(i), c.ID
		if err := tx.InsertAssignment(storeKey, *a); err != nil {
			return err
		}
	}
	return nil
}

// queueSitewide puts the sitewide discount of a new group into the outbox, if another
// pricing system has to learn of it. It reports whether workers have a message to deliver.
func (s *Service) queueSitewide(tx *db.Tx, storeKey string, g cohort.Group) (queued bool, err error) {
	rule, has := cohort.SitewideRule(g.DiscountRules)
	if s.pusher == nil || !has {
		return false, nil
	}
	m, err := sitewideMessage(storeKey, g.ID, &rule)
	if err != nil {
		return false, err
	}
	return true, s.outbox.Put(tx, m)
}
