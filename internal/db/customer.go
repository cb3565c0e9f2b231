package db

import (
	"encoding/json"
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"

	"github.com/shopspring/decimal"
)

// customerColumns are the columns of a customer except its group and password.
const customerColumns = `id, company, first_name, last_name, email, phone, store_credit, registration_ip_address,
	notes, tax_exempt_category, reset_pass_on_login, accepts_marketing, date_created, date_modified, origin_channel_id, channel_ids`

const (
	// tombstones selects the ids of deleted groups that customers' rows may still
	// name. $1 is the store's key.
	tombstones = "(SELECT group_id FROM departed_groups WHERE store_hash = $1)"
	// groupInEffect is the id of the group that a customer is in. It is 0 for a
	// deleted group, even while the customer's row still names it.
	groupInEffect = "CASE WHEN customer_group_id IN " + tombstones + " THEN 0 ELSE customer_group_id END"
)

// InsertCustomer is InsertCustomers for one customer.
func (t *Tx) InsertCustomer(storeKey string, c cohort.Customer, passwordHash string) error {
	return t.InsertCustomers(storeKey, []CustomerWrite{{Customer: c, PasswordHash: passwordHash}})
}

// Customer returns a customer of the store, or KindNotFound.
func (t *Tx) Customer(storeKey string, id int64) (cohort.Customer, error) {
	return t.customer(storeKey, id, "")
}

// CustomerForUpdate is Customer with a row lock: no other transaction writes the
// row until this one ends.
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

// CustomerDetail is Customer with the form fields of the customer.
func (t *Tx) CustomerDetail(storeKey string, id int64) (cohort.CustomerDetail, error) {
	o, err := scanCustomerOwner(t.Lookup("SELECT "+groupInEffect+", "+customerColumns+", "+customerHasForm+
		" FROM customers WHERE store_hash = $1 AND id = $2", storeKey, id))
	switch {
	case errors.Is(err, txn.ErrNoRows):
		return o.row, cohort.NotFound(customerName(id))
	case err != nil || !o.hasForm:
		return o.row, err
	}
	fields, err := t.FormFieldsOfCustomers(storeKey, []int64{id})
	o.row.FormFields = fields[id]
	return o.row, err
}

// ReadCustomers calls fn with the customers of a page that pass the filter and their form
// fields, ordered by id, until fn returns false.
func (t *Tx) ReadCustomers(storeKey string, f cohort.CustomerFilter, p cohort.Page, fn func(cohort.CustomerDetail) (more bool)) error {
	return formList[cohort.CustomerDetail]{
		listing: listing[formOwner[cohort.CustomerDetail]]{
			columns: groupInEffect + ", " + customerColumns, late: customerHasForm, table: "customers",
			where: func() *where { return t.whereCustomers(storeKey, f, t.unindexedDates()) }, keys: byID, scan: scanCustomerOwner,
		},
		id:       func(d cohort.CustomerDetail) int64 { return d.ID },
		size:     func(d cohort.CustomerDetail) int { return sizeOf(d.Customer) },
		fieldsOf: t.FormFieldsOfCustomers,
		set:      func(d *cohort.CustomerDetail, fields []cohort.FormField) { d.FormFields = fields },
	}.each(t, storeKey, p, fn)
}

// ListCustomersForUpdate returns the customers of a page that pass the filter, and
// locks their rows, for a transaction that deletes them. It reads only their ids
// and groups: the notes of a hundred customers may have 26 MB.
func (t *Tx) ListCustomersForUpdate(storeKey string, f cohort.CustomerFilter, p cohort.Page) ([]cohort.Customer, error) {
	w := t.whereCustomers(storeKey, f, t.unindexedDates())
	if err := w.page(p, p.Size, byID); err != nil {
		return nil, err
	}
	rows, err := t.Query("SELECT "+groupInEffect+", id FROM customers"+w.text.String()+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanMember)
}

