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

// A group's price_list rule and the assignments of price lists to the group store
// the same fact. The assignments are the source; the rule shows the first of them. A
// transaction that changes one changes the other, and locks the group. Rows are
// locked in this order: flags, groups by id, lists by id, channels by id, assignments.

// ReadAssignments sends one page of the assignments that pass the filter, by id, to a
// sink. It returns the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadAssignments(ctx context.Context, storeKey string, f cohort.AssignmentFilter, p cohort.Page, to Sink[cohort.PriceListAssignment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadAssignments(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountAssignments(storeKey, f)
		return err
	})
	return total, err
}

// CreateAssignments adds all assignments or none. It returns ItemErrors if one names
// a list or group that does not exist, a group that has discount rules, or a group
// and channel that already have a list.
func (s *Service) CreateAssignments(ctx context.Context, storeKey string, list []cohort.PriceListAssignment) error {
	wrong := cohort.ItemErrors{}
	for i, a := range list {
		if err := a.Validate(); err != nil {
			wrong[i] = err
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		groups, err := lockGroups(tx, storeKey, groupIDs(list))
		if err != nil {
			return err
		}
		if err := checkAssignments(tx, storeKey, list, groups); err != nil {
			return err
		}
		for _, a := range list {
			if _, err := tx.CreateAssignment(storeKey, a); err != nil {
				return err
			}
		}
		return s.syncRules(tx, storeKey, groups)
	})
}

func checkAssignments(tx *db.Tx, storeKey string, list []cohort.PriceListAssignment, groups map[int64]cohort.Group) error {
	lists, err := holdLists(tx, storeKey, listIDs(list))
	if err != nil {
		return err
	}
	channels, err := holdChannels(tx, storeKey, channelIDs(list))
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	seen := map[cohort.PriceListAssignment]bool{}
	for i, a := range list {
		target := cohort.PriceListAssignment{GroupID: a.GroupID, ChannelID: a.ChannelID}
		_, taken, err := tx.Assignment(storeKey, a.GroupID, a.ChannelID)
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
		case a.ChannelID != 0 && !channels(a.ChannelID):
			wrong[i] = unknownChannel(a.ChannelID)
		case taken || seen[target]:
			wrong[i] = errTaken(a)
		}
		seen[target] = true
	}
	return wrong.Err()
}

// hasDiscounts reports whether a group has rules other than a price_list rule.
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

// PutAssignment assigns a price list to a group in a channel, replacing the previous
// one, and returns the assignment. It returns KindNotFound if the list or the group
// does not exist, and KindInvalid if the group has discount rules.
func (s *Service) PutAssignment(ctx context.Context, storeKey string, a cohort.PriceListAssignment) (put cohort.PriceListAssignment, err error) {
	if err := a.Validate(); err != nil {
		return put, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		g, err := tx.GroupForUpdate(storeKey, a.GroupID)
		if err != nil {
			return err
		}
		if has, err := tx.HasPriceList(storeKey, a.PriceListID); err != nil {
			return err
		} else if !has {
			return cohort.NotFound(fmt.Sprintf("price list %d", a.PriceListID))
		}
		if hasDiscounts(g) {
			return errHasDiscounts()
		}
		if channels, err := holdChannels(tx, storeKey, channelIDs([]cohort.PriceListAssignment{a})); err != nil {
			return err
		} else if a.ChannelID != 0 && !channels(a.ChannelID) {
			return unknownChannel(a.ChannelID)
		}
		if put, err = putAssignment(tx, storeKey, a); err != nil {
			return err
		}
		return s.syncRule(tx, storeKey, g)
	})
	return put, err
}

func putAssignment(tx *db.Tx, storeKey string, a cohort.PriceListAssignment) (cohort.PriceListAssignment, error) {
	before, found, err := tx.Assignment(storeKey, a.GroupID, a.ChannelID)
	if err != nil {
		return a, err
	}
	if found {
		a.ID = before.ID
		return a, tx.UpdateAssignment(storeKey, before, a.PriceListID)
	}
	return tx.CreateAssignment(storeKey, a)
}

// DeleteAssignments deletes the assignments that pass the filter. It returns
// KindInvalid for an empty filter.
func (s *Service) DeleteAssignments(ctx context.Context, storeKey string, f cohort.AssignmentFilter) error {
	if f.IDs == nil && f.PriceListIDs == nil && f.GroupIDs == nil && f.ChannelIDs == nil {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every assignment would be deleted."}
	}
	return s.updateAssigned(ctx, storeKey, func(tx *db.Tx) error {
		groups, err := lockAssigned(tx, storeKey, f)
		if err != nil {
			return err
		}
		return s.deleteAssignments(tx, storeKey, f, groups)
	})
}

