package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/password"
)

// CreateCustomer adds a customer to a store and returns it as it is kept. Nil
// fields take their defaults; for the group that is the store's default group,
// and for the password a random one that nobody learns.
//
// It returns KindInvalid if a rule of customers is broken, if the email is
// taken in whatever case, or if there is no such group.
func (s *Service) CreateCustomer(ctx context.Context, storeHash string, u cohort.CustomerUpdate) (cohort.Customer, error) {
	c := u.Apply(cohort.Customer{})
	if err := c.Validate(); err != nil {
		return cohort.Customer{}, err
	}
	hash := password.Unguessable()
	if u.Password != nil {
		var err error
		if hash, err = s.hashPassword(ctx, storeHash, *u.Password); err != nil {
			return cohort.Customer{}, err
		}
	}
	err := s.update(ctx, storeHash, func(tx *db.Tx) (err error) {
		if err := checkEmailFree(tx, storeHash, c); err != nil {
			return err
		}
		if u.GroupID == nil {
			c.GroupID, err = tx.DefaultGroupID(storeHash)
		} else {
			err = checkGroup(tx, storeHash, c.GroupID)
		}
		if err != nil {
			return err
		}
		if c.ID, err = tx.NextCustomerID(storeHash); err != nil {
			return err
		}
		c.DateCreated = s.timestamp()
		c.DateModified = c.DateCreated
		return tx.InsertCustomer(storeHash, c, hash)
	})
	if err != nil {
		return cohort.Customer{}, emailConflict(err)
	}
	return c, nil
}

// Customer returns a customer, or KindNotFound.
func (s *Service) Customer(ctx context.Context, storeHash string, id int64) (c cohort.Customer, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.Customer(storeHash, id)
		return err
	})
	return c, err
}

// ReadCustomers hands on one page of the customers that pass the filter, by id.
func (s *Service) ReadCustomers(ctx context.Context, storeHash string, f cohort.CustomerFilter, p cohort.Page, to Sink[cohort.Customer]) error {
	return view(ctx, s, to, func(tx *db.Tx) error { return tx.ReadCustomers(storeHash, f, p, to.Add) })
}

// ListCustomers returns what ReadCustomers hands on.
func (s *Service) ListCustomers(ctx context.Context, storeHash string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	var list kept[cohort.Customer]
	err := s.ReadCustomers(ctx, storeHash, f, p, &list)
	return list.rows, err
}

// CountCustomers returns how many customers pass the filter.
func (s *Service) CountCustomers(ctx context.Context, storeHash string, f cohort.CustomerFilter) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountCustomers(storeHash, f)
		return err
	})
	return n, err
}

// UpdateCustomer changes a customer and returns it as it is now. An update
// that holds nothing changes nothing. Errors are those of CreateCustomer, and
// KindNotFound.
func (s *Service) UpdateCustomer(ctx context.Context, storeHash string, id int64, u cohort.CustomerUpdate) (after cohort.Customer, err error) {
	if u.IsEmpty() {
		return s.Customer(ctx, storeHash, id)
	}
	hash := ""
	if u.Password != nil {
		if hash, err = s.hashPassword(ctx, storeHash, *u.Password); err != nil {
			return cohort.Customer{}, err
		}
	}
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		// The group comes first, as it does for who deletes it with its members in
		// it; else the two could wait for each other. What is wrong with it is said
		// last.
		var noGroup error
		if u.GroupID != nil {
			noGroup = checkGroup(tx, storeHash, *u.GroupID)
		}
		before, err := tx.CustomerForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkEmailFree(tx, storeHash, after); err != nil {
			return err
		}
		if noGroup != nil {
			return noGroup
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		return tx.UpdateCustomer(storeHash, before, after, hash)
	})
	return after, emailConflict(err)
}

// DeleteCustomer deletes a customer with its addresses, or returns
// KindNotFound.
func (s *Service) DeleteCustomer(ctx context.Context, storeHash string, id int64) error {
	return s.update(ctx, storeHash, func(tx *db.Tx) error {
		c, err := tx.CustomerForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		return tx.DeleteCustomer(storeHash, c)
	})
}

// DeleteCustomers deletes the customers that pass the filter, the lowest ids
// first and at most [cohort.MaxDeleteCustomers] or most, whichever is less.
func (s *Service) DeleteCustomers(ctx context.Context, storeHash string, f cohort.CustomerFilter, most int) error {
	page := cohort.Page{Number: 1, Size: min(most, cohort.MaxDeleteCustomers)}
	return s.update(ctx, storeHash, func(tx *db.Tx) error {
		customers, err := tx.ListCustomersForUpdate(storeHash, f, page)
		if err != nil {
			return err
		}
		for _, c := range customers {
			if err := tx.DeleteCustomer(storeHash, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// ValidatePassword reports whether a customer's password is this one. For a
// customer who does not exist the answer is no, and takes as long.
func (s *Service) ValidatePassword(ctx context.Context, storeHash string, id int64, attempt string) (bool, error) {
	var hash string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		hash, err = tx.PasswordHash(storeHash, id)
		return err
	})
	if err != nil {
		return false, err
	}
	return s.passwords.Matches(ctx, storeHash, attempt, hash)
}

// hashPassword checks and hashes a new password. It is never called in a
// transaction, which would make every other writer wait for it.
func (s *Service) hashPassword(ctx context.Context, storeHash, p string) (string, error) {
	if err := cohort.ValidatePassword(p); err != nil {
		return "", err
	}
	return s.passwords.Hash(ctx, storeHash, p)
}

// checkGroup returns KindInvalid unless the store has the group; 0 is none.
func checkGroup(tx *db.Tx, storeHash string, id int64) error {
	if id == 0 {
		return nil
	}
	has, err := tx.HasGroup(storeHash, id)
	if err == nil && !has {
		return cohort.Invalid("customer_group_id", "There is no customer group with this id.")
	}
	return err
}

// checkEmailFree returns KindInvalid if another customer has the email.
func checkEmailFree(tx *db.Tx, storeHash string, c cohort.Customer) error {
	owner, err := tx.CustomerIDByEmail(storeHash, c.Email)
	if err == nil && owner != 0 && owner != c.ID {
		return errEmailTaken
	}
	return err
}

// emailConflict is for two who take one email at the same moment: the check may
// let both pass, and the unique index one.
func emailConflict(err error) error {
	if cohort.KindOf(err) == cohort.KindConflict {
		return errEmailTaken
	}
	return err
}

// The reason is recorded from the live service.
var errEmailTaken = cohort.Invalid("email", "This email address is already in use by a customer.")