// CountCustomers returns how many customers pass the filter.
func (t *Tx) CountCustomers(storeKey string, f cohort.CustomerFilter) (int64, error) {
	dates := indexedDates
	if readsRows(f) {
		dates = t.unindexedDates()
	}
	w := t.whereCustomers(storeKey, f, dates)
	var n int64
	err := t.QueryRow("SELECT count(*) FROM customers"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// UpdateCustomer is UpdateCustomers for one customer.
func (t *Tx) UpdateCustomer(storeKey string, before, c cohort.Customer, passwordHash string) error {
	return t.UpdateCustomers(storeKey, []CustomerWrite{{before, c, passwordHash}})
}

// PasswordHash returns the hash of a customer's password, or "" if the customer
// does not exist.
func (t *Tx) PasswordHash(storeKey string, id int64) (string, error) {
	var hash string
	err := t.Lookup("SELECT password_hash FROM customers WHERE store_hash = $1 AND id = $2", storeKey, id).Scan(&hash)
	if errors.Is(err, txn.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

// DeleteCustomer deletes a customer with its addresses, and subtracts it from its
// group's member count. c is the customer as read in this transaction.
func (t *Tx) DeleteCustomer(storeKey string, c cohort.Customer) error {
	addresses, err := t.addressCounts(storeKey, []cohort.Customer{c})
	if err != nil {
		return err
	}
	n, err := t.Exec("DELETE FROM customers WHERE store_hash = $1 AND id = $2", storeKey, c.ID)
	if err := requireRow(n, err, customerName(c.ID)); err != nil {
		return err
	}
	if err := t.recordDeletedCustomers(storeKey, []cohort.Customer{c}, addresses); err != nil {
		return err
	}
	counts := memberChanges{}
	counts.add(c.GroupID, c.ID, -1)
	return t.changeMembers(storeKey, counts)
}

func customerName(id int64) string { return fmt.Sprintf("customer %d", id) }

func scanCustomer(row txn.Scanner) (cohort.Customer, error) {
	var c cohort.Customer
	err := scanCustomerInto(row, &c)
	return c, err
}

// scanCustomerOwner scans a row whose last column is customerHasForm.
func scanCustomerOwner(row txn.Scanner) (formOwner[cohort.CustomerDetail], error) {
	var o formOwner[cohort.CustomerDetail]
	err := scanCustomerInto(row, &o.row.Customer, &o.hasForm)
	return o, err
}

// scanCustomerInto scans a customer, and more columns after those of customerColumns.
func scanCustomerInto(row txn.Scanner, c *cohort.Customer, more ...any) error {
	var credit, channels string
	var created, modified int64
	err := row.Scan(append([]any{
		&c.GroupID, &c.ID, &c.Company, &c.FirstName, &c.LastName, &c.Email, &c.Phone, &credit,
		&c.RegistrationIPAddress, &c.Notes, &c.TaxExemptCategory, &c.ResetPassOnLogin, &c.AcceptsMarketing, &created, &modified,
		&c.OriginChannelID, &channels,
	}, more...)...)
	if err != nil {
		return err
	}
	c.DateCreated, c.DateModified = fromMillis(created), fromMillis(modified)
	if c.StoreCredit, err = decimal.NewFromString(credit); err != nil {
		return fmt.Errorf("store_credit of customer %d: %w", c.ID, err)
	}
	if c.ChannelIDs, err = decodeChannelIDs(channels); err != nil {
		return fmt.Errorf("channel_ids of customer %d: %w", c.ID, err)
	}
	return nil
}

// creditText is the stored form of a store credit. Equal credits have equal
// texts.
func creditText(d decimal.Decimal) string { return d.StringFixed(cohort.AmountScale) }

// encodeChannelIDs returns the stored form of the channels of a customer: ” for nil.
func encodeChannelIDs(ids []int64) string {
	if ids == nil {
		return ""
	}
	return mustMarshal(ids)
}

func decodeChannelIDs(text string) (ids []int64, err error) {
	if text == "" {
		return nil, nil
	}
	return ids, json.Unmarshal([]byte(text), &ids)
}
