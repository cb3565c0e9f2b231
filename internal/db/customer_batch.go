package db

import (
	"cmp"
	"errors"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// CustomerWrite is a customer to insert or update.
type CustomerWrite struct {
	// Before is the customer as read in this transaction. It is not used for a new
	// customer.
	Before cohort.Customer
	cohort.Customer
	// PasswordHash may be empty in an update, which then keeps the password.
	PasswordHash string
}

// customerEmails is the index that keeps the emails of a store's customers unique. Its
// error only tells the service to look for the email; see EmailIsTaken.
var customerEmails = txn.UniqueIndex{
	Name: "customers_by_email", Column: "customers.email_folded",
	Taken: cohort.Invalid("email", "Another customer has this email."),
}

// EmailIsTaken reports whether err says that a transaction wrote an email that another
// customer has.
func EmailIsTaken(err error) bool {
	e, ok := errors.AsType[*cohort.Error](err)
	return ok && e.Field == customerEmails.Taken.Field && e.Reason == customerEmails.Taken.Reason
}

// InsertCustomers adds customers under their ids, in one statement, and counts them as
// members of their groups in another one. The commit returns an error for which
// EmailIsTaken holds if another customer has one of the emails. A caller keeps a batch small: a customer has 19
// arguments, and an engine accepts 32 766.
func (t *Tx) InsertCustomers(storeKey string, customers []CustomerWrite) error {
	if err := t.insertCustomers(storeKey, customers, ""); err != nil {
		return err
	}
	counts := memberChanges{}
	for _, c := range customers {
		counts.add(c.GroupID, c.ID, 1)
	}
	if err := t.recordNewCustomers(storeKey, customers); err != nil {
		return err
	}
	return t.changeMembers(storeKey, counts)
}

// UpdateCustomers overwrites customers, except their creation dates and origin channels,
// in one statement, and adjusts the member counts in two more. The customers must
// exist, and be locked by this transaction. The commit returns an error for which
// EmailIsTaken holds if another customer has one of the emails.
func (t *Tx) UpdateCustomers(storeKey string, customers []CustomerWrite) error {
	// An insertion that always finds a row is the form that both engines have for many
	// rows.
	err := t.insertCustomers(storeKey, customers, " ON CONFLICT (store_hash, id) DO UPDATE SET "+changedIndexes(customers)+
		`company = excluded.company, first_name = excluded.first_name, phone = excluded.phone,
		store_credit = excluded.store_credit, registration_ip_address = excluded.registration_ip_address,
		notes = excluded.notes, tax_exempt_category = excluded.tax_exempt_category,
		reset_pass_on_login = excluded.reset_pass_on_login, accepts_marketing = excluded.accepts_marketing,
		date_modified = excluded.date_modified, channel_ids = excluded.channel_ids,
		password_hash = CASE WHEN excluded.password_hash = '' THEN customers.password_hash ELSE excluded.password_hash END`)
	if err != nil {
		return err
	}
	counts := memberChanges{}
	for _, c := range customers {
		counts.add(c.Before.GroupID, c.ID, -1)
		counts.add(c.GroupID, c.ID, 1)
	}
	if err := t.recordCustomers(storeKey, customers); err != nil {
		return err
	}
	return t.changeMembers(storeKey, counts)
}

// changedIndexes returns the assignments of those columns that are in an index of their
// own and change in one of the customers. SQLite rewrites the index of each column that a
// statement assigns, even if the value stays.
func changedIndexes(customers []CustomerWrite) (assignments string) {
	for _, column := range []struct {
		changed     func(before, after cohort.Customer) bool
		assignments string
	}{
		{
			func(b, a cohort.Customer) bool { return b.Email != a.Email },
			"email = excluded.email, email_folded = excluded.email_folded, ",
		},
		{func(b, a cohort.Customer) bool { return b.LastName != a.LastName }, "last_name = excluded.last_name, "},
		{func(b, a cohort.Customer) bool { return b.GroupID != a.GroupID }, "customer_group_id = excluded.customer_group_id, "},
	} {
		if slices.ContainsFunc(customers, func(w CustomerWrite) bool { return column.changed(w.Before, w.Customer) }) {
			assignments += column.assignments
		}
	}
	return assignments
}

// insertCustomers inserts customers in the order of their emails, to avoid a deadlock
// between two transactions that write the same emails: each waits for the end of the
// other where the index has an email of it. The rows of customers that exist are locked
// already. end follows the rows.
func (t *Tx) insertCustomers(storeKey string, customers []CustomerWrite, end string) error {
	rows := make([][]any, len(customers))
	for i, c := range customers {
		rows[i] = customerValues(c)
	}
	slices.SortFunc(rows, func(a, b []any) int { return cmp.Compare(a[0].(string), b[0].(string)) }) // the folded email
	return t.insertValues(storeKey, "customers", "email_folded, customer_group_id, password_hash, "+customerColumns, rows, end)
}

// customerValues returns the values of the columns of a customer after store_hash.
func customerValues(c CustomerWrite) []any {
	return []any{
		Fold(c.Email), c.GroupID, c.PasswordHash, c.ID, c.Company, c.FirstName, c.LastName, c.Email, c.Phone,
		creditText(c.StoreCredit), c.RegistrationIPAddress, c.Notes, c.TaxExemptCategory, c.ResetPassOnLogin, c.AcceptsMarketing,
		c.DateCreated.UnixMilli(), c.DateModified.UnixMilli(), c.OriginChannelID, encodeChannelIDs(c.ChannelIDs),
	}
}

// LockedCustomer is a customer whose row is locked.
type LockedCustomer struct {
	cohort.Customer
	HasForm bool // it has form fields
}

// CustomersForUpdate returns those of the customers that exist, by id, and locks their
// rows: no other transaction writes them or their form fields until this one ends.
func (t *Tx) CustomersForUpdate(storeKey string, ids []int64) (map[int64]LockedCustomer, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	selected := " FROM customers" + w.text.String() + " ORDER BY id"
	if lock := t.SQL().ForUpdate; lock != "" {
		// A statement that waits for a lock does not see form fields that were committed
		// meanwhile. The next one does. Both are sent together.
		if err := t.Later("SELECT id"+selected+lock, w.args...); err != nil {
			return nil, err
		}
	}
	rows, err := t.Query("SELECT "+groupInEffect+", "+customerColumns+", "+customerHasForm+selected, w.args...)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanCustomerOwner)
	found := make(map[int64]LockedCustomer, len(list))
	for _, o := range list {
		found[o.row.ID] = LockedCustomer{o.row.Customer, o.hasForm}
	}
	return found, err
}

