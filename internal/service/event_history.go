package service

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// History returns up to limit events of a group or a customer that pass a filter, in the
// order of their numbers, and since when the events of the store are complete. It returns
// KindNotFound if the subject neither exists nor has events, and KindInvalid if the store
// records none.
func (s *Service) History(ctx context.Context, storeKey string, of cohort.EventSubject, f cohort.EventFilter, limit int) (page cohort.EventPage, since time.Time, err error) {
	if err := checkLimit(limit, MaxEvents); err != nil {
		return page, since, err
	}
	err = s.viewHistory(ctx, storeKey, func(tx *db.Tx, complete time.Time) (err error) {
		since = complete
		if page, err = tx.ListEventsOf(storeKey, of, f, limit); err != nil || len(page.Events) > 0 {
			return err
		}
		known, err := tx.HasEvents(storeKey, of)
		if err != nil || known {
			return err
		}
		if of.GroupID != 0 {
			_, err = tx.Group(storeKey, of.GroupID)
			return err
		}
		_, err = tx.Customer(storeKey, of.CustomerID)
		return err
	})
	return page, since, err
}

// GroupAsOf returns a group as it was at a time of the clock of the store. It returns
// KindNotFound if it did not exist then, and KindInvalid for a time that the events do not
// reach.
func (s *Service) GroupAsOf(ctx context.Context, storeKey string, id int64, at time.Time) (g cohort.GroupAsOf, err error) {
	err = s.viewHistory(ctx, storeKey, func(tx *db.Tx, since time.Time) error {
		if err := s.checkReach(storeKey, at, since); err != nil {
			return err
		}
		g, err = tx.GroupAsOf(storeKey, id, at)
		g.Since = since
		return err
	})
	return g, err
}

// Membership returns in which group a customer was at a time, and with which event that
// began. The errors are those of GroupAsOf.
func (s *Service) Membership(ctx context.Context, storeKey string, customerID int64, at time.Time) (m cohort.Membership, err error) {
	err = s.viewHistory(ctx, storeKey, func(tx *db.Tx, since time.Time) error {
		if err := s.checkReach(storeKey, at, since); err != nil {
			return err
		}
		m, err = membership(tx, storeKey, customerID, at)
		m.Since = since
		return err
	})
	return m, err
}

// viewHistory runs fn with all events that are committed, and with the time since when they
// are complete.
func (s *Service) viewHistory(ctx context.Context, storeKey string, fn func(tx *db.Tx, since time.Time) error) error {
	if err := s.numberEvents(ctx, storeKey); err != nil {
		return err
	}
	return s.db.View(ctx, func(tx *db.Tx) error {
		since, ok, err := tx.EventsSince(storeKey)
		if err != nil {
			return err
		}
		if !ok {
			return cohort.Invalid("", "The store records no events, so its history is not known.")
		}
		return fn(tx, since)
	})
}

// checkReach checks a time of which a caller wants to know the state.
func (s *Service) checkReach(storeKey string, at, since time.Time) error {
	if at.Before(since) {
		return cohort.Invalid("as_of", fmt.Sprintf("The events of the store reach back to %s only.", since.Format("2006-01-02T15:04:05.000Z")))
	}
	if at.After(s.Now(storeKey)) {
		return cohort.Invalid("as_of", "The time has not come yet.")
	}
	return nil
}

var membershipKinds = []cohort.EventKind{cohort.CustomerCreated, cohort.CustomerDeleted, cohort.MemberAdded, cohort.MemberRemoved}

// membership finds the last event of the customer until a time, or else the first one after
// it, which tells what was before.
func membership(tx *db.Tx, storeKey string, customerID int64, at time.Time) (m cohort.Membership, err error) {
	m.CustomerID = customerID
	missing := cohort.NotFound(fmt.Sprintf("customer %d", customerID))
	last, next, err := tx.LastEventOf(storeKey, cohort.EventSubject{CustomerID: customerID}, membershipKinds, at)
	switch {
	case err != nil:
		return m, err
	case last != nil && last.Kind == cohort.CustomerDeleted:
		return m, missing
	case last != nil && last.Kind == cohort.MemberAdded:
		return memberSince(tx, storeKey, m, last, at)
	case last != nil:
		m.Change = last
		return m, nil
	case next != nil && next.Kind == cohort.CustomerCreated:
		return m, missing
	case next != nil && next.Kind == cohort.MemberRemoved:
		m.GroupID = next.GroupID
		return m, nil
	case next == nil:
		c, err := tx.Customer(storeKey, customerID)
		if err != nil || c.GroupID != 0 {
			m.GroupID = c.GroupID
			return m, err
		}
	}
	// No event of the customer says in which group she was, and the deletion of a group does
	// not name its members.
	lost, err := tx.DeletedGroupAfter(storeKey, at)
	if err == nil && lost {
		err = cohort.Invalid("as_of", "The customer may have been in a group that was deleted later, and no event says so.")
	}
	return m, err
}

// memberSince completes the membership of a customer that joined a group with an event. The
// deletion of the group ends it.
func memberSince(tx *db.Tx, storeKey string, m cohort.Membership, joined *cohort.Event, at time.Time) (cohort.Membership, error) {
	deleted, _, err := tx.LastEventOf(storeKey, cohort.EventSubject{GroupID: joined.GroupID, WithoutMembers: true}, []cohort.EventKind{cohort.GroupDeleted}, at)
	if err != nil || deleted != nil {
		m.Change = deleted
		return m, err
	}
	m.GroupID, m.Change = joined.GroupID, joined
	return m, nil
}
