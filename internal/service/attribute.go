package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateAttributes adds attributes of customers to a store, all or none, and returns them
// in order, as stored. It returns ItemErrors if one breaks a rule, and ErrTooManyAttributes.
func (s *Service) CreateAttributes(ctx context.Context, storeKey string, attributes []cohort.Attribute) (created []cohort.Attribute, err error) {
	attributes = slices.Clone(attributes)
	wrong := cohort.ItemErrors{}
	for i, a := range attributes {
		attributes[i] = a.Normalized()
		if err := attributes[i].Validate(); err != nil {
			wrong[i] = err
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockAttributes(storeKey); err != nil {
			return err
		}
		n, err := tx.CountAttributes(storeKey, cohort.AttributeFilter{})
		if err != nil {
			return err
		}
		if n+int64(len(attributes)) > cohort.MaxAttributes {
			return ErrTooManyAttributes
		}
		now := s.timestamp(storeKey)
		for i := range attributes {
			attributes[i].DateCreated, attributes[i].DateModified = now, now
		}
		created, err = tx.CreateAttributes(storeKey, attributes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// ErrTooManyAttributes is the KindInvalid error of a create after which the store would
// have more than [cohort.MaxAttributes].
var ErrTooManyAttributes = cohort.Invalid("", fmt.Sprintf("a store can have at most %d attributes", cohort.MaxAttributes))

// ReadAttributes sends one page of the attributes that pass the filter, by id, to a sink.
// It returns the number of all that pass.
func (s *Service) ReadAttributes(ctx context.Context, storeKey string, f cohort.AttributeFilter, p cohort.Page, to Sink[cohort.Attribute]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadAttributes(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountAttributes(storeKey, f)
		return err
	})
	return total, err
}

// UpdateAttributes changes attributes, all or none, and returns their new states in
// order. It returns ItemErrors if an attribute does not exist, is given twice, would
// break a rule, or would change its type.
func (s *Service) UpdateAttributes(ctx context.Context, storeKey string, us []cohort.AttributeUpdate) (after []cohort.Attribute, err error) {
	ids := map[int64]bool{}
	wrong := cohort.ItemErrors{}
	for i, u := range us {
		if ids[u.ID] {
			wrong[i] = cohort.Invalid("id", "Another item of the request has the same id.")
		}
		ids[u.ID] = true
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		before, err := tx.AttributesForUpdate(storeKey, slices.Sorted(maps.Keys(ids)))
		if err != nil {
			return err
		}
		if after, err = s.changedAttributes(storeKey, us, before); err != nil {
			return err
		}
		return tx.UpdateAttributes(storeKey, before, after)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// changedAttributes returns the attributes after the updates, or ItemErrors.
func (s *Service) changedAttributes(storeKey string, us []cohort.AttributeUpdate, before map[int64]cohort.Attribute) ([]cohort.Attribute, error) {
	now := s.timestamp(storeKey)
	after := make([]cohort.Attribute, len(us))
	wrong := cohort.ItemErrors{}
	for i, u := range us {
		old, found := before[u.ID]
		after[i] = u.Apply(old)
		after[i].DateModified = laterOf(now, old.DateModified)
		err := after[i].Validate()
		switch {
		case !found:
			wrong[i] = errUnknownAttribute
		case err != nil:
			wrong[i] = err
		case after[i].Type != old.Type:
			wrong[i] = cohort.Invalid("type", "The type of an attribute cannot be changed.")
		}
	}
	return after, wrong.Err()
}

// The text follows that of an unknown id in an update of customers, which is recorded.
var errUnknownAttribute = cohort.Invalid("id", "invalid attribute ID")

// DeleteAttributes deletes attributes with their values, and ignores ids of none. The
// values are gone for every reader when it returns; SweepAttributes deletes their rows.
func (s *Service) DeleteAttributes(ctx context.Context, storeKey string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		return tx.DeleteAttributes(storeKey, ids, s.now()) // a mark for the sweep, and no date of the store
	})
	if err != nil {
		return err
	}
	signal(s.attributes)
	return nil
}

// valueBatch bounds the values of a deleted attribute that one transaction deletes, so
// that other writers do not wait long.
const valueBatch = 500

// SweepAttributes deletes a batch of values of a deleted attribute. It reports whether
// there may be more. It may be interrupted and repeated.
func (s *Service) SweepAttributes(ctx context.Context) (more bool, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		more, err = tx.SweepAttributes(valueBatch)
		return err
	})
	return more, err
}

// AttributesDeleted receives a signal when DeleteAttributes has left values to
// SweepAttributes.
func (s *Service) AttributesDeleted() <-chan struct{} { return s.attributes }