// CustomersForDelete returns those of the customers that exist, and locks their rows as
// a deletion does. Only the fields ID and GroupID are set: the notes of many customers
// are large.
func (t *Tx) CustomersForDelete(storeKey string, ids []int64) ([]cohort.Customer, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT "+groupInEffect+", id FROM customers"+w.text.String()+" ORDER BY id"+t.SQL().ForDelete, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanMember)
}

func scanMember(row txn.Scanner) (c cohort.Customer, err error) {
	return c, row.Scan(&c.GroupID, &c.ID)
}

// DeleteCustomers deletes customers with everything that belongs to them, in one
// statement, and subtracts them from the member counts in two more. The customers must
// be locked by this transaction.
func (t *Tx) DeleteCustomers(storeKey string, customers []cohort.Customer) error {
	if len(customers) == 0 {
		return nil
	}
	addresses, err := t.addressCounts(storeKey, customers)
	if err != nil {
		return err
	}
	ids := make([]int64, len(customers))
	counts := memberChanges{}
	for i, c := range customers {
		ids[i] = c.ID
		counts.add(c.GroupID, c.ID, -1)
	}
	w := whereStore(storeKey)
	in(w, "id", ids)
	if err := t.Later("DELETE FROM customers"+w.text.String(), w.args...); err != nil {
		return err
	}
	if err := t.recordDeletedCustomers(storeKey, customers, addresses); err != nil {
		return err
	}
	return t.changeMembers(storeKey, counts)
}

// CustomerIDsByEmails returns the ids of the customers that have the emails, ignoring
// case, by the folded email; see Fold.
func (t *Tx) CustomerIDsByEmails(storeKey string, emails []string) (map[string]int64, error) {
	folded := make([]string, len(emails))
	for i, e := range emails {
		folded[i] = Fold(e)
	}
	w := whereStore(storeKey)
	in(w, "email_folded", folded)
	rows, err := t.Query("SELECT email_folded, id FROM customers"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	type owner struct {
		email string
		id    int64
	}
	list, err := txn.Collect(rows, func(row txn.Scanner) (o owner, err error) { return o, row.Scan(&o.email, &o.id) })
	owners := make(map[string]int64, len(list))
	for _, o := range list {
		owners[o.email] = o.id
	}
	return owners, err
}
