package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// A group's price_list rule and the assignments of lists to the group are one
// fact. The assignments are the whole of it, and the rule shows the first of them.
// Whoever changes one changes the other in the same transaction, and holds the
// group meanwhile. Rows are locked in this order: flags, groups by id, lists by
// id, assignments.

// ReadAssignments hands on one page of the assignments that pass the filter, by id,
// and returns how many pass it, unless the page is named by its place.
func (s *Service) ReadAssignments(ctx context.Context, storeHash string, f cohort.AssignmentFilter, p cohort.Page, to Sink[cohort.PriceListAssignment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadAssignments(storeHash, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountAssignments(storeHash, f)
		return err
	})
	return total, err
}

// CreateAssignments assigns price lists, all of them or none. It returns ItemErrors
// if one names what there is not, a group that has discount rules, or a group and
// a channel that have a list already.
func (s *Service) CreateAssignments(ctx context.Context, storeHash string, list []cohort.PriceListAssignment) error {
	wrong := cohort.ItemErrors{}
	for i, a := range list {
		if err := a.Validate(); err != nil {
			wrong[i] = err
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return s.update(ctx, storeHash, func(tx *db.Tx) error {
		groups, err := lockGroups(tx, storeHash, groupIDs(list))
		if err != nil {
			return err
		}
		if err := checkAssignments(tx, storeHash, list, groups); err != nil {
			return err
		}
		for _, a := range list {
			if err := insertAssignment(tx, storeHash, a); err != nil {
				return err
			}
		}
		return s.showAssignments(tx, storeHash, groups)
	})
}

func checkAssignments(tx *db.Tx, storeHash string, list []cohort.PriceListAssignment, groups map[int64]cohort.Group) error {
	lists, err := holdLists(tx, storeHash, listIDs(list))
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	seen := map[cohort.PriceListAssignment]bool{}
	for i, a := range list {
		target := cohort.PriceListAssignment{GroupID: a.GroupID, ChannelID: a.ChannelID}
		_, taken, err := tx.Assignment(storeHash, a.GroupID, a.ChannelID)
		if err != nil {
			return err
		}
		group, known := groups[a.GroupID]
		switch {
		case !lists[a.PriceListID]:
			wrong[i] = unknownList(a.PriceListID)
		case a.GroupID != 0 && !known:
			wrong[i] = cohort.Invalid("customer_group_id", fmt.Sprintf("Customer group id %d does not exist.", a.GroupID))
		case hasDiscounts(group):
			wrong[i] = errHasDiscounts()
		case taken || seen[target]:
			wrong[i] = errTaken(a)
		}
		seen[target] = true
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// hasDiscounts reports whether a group has rules that are not a price list's.
func hasDiscounts(g cohort.Group) bool {
	return len(g.DiscountRules) > 0 && cohort.PriceListRule(g.DiscountRules) == 0
}

func errHasDiscounts() error {
	return cohort.Invalid("customer_group_id", "The customer group has discount rules. Delete them first.")
}

func errTaken(a cohort.PriceListAssignment) error {
	if a.GroupID == 0 {
		return cohort.Invalid("channel_id", "The channel has a price list already.")
	}
	return cohort.Invalid("customer_group_id", "The customer group has a price list in this channel already.")
}

// PutAssignment assigns a price list to a group in a channel, in place of the one
// that it had there, and returns the assignment. It returns KindNotFound if the
// list or the group does not exist, and KindInvalid if the group has discount
// rules.
func (s *Service) PutAssignment(ctx context.Context, storeHash string, a cohort.PriceListAssignment) (put cohort.PriceListAssignment, err error) {
	if err := a.Validate(); err != nil {
		return put, err
	}
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		g, err := tx.GroupForUpdate(storeHash, a.GroupID)
		if err != nil {
			return err
		}
		if has, err := tx.HasPriceList(storeHash, a.PriceListID); err != nil {
			return err
		} else if !has {
			return cohort.NotFound(fmt.Sprintf("price list %d", a.PriceListID))
		}
		if hasDiscounts(g) {
			return errHasDiscounts()
		}
		if put, err = putAssignment(tx, storeHash, a); err != nil {
			return err
		}
		return s.showAssignment(tx, storeHash, g)
	})
	return put, err
}

func putAssignment(tx *db.Tx, storeHash string, a cohort.PriceListAssignment) (cohort.PriceListAssignment, error) {
	before, there, err := tx.Assignment(storeHash, a.GroupID, a.ChannelID)
	if err != nil {
		return a, err
	}
	if there {
		a.ID = before.ID
		return a, tx.UpdateAssignment(storeHash, a.ID, a.PriceListID)
	}
	if a.ID, err = tx.NextAssignmentID(storeHash); err != nil {
		return a, err
	}
	return a, tx.InsertAssignment(storeHash, a)
}

func insertAssignment(tx *db.Tx, storeHash string, a cohort.PriceListAssignment) error {
	id, err := tx.NextAssignmentID(storeHash)
	if err != nil {
		return err
	}
	a.ID = id
	return tx.InsertAssignment(storeHash, a)
}

// DeleteAssignments deletes the assignments that pass the filter. It returns
// KindInvalid if that selects everything.
func (s *Service) DeleteAssignments(ctx context.Context, storeHash string, f cohort.AssignmentFilter) error {
	if f.IDs == nil && f.PriceListIDs == nil && f.GroupIDs == nil && f.ChannelIDs == nil {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every assignment would be deleted."}
	}
	return s.updateAssigned(ctx, storeHash, func(tx *db.Tx) error {
		groups, err := lockAssigned(tx, storeHash, f)
		if err != nil {
			return err
		}
		return s.deleteAssignments(tx, storeHash, f, groups)
	})
}

// deleteAssignments deletes what passes the filter, all of groups that are locked.
func (s *Service) deleteAssignments(tx *db.Tx, storeHash string, f cohort.AssignmentFilter, groups map[int64]cohort.Group) error {
	list, err := tx.AssignmentsForUpdate(storeHash, f)
	if err != nil {
		return err
	}
	ids := make([]int64, len(list))
	for i, a := range list {
		if _, locked := groups[a.GroupID]; !locked && a.GroupID != 0 {
			return errMoreGroups
		}
		ids[i] = a.ID
	}
	if err := tx.DeleteAssignments(storeHash, ids); err != nil {
		return err
	}
	return s.showAssignments(tx, storeHash, groups)
}

// errMoreGroups says that somebody has assigned a list to another group between
// the moment at which the groups were looked up and that at which they were
// locked. To lock that one too now could be to wait in a circle.
var errMoreGroups = errors.New("the assignments are not of the groups that are locked")

// maxLooks is how often updateAssigned looks.
const maxLooks = 20

// updateAssigned is update for what locks the groups of assignments: after
// errMoreGroups it looks again.
func (s *Service) updateAssigned(ctx context.Context, storeHash string, fn func(*db.Tx) error) error {
	for range maxLooks {
		if err := s.update(ctx, storeHash, fn); !errors.Is(err, errMoreGroups) {
			return err
		}
	}
	return &cohort.Error{Kind: cohort.KindUnavailable, Err: errMoreGroups}
}

// lockAssigned locks the groups whose assignments pass the filter.
func lockAssigned(tx *db.Tx, storeHash string, f cohort.AssignmentFilter) (map[int64]cohort.Group, error) {
	ids, err := tx.GroupsAssigned(storeHash, f)
	if err != nil {
		return nil, err
	}
	return lockGroups(tx, storeHash, ids)
}

// lockGroups locks groups by their ids and returns those that there are. Who moves
// a flag locks two groups in no order, so where there are several the flags come
// first.
func lockGroups(tx *db.Tx, storeHash string, ids []int64) (map[int64]cohort.Group, error) {
	if len(ids) > 1 {
		if err := tx.LockFlags(storeHash); err != nil {
			return nil, err
		}
	}
	list, err := tx.GroupsForUpdate(storeHash, ids)
	groups := make(map[int64]cohort.Group, len(list))
	for _, g := range list {
		groups[g.ID] = g
	}
	return groups, err
}

// holdLists keeps price lists from being deleted, and returns those that there are.
func holdLists(tx *db.Tx, storeHash string, ids []int64) (map[int64]bool, error) {
	lists := map[int64]bool{}
	for _, id := range ids {
		has, err := tx.HasPriceList(storeHash, id)
		if err != nil {
			return nil, err
		}
		lists[id] = has
	}
	return lists, nil
}

// showAssignments is showAssignment for several groups.
func (s *Service) showAssignments(tx *db.Tx, storeHash string, groups map[int64]cohort.Group) error {
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if err := s.showAssignment(tx, storeHash, groups[id]); err != nil {
			return err
		}
	}
	return nil
}

// showAssignment brings the rule of a group, which is locked, in line with its
// assignments. The group is only modified if that makes a difference.
func (s *Service) showAssignment(tx *db.Tx, storeHash string, g cohort.Group) error {
	first, _, err := tx.FirstAssignment(storeHash, g.ID)
	if err != nil || first.PriceListID == cohort.PriceListRule(g.DiscountRules) {
		return err
	}
	g.DiscountRules = nil
	if first.PriceListID != 0 {
		g.DiscountRules = []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: first.PriceListID}}
	}
	g.DateModified = laterOf(s.timestamp(), g.DateModified)
	return tx.UpdateGroup(storeHash, g)
}

// followRule brings the assignments of a group in line with its rules, which are
// about to change and of which one may be a price list's. The group is locked, or
// not there yet.
func followRule(tx *db.Tx, storeHash string, groupID int64, before, after []cohort.DiscountRule) error {
	from, to := cohort.PriceListRule(before), cohort.PriceListRule(after)
	if from == to {
		return nil
	}
	if from != 0 {
		if err := tx.DeleteAssignmentsOfGroup(storeHash, groupID); err != nil {
			return err
		}
	}
	if to == 0 {
		return nil
	}
	return insertAssignment(tx, storeHash, cohort.PriceListAssignment{PriceListID: to, GroupID: groupID})
}

// groupIDs returns the groups of assignments, ascending and without repeats.
func groupIDs(list []cohort.PriceListAssignment) []int64 {
	ids := map[int64]bool{}
	for _, a := range list {
		if a.GroupID != 0 {
			ids[a.GroupID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// listIDs returns the lists of assignments, ascending and without repeats.
func listIDs(list []cohort.PriceListAssignment) []int64 {
	ids := map[int64]bool{}
	for _, a := range list {
		ids[a.PriceListID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}
