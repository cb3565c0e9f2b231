package db

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"

	"github.com/shopspring/decimal"
)

// customerColumns are a customer's columns but for the group and the password.
const customerColumns = `id, company, first_name, last_name, email, phone, store_credit, registration_ip_address,
	notes, tax_exempt_category, reset_pass_on_login, accepts_marketing, date_created, date_modified`

// groupInEffect is the group that a customer is in: a group that is deleted is
// none, whether its members' rows say so already or not. $1 is the store.
const (
	departed      = "(SELECT group_id FROM departed_groups WHERE store_hash = $1)"
	groupInEffect = "CASE WHEN customer_group_id IN " + departed + " THEN 0 ELSE customer_group_id END"
)

// NextCustomerID returns the id for a new customer of the store.
func (t *Tx) NextCustomerID(storeKey string) (int64, error) {
	return t.NextID(storeKey, "customer")
}

// InsertCustomer adds a customer under its id, with the hash of its password,
// and counts it as a member of its group. Update returns KindConflict if the
// email is taken.
func (t *Tx) InsertCustomer(storeKey string, c cohort.Customer, passwordHash string) error {
	err := t.Later(`INSERT INTO customers (store_hash, email_folded, customer_group_id, password_hash, `+customerColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		storeKey, Fold(c.Email), c.GroupID, passwordHash, c.ID, c.Company, c.FirstName, c.LastName, c.Email, c.Phone,
		creditText(c.StoreCredit), c.RegistrationIPAddress, c.Notes, c.TaxExemptCategory, c.ResetPassOnLogin, c.AcceptsMarketing,
		c.DateCreated.UnixMilli(), c.DateModified.UnixMilli())
	if err != nil {
		return err
	}
	return t.addMember(storeKey, c.GroupID, c.ID)
}

// Customer returns a customer of the store, or KindNotFound.
func (t *Tx) Customer(storeKey string, id int64) (cohort.Customer, error) {
	return t.customer(storeKey, id, "")
}

// CustomerForUpdate is Customer for one that this transaction is about to write:
// until its end nobody else does.
func (t *Tx) CustomerForUpdate(storeKey string, id int64) (cohort.Customer, error) {
	return t.customer(storeKey, id, t.SQL().ForUpdate)
}

