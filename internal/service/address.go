package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/country"
	"cohort.example/cohort/internal/db"
)

// CreateAddress adds an address to a customer and returns it as it is kept.
// It returns KindInvalid if a rule of addresses is broken or the country is
// not known, and KindNotFound if there is no such customer.
func (s *Service) CreateAddress(ctx context.Context, storeHash string, customerID int64, u cohort.AddressUpdate) (cohort.Address, error) {
	a, err := completeAddress(u.Apply(cohort.Address{CustomerID: customerID, Type: cohort.AddressResidential}))
	if err != nil {
		return cohort.Address{}, err
	}
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeHash, customerID); err != nil {
			return err
		}
		if a.ID, err = tx.NextAddressID(storeHash); err != nil {
			return err
		}
		return tx.InsertAddress(storeHash, a)
	})
	return a, err
}

// Address returns an address of a customer, or of whoever has it when
// customerID is 0. It returns KindNotFound.
func (s *Service) Address(ctx context.Context, storeHash string, customerID, id int64) (a cohort.Address, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		a, err = tx.Address(storeHash, customerID, id)
		return err
	})
	return a, err
}

// ReadAddresses hands on one page of a customer's addresses, by id. It returns
// KindNotFound if there is no such customer.
func (s *Service) ReadAddresses(ctx context.Context, storeHash string, customerID int64, p cohort.Page, to Sink[cohort.Address]) error {
	return view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeHash, customerID); err != nil {
			return err
		}
		return tx.ReadAddresses(storeHash, customerID, p, to.Add)
	})
}

// ListAddresses returns what ReadAddresses hands on.
func (s *Service) ListAddresses(ctx context.Context, storeHash string, customerID int64, p cohort.Page) ([]cohort.Address, error) {
	var list kept[cohort.Address]
	err := s.ReadAddresses(ctx, storeHash, customerID, p, &list)
	return list.rows, err
}

// CountAddresses returns how many addresses a customer has, or KindNotFound.
func (s *Service) CountAddresses(ctx context.Context, storeHash string, customerID int64) (n int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeHash, customerID); err != nil {
			return err
		}
		n, err = tx.CountAddresses(storeHash, customerID)
		return err
	})
	return n, err
}

// UpdateAddress changes an address of a customer and returns it as it is now.
// Errors are those of CreateAddress.
func (s *Service) UpdateAddress(ctx context.Context, storeHash string, customerID, id int64, u cohort.AddressUpdate) (a cohort.Address, err error) {
	if u.IsEmpty() {
		return s.Address(ctx, storeHash, customerID, id)
	}
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		if a, err = tx.AddressForUpdate(storeHash, customerID, id); err != nil {
			return err
		}
		if a, err = completeAddress(u.Apply(a)); err != nil {
			return err
		}
		return tx.UpdateAddress(storeHash, a)
	})
	return a, err
}

// DeleteAddress deletes an address of a customer, or returns KindNotFound.
func (s *Service) DeleteAddress(ctx context.Context, storeHash string, customerID, id int64) error {
	return s.update(ctx, storeHash, func(tx *db.Tx) error { return tx.DeleteAddress(storeHash, customerID, id) })
}

// DeleteAddresses deletes every address of a customer, or returns KindNotFound
// if there is no such customer.
func (s *Service) DeleteAddresses(ctx context.Context, storeHash string, customerID int64) error {
	return s.update(ctx, storeHash, func(tx *db.Tx) error {
		if _, err := tx.Customer(storeHash, customerID); err != nil {
			return err
		}
		return tx.DeleteAddresses(storeHash, customerID)
	})
}

// completeAddress checks an address and puts the country's English name and
// code in it.
func completeAddress(a cohort.Address) (cohort.Address, error) {
	if err := a.Validate(); err != nil {
		return a, err
	}
	c, ok := country.Lookup(a.Country)
	if !ok {
		return a, cohort.Invalid("country", "The value is not the English name of a country.")
	}
	a.Country, a.CountryISO2 = c.Name, c.ISO2
	return a, nil
}
