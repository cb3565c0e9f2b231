package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// PutFormFields sets form fields of customers and of addresses, all or none. A field that
// its owner has already is overwritten. It returns ItemErrors if a field breaks a rule,
// belongs to a customer or an address that does not exist, is given twice, or would be
// one more than [cohort.MaxFormFields].
func (s *Service) PutFormFields(ctx context.Context, storeKey string, fields []cohort.FormField) error {
	if err := checkFormFields(fields); err != nil {
		return err
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		o := formOwners{store: storeKey, existing: map[fieldKey]int64{}, counts: map[fieldKey]int{}}
		// Customers are locked before addresses, as in every transaction.
		if err := o.holdCustomers(tx, fields); err != nil {
			return err
		}
		if err := o.holdAddresses(tx, fields); err != nil {
			return err
		}
		numbered, err := o.number(fields)
		if err != nil {
			return err
		}
		return tx.PutFormFields(storeKey, numbered)
	})
}

// checkFormFields checks the fields of a request by themselves. It returns ItemErrors.
func checkFormFields(fields []cohort.FormField) error {
	wrong := cohort.ItemErrors{}
	seen := map[fieldKey]bool{}
	for i, f := range fields {
		if err := f.Validate(); err != nil {
			wrong[i] = err
			continue
		}
		if seen[keyOfField(f)] {
			wrong[i] = cohort.Invalid("name", "Another item of the request has the same owner and name.")
		}
		seen[keyOfField(f)] = true
	}
	return wrong.Err()
}

// fieldKey identifies a form field, or with the name "" all fields of an owner.
type fieldKey struct {
	customer, address int64
	name              string
}

func keyOfField(f cohort.FormField) fieldKey { return fieldKey{f.CustomerID, f.AddressID, f.Name} }

func ownerOfField(f cohort.FormField) fieldKey { return fieldKey{f.CustomerID, f.AddressID, ""} }

// formOwners are the locked owners of the fields of a request, with the fields that they
// have.
type formOwners struct {
	store    string
	found    []fieldKey
	existing map[fieldKey]int64 // ids
	counts   map[fieldKey]int   // by owner
}

func (o *formOwners) holdCustomers(tx *db.Tx, fields []cohort.FormField) error {
	ids := ownerIDs(fields, func(f cohort.FormField) int64 { return f.CustomerID })
	addresses := ownerIDs(fields, func(f cohort.FormField) int64 { return f.AddressID })
	found, err := tx.LockCustomersAnd(o.store, ids, addresses)
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, id := range found {
		o.found = append(o.found, fieldKey{customer: id})
	}
	return o.add(tx.FormFieldsOfCustomers(o.store, found))
}

func (o *formOwners) holdAddresses(tx *db.Tx, fields []cohort.FormField) error {
	ids := ownerIDs(fields, func(f cohort.FormField) int64 { return f.AddressID })
	if len(ids) == 0 {
		return nil
	}
	found, err := tx.AddressesForUpdate(o.store, ids)
	if err != nil {
		return err
	}
	for id := range found {
		o.found = append(o.found, fieldKey{address: id})
	}
	return o.add(tx.FormFieldsOfAddresses(o.store, ids))
}

// ownerIDs returns the distinct ids except 0, ascending.
func ownerIDs(fields []cohort.FormField, id func(cohort.FormField) int64) []int64 {
	return slices.DeleteFunc(distinctOf(fields, id), func(id int64) bool { return id == 0 })
}

func (o *formOwners) add(existing map[int64][]cohort.FormField, err error) error {
	for _, fields := range existing {
		for _, f := range fields {
			o.existing[keyOfField(f)] = f.ID
			o.counts[ownerOfField(f)]++
		}
	}
	return err
}

// number returns the fields with the ids of those that exist, and 0 for new ones. It
// returns ItemErrors.
func (o *formOwners) number(fields []cohort.FormField) ([]cohort.FormField, error) {
	numbered := make([]cohort.FormField, len(fields))
	wrong := cohort.ItemErrors{}
	for i, f := range fields {
		f.ID = o.existing[keyOfField(f)]
		if f.ID == 0 {
			o.counts[ownerOfField(f)]++
		}
		switch {
		case !slices.Contains(o.found, ownerOfField(f)) && f.CustomerID != 0:
			wrong[i] = errUnknownCustomer
		case !slices.Contains(o.found, ownerOfField(f)):
			wrong[i] = cohort.Invalid("address_id", errUnknownAddress.Reason)
		case f.ID == 0 && o.counts[ownerOfField(f)] > cohort.MaxFormFields:
			wrong[i] = cohort.Invalid("name", fmt.Sprintf("A customer or an address can have at most %d form fields.", cohort.MaxFormFields))
		}
		numbered[i] = f
	}
	return numbered, wrong.Err()
}

// ReadFormFields sends one page of the form fields that pass the filter, by id, to a
// sink. It returns the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadFormFields(ctx context.Context, storeKey string, f cohort.FormFieldFilter, p cohort.Page, to Sink[cohort.FormField]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadFormFields(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountFormFields(storeKey, f)
		return err
	})
	return total, err
}
