package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// The methods below take the id of the token of the client. A metafield that it may not
// see does not exist for it.

// Metafield returns a metafield of a customer, or KindNotFound.
func (s *Service) Metafield(ctx context.Context, storeKey, client string, customerID, id int64) (m cohort.Metafield, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		m, err = tx.Metafield(storeKey, customerID, id)
		return err
	})
	if err != nil {
		return cohort.Metafield{}, err
	}
	if see, _ := m.Allows(client); !see {
		return cohort.Metafield{}, cohort.NotFound(fmt.Sprintf("metafield %d of customer %d", id, customerID))
	}
	return m, nil
}

// ReadMetafields sends one page of the metafields that pass the filter, by id, to a sink.
// It returns the number of all that pass, or 0 for a page with a cursor, and KindNotFound
// if the filter names a customer that does not exist.
func (s *Service) ReadMetafields(ctx context.Context, storeKey, client string, f cohort.MetafieldFilter, p cohort.Page, to Sink[cohort.Metafield]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if f.CustomerID != 0 {
			if _, err := tx.Customer(storeKey, f.CustomerID); err != nil {
				return err
			}
		}
		if err := tx.ReadMetafields(storeKey, client, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountMetafields(storeKey, client, f)
		return err
	})
	return total, err
}

// CreateMetafields adds those metafields that can be added, and returns them as stored.
// It returns the errors of the others in wrong: KindInvalid if a rule is broken or the
// customer does not exist or has [cohort.MaxMetafields], and KindConflict if the token
// has a metafield with this namespace and key at the customer.
func (s *Service) CreateMetafields(ctx context.Context, storeKey, client string, us []cohort.MetafieldUpdate) (created []cohort.Metafield, wrong cohort.ItemErrors, err error) {
	customers := map[int64]bool{}
	for _, u := range us {
		customers[u.CustomerID] = true
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		// The lock of the customers holds the keys and the numbers of their metafields.
		existing, err := tx.LockCustomers(storeKey, slices.Sorted(maps.Keys(customers)))
		if err != nil {
			return err
		}
		keys, err := tx.MetafieldKeys(storeKey, existing)
		if err != nil {
			return err
		}
		counts := map[int64]int{}
		for key := range keys {
			counts[key.CustomerID]++
		}
		wrong = cohort.ItemErrors{}
		var list []cohort.Metafield
		for i, u := range us {
			now := s.timestamp(storeKey)
			m := u.Apply(cohort.Metafield{CustomerID: u.CustomerID, Owner: client, DateCreated: now, DateModified: now})
			if err := checkNewMetafield(m, slices.Contains(existing, m.CustomerID), counts[m.CustomerID]); err != nil {
				wrong[i] = err
				continue
			}
			if _, taken := keys[db.KeyOf(m)]; taken {
				wrong[i] = errMetafieldTaken
				continue
			}
			keys[db.KeyOf(m)] = 0
			counts[m.CustomerID]++
			list = append(list, m)
		}
		if len(list) == 0 {
			created = nil
			return nil
		}
		created, err = tx.CreateMetafields(storeKey, list)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return created, wrong, nil
}

var errMetafieldTaken = &cohort.Error{Kind: cohort.KindConflict, Field: "key", Reason: "A metafield with this namespace and key exists."}

func checkNewMetafield(m cohort.Metafield, customerExists bool, count int) error {
	switch {
	case !customerExists:
		return cohort.Invalid("resource_id", "There is no customer with this id.")
	case count >= cohort.MaxMetafields:
		return cohort.Invalid("resource_id", fmt.Sprintf("A customer may have at most %d metafields.", cohort.MaxMetafields))
	}
	return m.Validate()
}

// UpdateMetafields changes those metafields that can be changed, and returns their new
// states. It returns the errors of the others in wrong: KindNotFound if it does not exist
// or belongs to another customer than the update says, KindForbidden if only its owner
// may write it, and otherwise as CreateMetafields does.
func (s *Service) UpdateMetafields(ctx context.Context, storeKey, client string, us []cohort.MetafieldUpdate) (after []cohort.Metafield, wrong cohort.ItemErrors, err error) {
	ids := make([]int64, len(us))
	for i, u := range us {
		ids[i] = u.ID
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		before, keys, err := lockMetafields(tx, storeKey, ids)
		if err != nil {
			return err
		}
		after, wrong = nil, cohort.ItemErrors{}
		for i, u := range us {
			m, err := writableMetafield(before, client, u.ID, u.CustomerID)
			if err == nil && slices.Contains(ids[:i], u.ID) {
				err = cohort.Invalid("id", "The metafield is in the request twice.")
			}
			if err != nil {
				wrong[i] = err
				continue
			}
			m = u.Apply(m)
			m.DateModified = laterOf(s.timestamp(storeKey), m.DateModified)
			if err := m.Validate(); err != nil {
				wrong[i] = err
				continue
			}
			if owner, taken := keys[db.KeyOf(m)]; taken && owner != m.ID {
				wrong[i] = errMetafieldTaken
				continue
			}
			keys[db.KeyOf(m)] = m.ID
			after = append(after, m)
		}
		if len(after) == 0 {
			return nil
		}
		return tx.UpdateMetafields(storeKey, after)
	})
	if err != nil {
		return nil, nil, err
	}
	return after, wrong, nil
}

// lockMetafields locks metafields and their customers. It returns the metafields by id,
// and all keys of these customers.
func lockMetafields(tx *db.Tx, storeKey string, ids []int64) (map[int64]cohort.Metafield, map[db.MetafieldKey]int64, error) {
	// Customers are locked before their metafields, as in the deletion of a customer.
	customers, err := tx.CustomersOfMetafields(storeKey, ids)
	if err != nil {
		return nil, nil, err
	}
	if customers, err = tx.LockCustomers(storeKey, customers); err != nil {
		return nil, nil, err
	}
	found, err := tx.MetafieldsByID(storeKey, ids)
	if err != nil {
		return nil, nil, err
	}
	keys, err := tx.MetafieldKeys(storeKey, customers)
	return found, keys, err
}

// writableMetafield returns one of the metafields if a token may write it. customerID is
// the customer that it must belong to, or 0 for any.
func writableMetafield(found map[int64]cohort.Metafield, client string, id, customerID int64) (cohort.Metafield, error) {
	m, exists := found[id]
	see, write := m.Allows(client)
	switch {
	case !exists || !see || customerID != 0 && customerID != m.CustomerID:
		return m, cohort.NotFound(fmt.Sprintf("metafield %d", id))
	case !write:
		return m, &cohort.Error{Kind: cohort.KindForbidden, Message: "only the owner may write the metafield"}
	}
	return m, nil
}

// DeleteMetafields deletes those metafields that can be deleted, and returns their ids. It
// returns the errors of the others in wrong, as UpdateMetafields does. customerID is the
// customer that they must belong to, or 0 for any.
func (s *Service) DeleteMetafields(ctx context.Context, storeKey, client string, customerID int64, ids []int64) (deleted []int64, wrong cohort.ItemErrors, err error) {
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		found, err := tx.MetafieldsByID(storeKey, ids)
		if err != nil {
			return err
		}
		deleted, wrong = nil, cohort.ItemErrors{}
		for i, id := range ids {
			if _, err := writableMetafield(found, client, id, customerID); err != nil {
				wrong[i] = err
				continue
			}
			delete(found, id) // a second mention of the id is an error
			deleted = append(deleted, id)
		}
		if len(deleted) == 0 {
			return nil
		}
		return tx.DeleteMetafields(storeKey, deleted)
	})
	if err != nil {
		return nil, nil, err
	}
	return deleted, wrong, nil
}
