package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/password"
)

// CreateCustomer adds a customer to a store and returns it as stored. Nil fields take
// their defaults: the store's default group for the group, and a random password that
// is not returned.
//
// It returns KindInvalid if a rule of customers is broken, if the email is taken
// (compared without regard to case), or if the group does not exist.
func (s *Service) CreateCustomer(ctx context.Context, storeKey string, u cohort.CustomerUpdate) (created cohort.Customer, err error) {
	c := u.Apply(cohort.Customer{OriginChannelID: cohort.DefaultChannelID})
	if err := c.Validate(); err != nil {
		return cohort.Customer{}, err
	}
	hash := password.Unguessable()
	if u.Password != nil {
		if hash, err = s.hashPassword(ctx, storeKey, *u.Password); err != nil {
			return cohort.Customer{}, err
		}
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) (err error) {
		if err := checkEmailFree(tx, storeKey, c); err != nil {
			return err
		}
		if u.GroupID == nil {
			c.GroupID, err = tx.DefaultGroupOfChannel(storeKey, cohort.FirstChannelID)
		} else {
			err = checkGroup(tx, storeKey, c.GroupID)
		}
		if err != nil {
			return err
		}
		c.DateCreated = s.timestamp()
		c.DateModified = c.DateCreated
		created, err = tx.CreateCustomer(storeKey, c, hash)
		return err
	})
	if err != nil {
		return cohort.Customer{}, emailError(err)
	}
	return created, nil
}

// Customer returns a customer, or KindNotFound.
func (s *Service) Customer(ctx context.Context, storeKey string, id int64) (c cohort.Customer, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.Customer(storeKey, id)
		return err
	})
	return c, err
}

// ReadCustomers sends one page of the customers that pass the filter, by id, to a
// sink.
func (s *Service) ReadCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter, p cohort.Page, to Sink[cohort.Customer]) error {
	return view(ctx, s, to, func(tx *db.Tx) error { return tx.ReadCustomers(storeKey, f, p, to.Add) })
}

// ListCustomers is ReadCustomers into a slice.
func (s *Service) ListCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	var list rowSlice[cohort.Customer]
	err := s.ReadCustomers(ctx, storeKey, f, p, &list)
	return list.rows, err
}

// CountCustomers returns the number of customers that pass the filter.
func (s *Service) CountCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountCustomers(storeKey, f)
		return err
	})
	return n, err
}

// UpdateCustomer changes a customer and returns the new state. An empty update
// changes nothing. Errors are those of CreateCustomer, and KindNotFound.
func (s *Service) UpdateCustomer(ctx context.Context, storeKey string, id int64, u cohort.CustomerUpdate) (after cohort.Customer, err error) {
	if u.IsEmpty() {
		return s.Customer(ctx, storeKey, id)
	}
	hash := ""
	if u.Password != nil {
		if hash, err = s.hashPassword(ctx, storeKey, *u.Password); err != nil {
			return cohort.Customer{}, err
		}
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		// Locks the group before the customer, as DeleteGroup does; the other order
		// could deadlock. Its error has the lowest precedence.
		var groupErr error
		if u.GroupID != nil {
			groupErr = checkGroup(tx, storeKey, *u.GroupID)
		}
		before, err := tx.CustomerForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkEmailFree(tx, storeKey, after); err != nil {
			return err
		}
		if groupErr != nil {
			return groupErr
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		return tx.UpdateCustomer(storeKey, before, after, hash)
	})
	return after, emailError(err)
}

// DeleteCustomer deletes a customer with its addresses, or returns KindNotFound.
func (s *Service) DeleteCustomer(ctx context.Context, storeKey string, id int64) error {
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		c, err := tx.CustomerForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		return tx.DeleteCustomer(storeKey, c)
	})
}

// DeleteCustomers deletes customers that pass the filter, lowest ids first, up to the
// smaller of most and [cohort.MaxDeleteCustomers].
func (s *Service) DeleteCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter, most int) error {
	page := cohort.Page{Number: 1, Size: min(most, cohort.MaxDeleteCustomers)}
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		customers, err := tx.ListCustomersForUpdate(storeKey, f, page)
		if err != nil {
			return err
		}
		for _, c := range customers {
			if err := tx.DeleteCustomer(storeKey, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// ValidatePassword reports whether attempt is the customer's password. For an unknown
// customer it returns false after the same time.
func (s *Service) ValidatePassword(ctx context.Context, storeKey string, id int64, attempt string) (bool, error) {
	var hash string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		hash, err = tx.PasswordHash(storeKey, id)
		return err
	})
	if err != nil {
		return false, err
	}
	return s.passwords.Matches(ctx, storeKey, attempt, hash)
}

// hashPassword validates and hashes a new password. It must not be called in a
// transaction: hashing is slow, and other writers would wait for it.
func (s *Service) hashPassword(ctx context.Context, storeKey, p string) (string, error) {
	if err := cohort.ValidatePassword(p); err != nil {
		return "", err
	}
	return s.passwords.Hash(ctx, storeKey, p)
}

// checkGroup returns KindInvalid unless the store has the group or id is 0.
func checkGroup(tx *db.Tx, storeKey string, id int64) error {
	if id == 0 {
		return nil
	}
	has, err := tx.HasGroup(storeKey, id)
	if err == nil && !has {
		return cohort.Invalid("customer_group_id", "There is no customer group with this id.")
	}
	return err
}

// checkEmailFree returns KindInvalid if another customer has the email.
func checkEmailFree(tx *db.Tx, storeKey string, c cohort.Customer) error {
	owner, err := tx.CustomerIDByEmail(storeKey, c.Email)
	if err == nil && owner != 0 && owner != c.ID {
		return errEmailTaken
	}
	return err
}

// emailError turns a conflict with the unique index on emails into errEmailTaken. Two
// concurrent transactions with the same email may both pass checkEmailFree.
func emailError(err error) error {
	if cohort.KindOf(err) == cohort.KindConflict {
		return errEmailTaken
	}
	return err
}

// The reason is recorded from the live service.
var errEmailTaken = cohort.Invalid("email", "This email address is already in use by a customer.")