// deleteAssignments deletes the assignments that pass the filter. It returns
// errMoreGroups if one belongs to a group that is not locked.
func (s *Service) deleteAssignments(tx *db.Tx, storeKey string, f cohort.AssignmentFilter, groups map[int64]cohort.Group) error {
	list, err := tx.AssignmentsForUpdate(storeKey, f)
	if err != nil {
		return err
	}
	for _, a := range list {
		if _, locked := groups[a.GroupID]; !locked && a.GroupID != 0 {
			return errMoreGroups
		}
	}
	if err := tx.DeleteAssignments(storeKey, list); err != nil {
		return err
	}
	return s.syncRules(tx, storeKey, groups)
}

// errMoreGroups is returned when another transaction assigned a list to a further
// group after the groups were looked up and before they were locked. Locking that
// group too would break the lock order and could deadlock.
var errMoreGroups = errors.New("an assignment belongs to a group that is not locked")

// maxAssignedAttempts bounds the attempts of updateAssigned.
const maxAssignedAttempts = 20

// updateAssigned is update for a function that locks the groups of assignments. It
// tries again after errMoreGroups.
func (s *Service) updateAssigned(ctx context.Context, storeKey string, fn func(*db.Tx) error) error {
	for range maxAssignedAttempts {
		if err := s.update(ctx, storeKey, fn); !errors.Is(err, errMoreGroups) {
			return err
		}
	}
	return &cohort.Error{Kind: cohort.KindUnavailable, Err: errMoreGroups}
}

// lockAssigned locks the groups whose assignments pass the filter.
func lockAssigned(tx *db.Tx, storeKey string, f cohort.AssignmentFilter) (map[int64]cohort.Group, error) {
	ids, err := tx.GroupsAssigned(storeKey, f)
	if err != nil {
		return nil, err
	}
	return lockGroups(tx, storeKey, ids)
}

// lockGroups locks groups in the order of their ids and returns those that exist. A
// transaction that moves a flag locks two groups in no fixed order, so for several
// groups lockGroups locks the flags first.
func lockGroups(tx *db.Tx, storeKey string, ids []int64) (map[int64]cohort.Group, error) {
	if len(ids) > 1 {
		if err := tx.LockFlags(storeKey); err != nil {
			return nil, err
		}
	}
	list, err := tx.GroupsForUpdate(storeKey, ids)
	groups := make(map[int64]cohort.Group, len(list))
	for _, g := range list {
		groups[g.ID] = g
	}
	return groups, err
}

// holdLists keeps price lists from being deleted until the transaction ends. It
// reports for each whether it exists.
func holdLists(tx *db.Tx, storeKey string, ids []int64) (map[int64]bool, error) {
	lists := map[int64]bool{}
	for _, id := range ids {
		has, err := tx.HasPriceList(storeKey, id)
		if err != nil {
			return nil, err
		}
		lists[id] = has
	}
	return lists, nil
}

// syncRules is syncRule for several groups.
func (s *Service) syncRules(tx *db.Tx, storeKey string, groups map[int64]cohort.Group) error {
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if err := s.syncRule(tx, storeKey, groups[id]); err != nil {
			return err
		}
	}
	return nil
}

// syncRule sets the price_list rule of a locked group from its assignments. It writes
// the group only if the rule changes.
func (s *Service) syncRule(tx *db.Tx, storeKey string, g cohort.Group) error {
	first, _, err := tx.FirstAssignment(storeKey, g.ID)
	if err != nil || first.PriceListID == cohort.PriceListRule(g.DiscountRules) {
		return err
	}
	before := g
	g.DiscountRules = nil
	if first.PriceListID != 0 {
		g.DiscountRules = []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: first.PriceListID}}
	}
	g.DateModified = laterOf(s.timestamp(storeKey), g.DateModified)
	return tx.UpdateGroup(storeKey, before, g)
}

// syncAssignments sets the assignments of a group from its rules, which are about to
// change. The group is locked or not inserted yet.
func syncAssignments(tx *db.Tx, storeKey string, groupID int64, before, after []cohort.DiscountRule) error {
	from, to := cohort.PriceListRule(before), cohort.PriceListRule(after)
	if from == to {
		return nil
	}
	if from != 0 {
		if err := tx.DeleteAssignmentsOfGroup(storeKey, groupID); err != nil {
			return err
		}
	}
	if to == 0 {
		return nil
	}
	_, err := tx.CreateAssignment(storeKey, cohort.PriceListAssignment{PriceListID: to, GroupID: groupID})
	return err
}

// groupIDs returns the distinct groups of assignments, ascending.
func groupIDs(list []cohort.PriceListAssignment) []int64 {
	ids := map[int64]bool{}
	for _, a := range list {
		if a.GroupID != 0 {
			ids[a.GroupID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// channelIDs returns the distinct channels of assignments, ascending.
func channelIDs(list []cohort.PriceListAssignment) []int64 {
	ids := map[int64]bool{}
	for _, a := range list {
		if a.ChannelID != 0 {
			ids[a.ChannelID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// listIDs returns the distinct price lists of assignments, ascending.
func listIDs(list []cohort.PriceListAssignment) []int64 {
	ids := map[int64]bool{}
	for _, a := range list {
		ids[a.PriceListID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}
