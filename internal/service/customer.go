package service

import (
	"context"
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateCustomer adds a customer to a store and returns it as stored. Nil fields take
// their defaults: the default group of the channel for the group, and a random password
// that is not returned.
//
// It returns KindInvalid if a rule of customers is broken, if the email is taken
// (compared without regard to case), or if the group does not exist.
func (s *Service) CreateCustomer(ctx context.Context, storeKey string, u cohort.CustomerUpdate) (cohort.Customer, error) {
	created, err := s.CreateCustomers(ctx, storeKey, []NewCustomer{{CustomerUpdate: u}})
	if err != nil {
		return cohort.Customer{}, errorOfOne(err)
	}
	return created[0], nil
}

// errorOfOne returns the error of a batch of one item as that of the item.
func errorOfOne(err error) error {
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		return items[0]
	}
	return err
}

// Customer returns a customer with its form fields, or KindNotFound.
func (s *Service) Customer(ctx context.Context, storeKey string, id int64) (c cohort.CustomerDetail, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		c, err = tx.CustomerDetail(storeKey, id)
		return err
	})
	return c, err
}

// ReadCustomers sends one page of the customers that pass the filter, by id, with their
// form fields to a sink.
func (s *Service) ReadCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter, p cohort.Page, to Sink[cohort.CustomerDetail]) error {
	return view(ctx, s, to, func(tx *db.Tx) error { return tx.ReadCustomers(storeKey, f, p, to.Add) })
}

// ListCustomers returns the customers that ReadCustomers sends, without form fields.
func (s *Service) ListCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	var list rowSlice[cohort.CustomerDetail]
	err := s.ReadCustomers(ctx, storeKey, f, p, &list)
	customers := make([]cohort.Customer, len(list.rows))
	for i, d := range list.rows {
		customers[i] = d.Customer
	}
	return customers, err
}

// CountCustomers returns the number of customers that pass the filter.
func (s *Service) CountCustomers(ctx context.Context, storeKey string, f cohort.CustomerFilter) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountCustomers(storeKey, f)
		return err
	})
	return n, err
}

// UpdateCustomer changes a customer and returns the new state with the form fields. An
// empty update changes nothing. Errors are those of CreateCustomer, and KindNotFound.
func (s *Service) UpdateCustomer(ctx context.Context, storeKey string, id int64, u cohort.CustomerUpdate) (after cohort.CustomerDetail, err error) {
	if u.IsEmpty() {
		return s.Customer(ctx, storeKey, id)
	}
	err = s.changeCustomers(ctx, storeKey, []CustomerChange{{ID: id, CustomerUpdate: u}}, func(tx *db.Tx, b *customerChanges, writes []db.CustomerWrite) error {
		after = cohort.CustomerDetail{Customer: writes[0].Customer}
		if !b.before[id].HasForm {
			return nil
		}
		fields, err := tx.FormFieldsOfCustomers(storeKey, []int64{id})
		after.FormFields = fields[id]
		return err
	})
	if err != nil {
		return cohort.CustomerDetail{}, errorOfOne(err)
	}
	return after, nil
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
		return tx.DeleteCustomers(storeKey, customers)
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
