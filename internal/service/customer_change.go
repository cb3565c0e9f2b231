package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// UpdateCustomers changes the customers of a batch, all or none, and returns their new
// states in order. An empty update changes nothing, not even the modification date;
// neither do form fields.
//
// It returns ItemErrors for the items that are in the batch twice, whose customer does
// not exist (KindNotFound), or that CreateCustomers would reject. An email counts as
// taken if another customer has it before the call, even if the batch changes that one.
func (s *Service) UpdateCustomers(ctx context.Context, storeKey string, items []CustomerChange) (after []cohort.Customer, err error) {
	err = s.changeCustomers(ctx, storeKey, items, func(_ *db.Tx, _ *customerChanges, writes []db.CustomerWrite) error {
		after = customersOf(writes)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// changeCustomers is UpdateCustomers. It calls seen in the transaction, with the new
// states of the customers.
func (s *Service) changeCustomers(ctx context.Context, storeKey string, items []CustomerChange, seen func(*db.Tx, *customerChanges, []db.CustomerWrite) error) error {
	b, err := newCustomerChanges(storeKey, items)
	if err != nil {
		return err
	}
	passwords := make([]*string, len(items))
	for i, item := range items {
		passwords[i] = item.Password
	}
	hashes, err := s.hashPasswords(ctx, storeKey, passwords)
	if err != nil {
		return err
	}
	return s.writeCustomers(ctx, storeKey, func(tx *db.Tx, _ bool) error {
		writes, err := b.check(tx)
		if err != nil {
			return err
		}
		var changed []db.CustomerWrite
		for i := range writes {
			w := &writes[i]
			if items[i].IsEmpty() {
				continue
			}
			w.DateModified, w.PasswordHash = laterOf(s.timestamp(storeKey), w.Before.DateModified), hashes[i]
			changed = append(changed, *w)
		}
		if err := b.putForms(tx); err != nil {
			return err
		}
		if err := seen(tx, b, writes); err != nil || len(changed) == 0 {
			return err
		}
		return tx.UpdateCustomers(storeKey, changed)
	})
}

// customerChanges is a batch of updates.
type customerChanges struct {
	storeKey string
	items    []CustomerChange
	ids      []int64                     // sorted
	groups   []int64                     // that an item names
	before   map[int64]db.LockedCustomer // as read by check
}

// newCustomerChanges applies the rules that need no database. It returns ItemErrors.
func newCustomerChanges(storeKey string, items []CustomerChange) (*customerChanges, error) {
	b := &customerChanges{storeKey: storeKey, items: items}
	wrong := cohort.ItemErrors{}
	for i, item := range items {
		if slices.Contains(b.ids, item.ID) {
			wrong[i] = cohort.Invalid("id", "There is another item with this id in the request.")
		} else if err := checkPassword(item.CustomerUpdate); err != nil {
			wrong[i] = err
		} else if err := checkForm(item.FormFields, "customer"); err != nil {
			wrong[i] = err
		}
		b.ids = append(b.ids, item.ID)
		if item.GroupID != nil {
			b.groups = append(b.groups, *item.GroupID)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	slices.Sort(b.ids)
	return b, nil
}

// check locks the customers and what they refer to, and returns the changes to write by
// item, or ItemErrors. It locks groups before channels and channels before customers; a
// deletion of a group locks them in the same order.
func (b *customerChanges) check(tx *db.Tx) ([]db.CustomerWrite, error) {
	groups, err := holdGroups(tx, b.storeKey, b.groups)
	if err != nil {
		return nil, err
	}
	unreferenced := cohort.ItemErrors{} // has the lowest precedence
	named := make([]namedChannels, len(b.items))
	for i, item := range b.items {
		if item.GroupID != nil && *item.GroupID != 0 && !groups[*item.GroupID] {
			unreferenced[i] = errUnknownGroup
		}
		if item.ChannelIDs != nil {
			named[i].ids = *item.ChannelIDs
		}
	}
	if err := checkCustomerChannels(tx, b.storeKey, named, unreferenced); err != nil {
		return nil, err
	}
	if b.before, err = tx.CustomersForUpdate(b.storeKey, b.ids); err != nil {
		return nil, err
	}
	writes, wrong := b.apply()
	if len(wrong) > 0 {
		return nil, wrong
	}
	if !slices.ContainsFunc(writes, changesEmail) {
		return writes, unreferenced.Err()
	}
	return writes, checkEmails(tx, b.storeKey, writes, unreferenced)
}

func changesEmail(w db.CustomerWrite) bool { return db.Fold(w.Email) != db.Fold(w.Before.Email) }

// apply applies the updates to the customers as read.
func (b *customerChanges) apply() ([]db.CustomerWrite, cohort.ItemErrors) {
	writes := make([]db.CustomerWrite, len(b.items))
	wrong := cohort.ItemErrors{}
	for i, item := range b.items {
		c, found := b.before[item.ID]
		if !found {
			wrong[i] = cohort.NotFound(fmt.Sprintf("customer %d", item.ID))
			continue
		}
		writes[i] = db.CustomerWrite{Before: c.Customer, Customer: item.Apply(c.Customer)}
		writes[i].OriginChannelID = c.OriginChannelID // never changes
		if item.IsEmpty() {
			continue
		}
		if err := writes[i].Validate(); err != nil {
			wrong[i] = err
		}
	}
	return writes, wrong
}

// putForms sets the form fields of the items. It returns ItemErrors for customers that
// would have too many.
func (b *customerChanges) putForms(tx *db.Tx) error {
	var fields []cohort.FormField
	var owners []int64 // that have some already
	for _, item := range b.items {
		for _, f := range item.FormFields {
			f.CustomerID = item.ID
			fields = append(fields, f)
		}
		if len(item.FormFields) > 0 && b.before[item.ID].HasForm {
			owners = append(owners, item.ID)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	existing, err := tx.FormFieldsOfCustomers(b.storeKey, owners)
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, item := range b.items {
		names := map[string]bool{}
		for _, f := range slices.Concat(existing[item.ID], item.FormFields) {
			names[f.Name] = true
		}
		if len(names) > cohort.MaxFormFields {
			wrong[i] = cohort.Invalid("form_fields", fmt.Sprintf("A customer can have at most %d form fields.", cohort.MaxFormFields))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return tx.PutFormFields(b.storeKey, fields)
}

// DeleteCustomersByID deletes those of the customers that exist, with everything that
// belongs to them. It returns KindInvalid for more ids than
// [cohort.MaxDeleteCustomersByID].
func (s *Service) DeleteCustomersByID(ctx context.Context, storeKey string, ids []int64) error {
	switch {
	case len(ids) == 0:
		return nil
	case len(ids) > cohort.MaxDeleteCustomersByID:
		return cohort.Invalid("id:in", fmt.Sprintf("A request deletes at most %d customers.", cohort.MaxDeleteCustomersByID))
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error {
		customers, err := tx.CustomersForDelete(storeKey, ids)
		if err != nil {
			return err
		}
		return tx.DeleteCustomers(storeKey, customers)
	})
}
