package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MemberMove moves customers to a group. One of IDs, Emails and Filter says which.
type MemberMove struct {
	IDs    []int64  // at most MaxBulkMembers
	Emails []string // at most MaxBulkMembers, compared without regard to case
	// Filter selects customers that are not in the group yet.
	Filter *cohort.CustomerFilter

	GroupID int64 // 0: they leave their groups
	// SkipUnknown moves the others if some of IDs or Emails are those of no customer.
	SkipUnknown bool
	Confirmation
}

// MovedMembers is the result of a MemberMove.
type MovedMembers struct {
	AffectedMembers
	Unchanged int64    // how many customers of IDs or Emails are in the group already
	Unknown   int64    // how many of IDs or Emails are those of no customer
	IDs       []int64  // the first MaxBulkSample unknown ids, ascending
	Emails    []string // the first MaxBulkSample unknown emails, in the order of the request
}

// MoveMembers moves customers to a group in one transaction, all or none. Each is changed
// as by UpdateCustomers; those in the group already are not changed at all. A dry run
// returns what the move would do.
//
// It returns KindInvalid if the group does not exist, if there are more customers than
// MaxBulkMembers, and for unknown ids and emails unless they are skipped or it is a dry
// run. It returns KindConflict if the customers to move are not as many as expected.
func (s *Service) MoveMembers(ctx context.Context, storeKey string, m MemberMove) (moved MovedMembers, err error) {
	if err := m.validate(); err != nil {
		return moved, err
	}
	var passing []int64
	if m.Filter != nil {
		if passing, err = s.customersPassing(ctx, storeKey, &m); err != nil {
			return moved, err
		}
	}
	if m.DryRun {
		err = s.db.View(ctx, func(tx *db.Tx) error {
			if err := hasGroup(tx, storeKey, m.GroupID, "customer_group_id"); err != nil {
				return err
			}
			moved, _, err = m.find(tx, storeKey, passing, tx.Members)
			return err
		})
		return moved, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := holdGroup(tx, storeKey, m.GroupID, "customer_group_id"); err != nil {
			return err
		}
		var moving []cohort.Customer
		if moved, moving, err = m.find(tx, storeKey, passing, tx.MembersForUpdate); err != nil {
			return err
		}
		if err := m.allow(moved); err != nil {
			return err
		}
		return tx.MoveMembers(storeKey, moving, m.GroupID, s.timestamp(storeKey))
	})
	return moved, err
}

func (m *MemberMove) validate() error {
	given := 0
	for _, is := range []bool{m.IDs != nil, m.Emails != nil, m.Filter != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "Exactly one of customer_ids, emails and filter is required."}
	case m.IDs != nil:
		if err := checkBulkLength("customer_ids", len(m.IDs)); err != nil {
			return err
		}
	case m.Emails != nil:
		if err := checkBulkLength("emails", len(m.Emails)); err != nil {
			return err
		}
	case m.Filter.IsEmpty():
		return cohort.Invalid("filter", "The filter must say which customers to move. Without one, all of the store would move.")
	}
	return m.Confirmation.validate()
}

func checkBulkLength(field string, n int) error {
	switch {
	case n == 0:
		return cohort.Invalid(field, "The list must not be empty.")
	case n > MaxBulkMembers:
		return tooManyMembers(field)
	}
	return nil
}

func tooManyMembers(field string) error {
	return cohort.Invalid(field, fmt.Sprintf("A request moves at most %d customers. Split it into several.", MaxBulkMembers))
}

// customersPassing returns the ids of the customers that pass the filter of a move and are
// not in the group. It runs before the transaction of the move, which would keep other
// writers waiting while it compares all customers of a store. That transaction compares
// these customers again.
func (s *Service) customersPassing(ctx context.Context, storeKey string, m *MemberMove) (ids []int64, err error) {
	f := *m.Filter
	f.NotInGroupID = &m.GroupID
	m.Filter = &f
	if f.Scans() {
		done, err := s.awaitScan(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		ids, err = tx.CustomerIDs(storeKey, f, MaxBulkMembers+1)
		return err
	})
	if err == nil && len(ids) > MaxBulkMembers {
		err = tooManyMembers("filter")
	}
	slices.Sort(ids)
	return ids, err
}

