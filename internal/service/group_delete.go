package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// GroupDeletion says what happens to the members of a group that is deleted.
type GroupDeletion struct {
	// ReassignTo is the group that the members move to, or 0 for none. Nil means that the
	// group must have no members.
	ReassignTo *int64
	// Confirmation may be without an expected number if ReassignTo is nil.
	Confirmation
}

// DeleteGroupSafely is DeleteGroup, with a decision about the members. It moves them to
// another group in the same transaction, as MoveMembers does. A dry run returns them and
// changes nothing, also where the deletion would be refused for having members.
//
// It returns KindNotFound if the group does not exist, KindInvalid if ReassignTo is the
// group itself or does not exist, or if more than MaxBulkMembers would move to it, and
// KindConflict if the group has members and ReassignTo is nil, or if there are not as many
// as expected. There is no maximum for members that get no group.
func (s *Service) DeleteGroupSafely(ctx context.Context, storeKey string, id int64, d GroupDeletion) (members AffectedMembers, err error) {
	if err := d.validate(id); err != nil {
		return members, err
	}
	if d.DryRun {
		err = s.db.View(ctx, func(tx *db.Tx) error {
			members, err = d.preview(tx, storeKey, id)
			return err
		})
		return members, err
	}
	hold := func(tx *db.Tx) error { return d.hold(tx, storeKey, id) }
	err = s.deleteGroup(ctx, storeKey, id, hold, func(tx *db.Tx) (more bool, err error) {
		if d.moves() {
			members, err = s.reassign(tx, storeKey, id, d)
		} else {
			members, err = d.release(tx, storeKey, id)
		}
		if err != nil {
			return false, err
		}
		return tx.UnassignMembers(storeKey, id, memberBatch)
	})
	return members, err
}

// moves reports whether the members move to another group.
func (d GroupDeletion) moves() bool { return d.ReassignTo != nil && *d.ReassignTo != 0 }

func (d GroupDeletion) validate(id int64) error {
	if d.ReassignTo != nil {
		if *d.ReassignTo == id {
			return cohort.Invalid("reassign_to", "The group is the one to delete.")
		}
		return d.Confirmation.validate()
	}
	if d.Expected == nil {
		d.Expected = new(int64(0))
	}
	return d.Confirmation.validate()
}

// preview returns the members of the group, without a lock.
func (d GroupDeletion) preview(tx *db.Tx, storeKey string, id int64) (members AffectedMembers, err error) {
	if _, err := tx.Group(storeKey, id); err != nil {
		return members, err
	}
	if d.moves() {
		if err := hasGroup(tx, storeKey, *d.ReassignTo, "reassign_to"); err != nil {
			return members, err
		}
	}
	if members, err = countMembers(tx, storeKey, id); err != nil {
		return members, err
	}
	if d.moves() && members.Count > MaxBulkMembers {
		return AffectedMembers{}, errTooManyToReassign
	}
	return members, nil
}

var errTooManyToReassign = cohort.Invalid("reassign_to", fmt.Sprintf("The group has more than %d members. Move some of them first.", MaxBulkMembers))

// hold locks the group, and the one that the members move to, in the order of their ids: two
// deletions may each reassign to the group of the other.
func (d GroupDeletion) hold(tx *db.Tx, storeKey string, id int64) error {
	var to int64
	if d.ReassignTo != nil {
		to = *d.ReassignTo
	}
	if to < id {
		if err := holdGroup(tx, storeKey, to, "reassign_to"); err != nil {
			return unlessMissing(tx, storeKey, id, err)
		}
	}
	if _, err := tx.GroupForDelete(storeKey, id); err != nil {
		return err
	}
	if to > id {
		return holdGroup(tx, storeKey, to, "reassign_to")
	}
	return nil
}

// unlessMissing returns KindNotFound if the group does not exist, otherwise err.
func unlessMissing(tx *db.Tx, storeKey string, id int64, err error) error {
	if _, missing := tx.Group(storeKey, id); missing != nil {
		return missing
	}
	return err
}

// reassign moves all members of a group that this transaction deletes.
func (s *Service) reassign(tx *db.Tx, storeKey string, id int64, d GroupDeletion) (members AffectedMembers, err error) {
	moving, err := tx.MembersOfGroupForUpdate(storeKey, id, MaxBulkMembers+1)
	if err != nil {
		return members, err
	}
	if len(moving) > MaxBulkMembers {
		return members, errTooManyToReassign
	}
	members = affected(moving)
	if err := d.check(members.Count); err != nil {
		return members, err
	}
	return members, tx.MoveMembers(storeKey, moving, *d.ReassignTo, s.timestamp(storeKey))
}

// release checks that the members of a group that this transaction deletes may be left
// without a group.
func (d GroupDeletion) release(tx *db.Tx, storeKey string, id int64) (members AffectedMembers, err error) {
	if members, err = countMembers(tx, storeKey, id); err != nil {
		return members, err
	}
	if d.ReassignTo == nil && members.Count > 0 {
		return members, conflict("reassign_to", fmt.Sprintf("The group has %d members. Say to which group they move; 0 is none.", members.Count))
	}
	return members, d.check(members.Count)
}

// countMembers returns the members of a group.
func countMembers(tx *db.Tx, storeKey string, id int64) (members AffectedMembers, err error) {
	if members.Count, err = tx.MemberCount(storeKey, id); err != nil {
		return members, err
	}
	members.Sample, err = tx.MembersOfGroup(storeKey, id, MaxBulkSample)
	return members, err
}
