package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/country"
	"cohort.example/cohort/internal/db"
)

// AddressItem is one address of a batch. A create uses CustomerID, an update uses ID.
type AddressItem struct {
	ID         int64
	CustomerID int64
	cohort.AddressUpdate
	// FormFields are set on the address; it keeps others that it has.
	FormFields []cohort.FormField
}

// CreateAddresses adds the addresses of a batch, all or none, and returns the new ones
// in order. It leaves out an address that its customer has already, or that is in the
// batch twice; see [cohort.Address.Core]. It returns ItemErrors if an address breaks a
// rule of V3 or names a customer that does not exist.
//
// It locks the customers, so that two calls with the same address add it once.
// CreateAddress does not, because V2 adds it twice.
func (s *Service) CreateAddresses(ctx context.Context, storeKey string, items []AddressItem) (created []cohort.Address, err error) {
	addresses, err := newAddresses(items)
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := lockCustomersOf(tx, storeKey, addresses); err != nil {
			return err
		}
		exists, err := tx.AddressesExist(storeKey, addresses, nil)
		if err != nil {
			return err
		}
		created, err = insertAddresses(tx, storeKey, addresses, items, exists)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// newAddresses returns the addresses of a create. It returns ItemErrors.
func newAddresses(items []AddressItem) ([]cohort.Address, error) {
	addresses := make([]cohort.Address, len(items))
	wrong := cohort.ItemErrors{}
	for i, item := range items {
		fresh := cohort.Address{CustomerID: item.CustomerID, Type: cohort.AddressResidential}
		a, err := applyToAddress(fresh, item.AddressUpdate)
		if err == nil {
			err = checkForm(item.FormFields, "address")
		}
		if err != nil {
			wrong[i] = err
		}
		addresses[i] = a
	}
	return addresses, wrong.Err()
}

// lockCustomersOf locks the customers of addresses. It returns ItemErrors if some do not
// exist.
func lockCustomersOf(tx *db.Tx, storeKey string, addresses []cohort.Address) error {
	ids := map[int64]bool{}
	for _, a := range addresses {
		ids[a.CustomerID] = true
	}
	found, err := tx.LockCustomers(storeKey, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, a := range addresses {
		if !slices.Contains(found, a.CustomerID) {
			wrong[i] = errUnknownCustomer
		}
	}
	return wrong.Err()
}

// The texts follow that of an unknown id in an update of customers, which is recorded.
var (
	errUnknownCustomer = cohort.Invalid("customer_id", "invalid customer ID")
	errUnknownAddress  = cohort.Invalid("id", "invalid address ID")
)

// insertAddresses adds the addresses of items with their form fields, except those that
// exist and those that equal an earlier one. exists is nil if none does.
func insertAddresses(tx *db.Tx, storeKey string, addresses []cohort.Address, items []AddressItem, exists []bool) ([]cohort.Address, error) {
	fresh := distinctIndexes(addresses, exists)
	created, err := tx.CreateAddresses(storeKey, pick(addresses, fresh))
	if err != nil {
		return nil, err
	}
	return created, tx.PutFormFields(storeKey, formFieldsOf(created, pick(items, fresh)))
}

// distinctIndexes returns the indexes of the addresses without those that exist and those
// that equal an earlier one. exists is nil if none does.
func distinctIndexes(addresses []cohort.Address, exists []bool) []int {
	seen := make(map[cohort.Address]bool, len(addresses))
	distinct := make([]int, 0, len(addresses))
	for i, a := range addresses {
		if exists != nil && exists[i] || seen[a.Core()] {
			continue
		}
		seen[a.Core()] = true
		distinct = append(distinct, i)
	}
	return distinct
}

// pick returns the elements of a list at the indexes.
func pick[T any](list []T, indexes []int) []T {
	picked := make([]T, len(indexes))
	for i, index := range indexes {
		picked[i] = list[index]
	}
	return picked
}

// checkForm checks the form fields of an item. They have no owner yet; owner says what it
// will be.
func checkForm(fields []cohort.FormField, owner string) error {
	names := map[string]bool{}
	for i, f := range fields {
		err := f.ValidateValue()
		if err == nil && names[f.Name] {
			err = cohort.Invalid("name", "Another form field of the "+owner+" has the same name.")
		}
		if e, ok := errors.AsType[*cohort.Error](err); ok {
			return cohort.Invalid(fmt.Sprintf("form_fields.%d.%s", i, e.Field), e.Reason)
		}
		names[f.Name] = true
	}
	return nil
}

// formFieldsOf returns the form fields of items, which belong to the addresses.
func formFieldsOf(addresses []cohort.Address, items []AddressItem) (fields []cohort.FormField) {
	for i, a := range addresses {
		for _, f := range items[i].FormFields {
			f.AddressID = a.ID
			fields = append(fields, f)
		}
	}
	return fields
}

// UpdateAddresses changes the addresses of a batch, all or none, and returns their new
// states in order. It does not change an address that would become equal to another one
// of its customer, and does not return it. It returns ItemErrors if an address does not
// exist, is in the batch twice, belongs to another customer than the item says, or would
// break a rule of V3.
func (s *Service) UpdateAddresses(ctx context.Context, storeKey string, items []AddressItem) (updated []cohort.Address, err error) {
	ids, err := distinctIDs(items)
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockCustomersOfAddresses(storeKey, ids); err != nil {
			return err
		}
		before, err := tx.AddressesForUpdate(storeKey, ids)
		if err != nil {
			return err
		}
		after, err := changedAddresses(items, before)
		if err != nil {
			return err
		}
		exists, err := tx.AddressesExist(storeKey, after, ids)
		if err != nil {
			return err
		}
		kept := withoutDuplicates(after, before, exists)
		updated = pick(after, kept)
		if err := tx.UpdateAddresses(storeKey, before, updated); err != nil {
			return err
		}
		return putFormsOf(tx, storeKey, kept, updated, items)
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// distinctIDs returns the ids of items in ascending order. It returns ItemErrors if an id
// is there twice.
func distinctIDs(items []AddressItem) ([]int64, error) {
	ids := map[int64]bool{}
	wrong := cohort.ItemErrors{}
	for i, item := range items {
		if ids[item.ID] {
			wrong[i] = cohort.Invalid("id", "There is another item with this id in the request.")
		}
		ids[item.ID] = true
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return slices.Sorted(maps.Keys(ids)), nil
}

// changedAddresses applies updates to the addresses that they name. It returns
// ItemErrors.
func changedAddresses(items []AddressItem, before map[int64]cohort.Address) ([]cohort.Address, error) {
	after := make([]cohort.Address, len(items))
	wrong := cohort.ItemErrors{}
	for i, item := range items {
		a, found := before[item.ID]
		switch {
		case !found:
			wrong[i] = errUnknownAddress
			continue
		case item.CustomerID != 0 && item.CustomerID != a.CustomerID:
			wrong[i] = cohort.Invalid("customer_id", "An address cannot be moved to another customer.")
			continue
		}
		a, err := applyToAddress(a, item.AddressUpdate)
		if err == nil {
			err = checkForm(item.FormFields, "address")
		}
		if err != nil {
			wrong[i] = err
		}
		after[i] = a
	}
	return after, wrong.Err()
}

// putFormsOf sets the form fields of updated addresses, which are those of the items with
// the indexes kept. It returns ItemErrors if an address would have too many.
func putFormsOf(tx *db.Tx, storeKey string, kept []int, updated []cohort.Address, items []AddressItem) error {
	fields := formFieldsOf(updated, pick(items, kept))
	if len(fields) == 0 {
		return nil
	}
	ids := make([]int64, len(updated))
	for i, a := range updated {
		ids[i] = a.ID
	}
	existing, err := tx.FormFieldsOfAddresses(storeKey, ids)
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, a := range updated {
		names := map[string]bool{}
		for _, f := range slices.Concat(existing[a.ID], items[kept[i]].FormFields) {
			names[f.Name] = true
		}
		if len(names) > cohort.MaxFormFields {
			wrong[kept[i]] = cohort.Invalid("form_fields", fmt.Sprintf("An address can have at most %d form fields.", cohort.MaxFormFields))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return tx.PutFormFields(storeKey, fields)
}

// withoutDuplicates returns the indexes of the addresses, except those that would become
// equal to another one: to one outside the batch, for which exists is true, or to one in
// it, in its state after the items before. An address that was equal to another one
// already may stay so.
func withoutDuplicates(after []cohort.Address, before map[int64]cohort.Address, exists []bool) []int {
	count := make(map[cohort.Address]int, len(before))
	for _, a := range before {
		count[a.Core()]++
	}
	kept := make([]int, 0, len(after))
	for i, a := range after {
		from, to := before[a.ID].Core(), a.Core()
		if from != to && (exists[i] || count[to] > 0) {
			continue
		}
		count[from]--
		count[to]++
		kept = append(kept, i)
	}
	return kept
}

// applyToAddress applies an update by the rules of V3 and sets the country's name. It
// checks state and postal code only if the update sets them or the country: in V2 an
// address may have others.
func applyToAddress(before cohort.Address, u cohort.AddressUpdate) (cohort.Address, error) {
	if err := u.ValidateLengths(); err != nil {
		return before, err
	}
	a := u.Apply(before)
	isNew := before.ID == 0
	c, known := country.ByCode(a.CountryISO2)
	switch {
	case !known:
		return before, cohort.Invalid("country_iso2", "The value is not the ISO 3166-1 alpha-2 code of a country.")
	case isNew || u.CountryISO2 != nil:
		a.Country, a.CountryISO2 = c.Name, c.ISO2
	}
	if err := a.Validate(); err != nil {
		return before, err
	}
	moved := a.CountryISO2 != before.CountryISO2
	switch {
	case (isNew || moved || u.State != nil) && !c.HasState(a.State):
		return before, errNoState
	case (isNew || moved || u.Zip != nil) && !c.HasPostalCode(a.Zip):
		return before, cohort.Invalid("zip", "A valid postal_code is required for address country")
	}
	return a, nil
}

// The text is recorded from the live service.
var errNoState = cohort.Invalid("state", "A valid state_or_province is required for address country")

// ReadAllAddresses sends one page of the addresses of a store that pass the filter, by id,
// to a sink, with their form fields if they are wanted. It returns the number of all that
// pass, or 0 for a page with a cursor.
func (s *Service) ReadAllAddresses(ctx context.Context, storeKey string, f cohort.AddressFilter, formFields bool, p cohort.Page, to Sink[cohort.AddressDetail]) (total int64, err error) {
	read := func(tx *db.Tx) error {
		if formFields {
			return tx.ReadAddressDetails(storeKey, f, p, to.Add)
		}
		return tx.ReadAddresses(storeKey, f, p, func(a cohort.Address) bool { return to.Add(cohort.AddressDetail{Address: a}) })
	}
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := read(tx); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountAddresses(storeKey, f)
		return err
	})
	return total, err
}

// DeleteAddressesByID deletes those of the addresses that exist.
func (s *Service) DeleteAddressesByID(ctx context.Context, storeKey string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteAddressesByID(storeKey, ids) })
}
