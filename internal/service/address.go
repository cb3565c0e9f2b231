package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/country"
	"cohort.example/cohort/internal/db"
)

// CreateAddress adds an address to a customer and returns it as stored. It returns
// KindInvalid if a rule of addresses is broken or the country is unknown, and
// KindNotFound if the customer does not exist.
func (s *Service) CreateAddress(ctx context.Context, storeKey string, customerID int64, u cohort.AddressUpdate) (cohort.Address, error) {
	a, err := completeAddress(cohort.Address{CustomerID: customerID, Type: cohort.AddressResidential}, u)
	if err != nil {
		return cohort.Address{}, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeKey, customerID); err != nil {
			return err
		}
		a, err = tx.CreateAddress(storeKey, a)
		return err
	})
	return a, err
}

// Address returns an address of a customer, or of any customer if customerID is 0, with
// its form fields. It returns KindNotFound.
func (s *Service) Address(ctx context.Context, storeKey string, customerID, id int64) (a cohort.AddressDetail, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		a, err = tx.Address(storeKey, customerID, id)
		return err
	})
	return a, err
}

// ReadAddresses sends one page of a customer's addresses, by id, with their form fields
// to a sink. It returns KindNotFound if the customer does not exist.
func (s *Service) ReadAddresses(ctx context.Context, storeKey string, customerID int64, p cohort.Page, to Sink[cohort.AddressDetail]) error {
	return view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeKey, customerID); err != nil {
			return err
		}
		return tx.ReadAddressDetails(storeKey, cohort.AddressFilter{CustomerIDs: []int64{customerID}}, p, to.Add)
	})
}

// ListAddresses returns the addresses that ReadAddresses sends, without form fields.
func (s *Service) ListAddresses(ctx context.Context, storeKey string, customerID int64, p cohort.Page) ([]cohort.Address, error) {
	var list rowSlice[cohort.AddressDetail]
	err := s.ReadAddresses(ctx, storeKey, customerID, p, &list)
	addresses := make([]cohort.Address, len(list.rows))
	for i, d := range list.rows {
		addresses[i] = d.Address
	}
	return addresses, err
}

// CountAddresses returns the number of addresses of a customer, or KindNotFound.
func (s *Service) CountAddresses(ctx context.Context, storeKey string, customerID int64) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeKey, customerID); err != nil {
			return err
		}
		n, err = tx.CountAddresses(storeKey, cohort.AddressFilter{CustomerIDs: []int64{customerID}})
		return err
	})
	return n, err
}

// UpdateAddress changes an address of a customer and returns the new state with the form
// fields. Errors are those of CreateAddress.
func (s *Service) UpdateAddress(ctx context.Context, storeKey string, customerID, id int64, u cohort.AddressUpdate) (a cohort.AddressDetail, err error) {
	if u.IsEmpty() {
		return s.Address(ctx, storeKey, customerID, id)
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if a, err = tx.AddressForUpdate(storeKey, customerID, id); err != nil {
			return err
		}
		before := a.Address
		if a.Address, err = completeAddress(before, u); err != nil {
			return err
		}
		return tx.UpdateAddress(storeKey, before, a.Address)
	})
	return a, err
}

// DeleteAddress deletes an address of a customer, or returns KindNotFound.
func (s *Service) DeleteAddress(ctx context.Context, storeKey string, customerID, id int64) error {
	return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteAddress(storeKey, customerID, id) })
}

// DeleteAddresses deletes every address of a customer, or returns KindNotFound if the
// customer does not exist.
func (s *Service) DeleteAddresses(ctx context.Context, storeKey string, customerID int64) error {
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		// Customers are locked before addresses, as in every transaction.
		if _, err := tx.CustomerForUpdate(storeKey, customerID); err != nil {
			return err
		}
		return tx.DeleteAddresses(storeKey, customerID)
	})
}

// completeAddress applies an update by the rules of V2, and sets the country's English
// name and code.
func completeAddress(before cohort.Address, u cohort.AddressUpdate) (cohort.Address, error) {
	a := u.Apply(before)
	if err := a.Validate(); err != nil {
		return a, err
	}
	if err := checkNotEmptied(before, a); err != nil {
		return a, err
	}
	c, ok := country.Lookup(a.Country)
	if !ok {
		return a, cohort.Invalid("country", "The value is not the English name of a country.")
	}
	a.Country, a.CountryISO2 = c.Name, c.ISO2
	return a, nil
}

// checkNotEmptied returns KindInvalid for a state or zip that V2 does not allow to be
// empty. It accepts one that was empty before: the address was written in V3, and a client
// may send back what it has read.
func checkNotEmptied(before, after cohort.Address) error {
	isNew := before.ID == 0
	switch {
	case after.State == "" && (isNew || before.State != ""):
		return cohort.Invalid("state", "The value must not be empty.")
	case after.Zip == "" && (isNew || before.Zip != ""):
		return cohort.Invalid("zip", "The value must not be empty.")
	}
	return nil
}