func (t *Tx) customer(storeKey string, id int64, lock string) (cohort.Customer, error) {
	c, err := scanCustomer(t.Lookup("SELECT "+groupInEffect+", "+customerColumns+
		" FROM customers WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return c, cohort.NotFound(customerName(id))
	}
	return c, err
}

// CustomerIDByEmail returns the id of the customer who has the email, in
// whatever case, or 0.
func (t *Tx) CustomerIDByEmail(storeKey, email string) (int64, error) {
	return t.findID("SELECT id FROM customers WHERE store_hash = $1 AND email_folded = $2", storeKey, Fold(email))
}

// ReadCustomers calls fn with the customers of a page that pass the filter, by id,
// until it returns false.
func (t *Tx) ReadCustomers(storeKey string, f cohort.CustomerFilter, p cohort.Page, fn func(cohort.Customer) (more bool)) error {
	return listing[cohort.Customer]{
		columns: groupInEffect + ", " + customerColumns, table: "customers",
		where: func() *where { return whereCustomers(storeKey, f) }, keys: byID, scan: scanCustomer,
	}.each(t, p, p.Size, fn)
}

// ListCustomers returns what ReadCustomers reads.
func (t *Tx) ListCustomers(storeKey string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	return all(func(fn func(cohort.Customer) bool) error { return t.ReadCustomers(storeKey, f, p, fn) })
}

// ListCustomersForUpdate is ListCustomers for those whom this transaction is
// about to delete. They have only their ids and groups: a hundred customers may
// have notes of 26 MB.
func (t *Tx) ListCustomersForUpdate(storeKey string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	w := whereCustomers(storeKey, f)
	if err := w.slice(p, p.Size, byID); err != nil {
		return nil, err
	}
	rows, err := t.Query("SELECT "+groupInEffect+", id FROM customers"+w.text.String()+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (c cohort.Customer, err error) { return c, row.Scan(&c.GroupID, &c.ID) })
}

// CountCustomers returns how many customers pass the filter.
func (t *Tx) CountCustomers(storeKey string, f cohort.CustomerFilter) (int64, error) {
	w := whereCustomers(storeKey, f)
	var n int64
	err := t.QueryRow("SELECT count(*) FROM customers"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereCustomers(storeKey string, f cohort.CustomerFilter) *where {
	w := whereStore(storeKey)
	for _, text := range []struct {
		column string
		value  *string
	}{
		{"company", f.Company}, {"first_name", f.FirstName}, {"last_name", f.LastName},
		{"phone", f.Phone}, {"tax_exempt_category", f.TaxExemptCategory},
	} {
		if text.value != nil {
			w.and(text.column+" = ?", *text.value)
		}
	}
	if f.Email != nil {
		w.and("email_folded = ?", Fold(*f.Email))
	}
	if f.StoreCredit != nil {
		w.and("store_credit = ?", creditFilter(*f.StoreCredit))
	}
	switch {
	case f.GroupID == nil:
	case *f.GroupID == 0:
		w.and("(customer_group_id = ? OR customer_group_id IN "+departed+")", 0)
	default:
		w.and("customer_group_id = ? AND customer_group_id NOT IN "+departed, *f.GroupID)
	}
	if f.MinID > 0 {
		w.and("id >= ?", f.MinID)
	}
	if f.MaxID > 0 {
		w.and("id <= ?", f.MaxID)
	}
	w.span("date_created", f.DateCreated)
	w.span("date_modified", f.DateModified)
	return w
}

// UpdateCustomer writes a customer over the one with its id and keeps the
// member counts; before is that one as it was read in this transaction. An
// empty passwordHash keeps the password. Update returns KindConflict if the
// email is taken by another.
func (t *Tx) UpdateCustomer(storeKey string, before, c cohort.Customer, passwordHash string) error {
	err := t.Later(`UPDATE customers SET company = $3, first_name = $4, last_name = $5, email = $6, email_folded = $7,
		phone = $8, store_credit = $9, registration_ip_address = $10, customer_group_id = $11, notes = $12,
		tax_exempt_category = $13, reset_pass_on_login = $14, accepts_marketing = $15, date_modified = $16,
		password_hash = CASE WHEN $17 = '' THEN password_hash ELSE $17 END
		WHERE store_hash = $1 AND id = $2`,
		storeKey, c.ID, c.Company, c.FirstName, c.LastName, c.Email, Fold(c.Email),
		c.Phone, creditText(c.StoreCredit), c.RegistrationIPAddress, c.GroupID, c.Notes,
		c.TaxExemptCategory, c.ResetPassOnLogin, c.AcceptsMarketing, c.DateModified.UnixMilli(), passwordHash)
	if err != nil || before.GroupID == c.GroupID {
		return err
	}
	return t.moveMember(storeKey, before.GroupID, c.GroupID, c.ID)
}

// PasswordHash returns the hash of a customer's password, "" when there is no
// such customer.
func (t *Tx) PasswordHash(storeKey string, id int64) (string, error) {
	var hash string
	err := t.Lookup("SELECT password_hash FROM customers WHERE store_hash = $1 AND id = $2", storeKey, id).Scan(&hash)
	if errors.Is(err, txn.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

// DeleteCustomer deletes a customer with its addresses, and takes it out of
// its group's count. c is the customer as it was read in this transaction.
func (t *Tx) DeleteCustomer(storeKey string, c cohort.Customer) error {
	n, err := t.Exec("DELETE FROM customers WHERE store_hash = $1 AND id = $2", storeKey, c.ID)
	if err := mustChange(n, err, customerName(c.ID)); err != nil {
		return err
	}
	return t.dropMember(storeKey, c.GroupID, c.ID)
}

func customerName(id int64) string { return fmt.Sprintf("customer %d", id) }

func scanCustomer(row txn.Scanner) (cohort.Customer, error) {
	var c cohort.Customer
	var credit string
	var created, modified int64
	err := row.Scan(&c.GroupID, &c.ID, &c.Company, &c.FirstName, &c.LastName, &c.Email, &c.Phone, &credit,
		&c.RegistrationIPAddress, &c.Notes, &c.TaxExemptCategory, &c.ResetPassOnLogin, &c.AcceptsMarketing, &created, &modified)
	if err != nil {
		return c, err
	}
	c.DateCreated, c.DateModified = fromMillis(created), fromMillis(modified)
	if c.StoreCredit, err = decimal.NewFromString(credit); err != nil {
		return c, fmt.Errorf("store_credit of customer %d: %w", c.ID, err)
	}
	return c, nil
}

// creditFilter is the text that a credit is kept as; one with more decimals than
// are kept is no credit's.
func creditFilter(d decimal.Decimal) string {
	if d.Equal(d.Truncate(cohort.AmountScale)) {
		return creditText(d)
	}
	return d.String()
}

// creditText is how a store credit is kept, so that equal ones are equal texts.
func creditText(d decimal.Decimal) string { return d.StringFixed(cohort.AmountScale) }