// find finds the customers of a move, and which of them are moving. passing are those
// that passed the filter; read is Members or MembersForUpdate of the transaction.
func (m *MemberMove) find(tx *db.Tx, storeKey string, passing []int64, read func(string, []int64, cohort.CustomerFilter) ([]cohort.Customer, error)) (moved MovedMembers, moving []cohort.Customer, err error) {
	var f cohort.CustomerFilter
	ids := passing
	switch {
	case m.Filter != nil:
		f = *m.Filter
	case m.IDs != nil:
		ids = slices.Compact(slices.Sorted(slices.Values(m.IDs)))
	default:
		owners, err := tx.CustomerIDsByManyEmails(storeKey, m.Emails)
		if err != nil {
			return moved, nil, err
		}
		ids = slices.Sorted(slices.Values(owners))
	}
	members, err := read(storeKey, ids, f)
	if err != nil {
		return moved, nil, err
	}
	switch {
	case m.IDs != nil:
		moved.noteUnknownIDs(ids, members)
	case m.Emails != nil:
		members = moved.noteUnknownEmails(m.Emails, members)
	}
	found := len(members)
	moving = slices.DeleteFunc(members, func(c cohort.Customer) bool { return c.GroupID == m.GroupID })
	moved.AffectedMembers, moved.Unchanged = affected(moving), int64(found-len(moving))
	return moved, moving, nil
}

// noteUnknownIDs notes which of the ids, in ascending order, no customer has.
func (m *MovedMembers) noteUnknownIDs(ids []int64, found []cohort.Customer) {
	next := 0
	for _, id := range ids {
		if next < len(found) && found[next].ID == id {
			next++
			continue
		}
		if m.Unknown++; len(m.IDs) < MaxBulkSample {
			m.IDs = append(m.IDs, id)
		}
	}
}

// noteUnknownEmails notes which of the emails no customer has, and returns the customers
// that have one: a customer may have got another email after it was looked up.
func (m *MovedMembers) noteUnknownEmails(emails []string, found []cohort.Customer) []cohort.Customer {
	const wanted, has = 1, 2
	states := make(map[string]int, len(emails))
	for _, e := range emails {
		states[db.Fold(e)] = wanted
	}
	found = slices.DeleteFunc(found, func(c cohort.Customer) bool {
		folded := db.Fold(c.Email)
		if states[folded] == 0 {
			return true
		}
		states[folded] = has
		return false
	})
	for _, e := range emails {
		folded := db.Fold(e)
		if states[folded] == has {
			continue
		}
		states[folded] = has // counts once
		if m.Unknown++; len(m.Emails) < MaxBulkSample {
			m.Emails = append(m.Emails, e)
		}
	}
	return found
}

// allow returns an error if the move must not be done.
func (m *MemberMove) allow(moved MovedMembers) error {
	if moved.Unknown > 0 && !m.SkipUnknown {
		return moved.errUnknown()
	}
	return m.check(moved.Count)
}

// errUnknown names the first of the unknown ids or emails.
func (m *MovedMembers) errUnknown() error {
	field, names := "emails", m.Emails
	for _, id := range m.IDs {
		field, names = "customer_ids", append(names, fmt.Sprint(id))
	}
	list := strings.Join(names, ", ")
	if m.Unknown > int64(len(names)) {
		list += " and others"
	}
	return cohort.Invalid(field, fmt.Sprintf("Not found: %d of the customers: %s. Send skip_unknown to move the others.", m.Unknown, list))
}

// hasGroup returns KindInvalid for the field if the group does not exist. Group 0 always
// does.
func hasGroup(tx *db.Tx, storeKey string, id int64, field string) error {
	if id == 0 {
		return nil
	}
	_, err := tx.Group(storeKey, id)
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Kind == cohort.KindNotFound {
		return cohort.Invalid(field, errUnknownGroup.Reason)
	}
	return err
}

// holdGroup is hasGroup, and keeps the group from being deleted until the transaction ends.
func holdGroup(tx *db.Tx, storeKey string, id int64, field string) error {
	if id == 0 {
		return nil
	}
	found, err := tx.HasGroup(storeKey, id)
	if err == nil && !found {
		return cohort.Invalid(field, errUnknownGroup.Reason)
	}
	return err
}
