package db

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const addressColumns = `id, customer_id, first_name, last_name, company, street_1, street_2, city, state, zip,
	country, country_iso2, phone, address_type`

// CreateAddress is InsertAddress with the next id of the store. It returns the address with
// the id.
func (t *Tx) CreateAddress(storeKey string, a cohort.Address) (cohort.Address, error) {
	var err error
	if a.ID, err = t.NextID(storeKey, "customer_address"); err != nil {
		return a, err
	}
	return a, t.InsertAddress(storeKey, a)
}

// InsertAddress adds an address under its id. The commit returns KindNotFound if
// the customer does not exist.
func (t *Tx) InsertAddress(storeKey string, a cohort.Address) error {
	err := t.Later("INSERT INTO customer_addresses (store_hash, "+addressColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		append([]any{storeKey}, addressValues(a)...)...)
	if err != nil {
		return err
	}
	return t.recordNewAddresses(storeKey, a)
}

// Address returns an address of a customer, or of any customer of the store when
// customerID is 0, with its form fields. It returns KindNotFound.
func (t *Tx) Address(storeKey string, customerID, id int64) (cohort.AddressDetail, error) {
	w := whereAddress(storeKey, customerID, id)
	o, err := scanAddressOwner(t.Lookup("SELECT "+addressColumns+", "+addressHasForm+" FROM customer_addresses"+w.text.String(), w.args...))
	switch {
	case errors.Is(err, txn.ErrNoRows):
		return o.row, cohort.NotFound(addressName(id))
	case err != nil || !o.hasForm:
		return o.row, err
	}
	fields, err := t.FormFieldsOfAddresses(storeKey, []int64{id})
	o.row.FormFields = fields[id]
	return o.row, err
}

// AddressForUpdate is Address with a row lock: no other transaction writes the row or the
// form fields until this one ends.
func (t *Tx) AddressForUpdate(storeKey string, customerID, id int64) (cohort.AddressDetail, error) {
	if lock := t.SQL().ForUpdate; lock != "" {
		// A statement that waits for a lock does not see form fields that were committed
		// meanwhile. The next one does. Both are sent together.
		w := whereAddress(storeKey, customerID, id)
		if err := t.Later("SELECT id FROM customer_addresses"+w.text.String()+lock, w.args...); err != nil {
			return cohort.AddressDetail{}, err
		}
	}
	return t.Address(storeKey, customerID, id)
}

func whereAddress(storeKey string, customerID, id int64) *where {
	w := whereStore(storeKey)
	w.and("id = ?", id)
	if customerID != 0 {
		w.and("customer_id = ?", customerID)
	}
	return w
}

// ReadAddresses calls fn with the addresses of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadAddresses(storeKey string, f cohort.AddressFilter, p cohort.Page, fn func(cohort.Address) (more bool)) error {
	return listing[cohort.Address]{
		columns: addressColumns, table: "customer_addresses", where: func() *where { return whereAddresses(storeKey, f) },
		keys: addressKeys(f), scan: scanAddress,
	}.each(t, p, p.Size, fn)
}

func addressKeys(f cohort.AddressFilter) []sortKey {
	if len(f.CustomerIDs) > 1 {
		return byUnindexedID
	}
	return byID
}

// ReadAddressDetails is ReadAddresses with the form fields of the addresses.
func (t *Tx) ReadAddressDetails(storeKey string, f cohort.AddressFilter, p cohort.Page, fn func(cohort.AddressDetail) (more bool)) error {
	return formList[cohort.AddressDetail]{
		listing: listing[formOwner[cohort.AddressDetail]]{
			columns: addressColumns, late: addressHasForm, table: "customer_addresses",
			where: func() *where { return whereAddresses(storeKey, f) }, keys: addressKeys(f), scan: scanAddressOwner,
		},
		id:       func(d cohort.AddressDetail) int64 { return d.ID },
		size:     func(cohort.AddressDetail) int { return 0 }, // the addresses of a page have 2 MB at most
		fieldsOf: t.FormFieldsOfAddresses,
		set:      func(d *cohort.AddressDetail, fields []cohort.FormField) { d.FormFields = fields },
	}.each(t, storeKey, p, fn)
}

// CountAddresses returns how many addresses pass the filter.
func (t *Tx) CountAddresses(storeKey string, f cohort.AddressFilter) (n int64, err error) {
	w := whereAddresses(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM customer_addresses"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereAddresses(storeKey string, f cohort.AddressFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	in(w, "customer_id", f.CustomerIDs)
	in(w, "company", f.Companies)
	in(w, "first_name || ' ' || last_name", f.Names)
	return w
}

// UpdateAddress overwrites the address with the same id, or returns KindNotFound. before is
// the address as read in this transaction.
func (t *Tx) UpdateAddress(storeKey string, before, a cohort.Address) error {
	n, err := t.Exec(`UPDATE customer_addresses SET first_name = $3, last_name = $4, company = $5, street_1 = $6,
		street_2 = $7, city = $8, state = $9, zip = $10, country = $11, country_iso2 = $12, phone = $13, address_type = $14
		WHERE store_hash = $1 AND id = $2`,
		storeKey, a.ID, a.FirstName, a.LastName, a.Company, a.Street1,
		a.Street2, a.City, a.State, a.Zip, a.Country, a.CountryISO2, a.Phone, a.Type)
	if err := requireRow(n, err, addressName(a.ID)); err != nil {
		return err
	}
	return t.recordChangedAddresses(storeKey, map[int64]cohort.Address{before.ID: before}, a)
}

// DeleteAddress deletes an address of a customer, or returns KindNotFound.
func (t *Tx) DeleteAddress(storeKey string, customerID, id int64) error {
	w := whereStore(storeKey)
	w.and("customer_id = ?", customerID)
	w.and("id = ?", id)
	n, err := t.deleteAddresses(storeKey, w)
	return requireRow(n, err, addressName(id))
}

// DeleteAddresses deletes every address of a customer.
func (t *Tx) DeleteAddresses(storeKey string, customerID int64) error {
	w := whereStore(storeKey)
	w.and("customer_id = ?", customerID)
	_, err := t.deleteAddresses(storeKey, w)
	return err
}

// deleteAddresses deletes the addresses that w selects, and returns their number.
func (t *Tx) deleteAddresses(storeKey string, w *where) (n int64, err error) {
	query := "DELETE FROM customer_addresses" + w.text.String()
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		if err != nil {
			return 0, err
		}
		return t.Exec(query, w.args...)
	}
	rows, err := t.Query(query+" RETURNING "+addressColumns, w.args...)
	if err != nil {
		return 0, err
	}
	deleted, err := txn.Collect(rows, scanAddress)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(deleted, func(a, b cohort.Address) int { return cmp.Compare(a.ID, b.ID) })
	return int64(len(deleted)), t.recordDeletedAddresses(storeKey, deleted)
}

func addressName(id int64) string { return fmt.Sprintf("address %d", id) }

func scanAddress(row txn.Scanner) (cohort.Address, error) {
	var a cohort.Address
	err := scanAddressInto(row, &a)
	return a, err
}

// scanAddressOwner scans a row whose last column is addressHasForm.
func scanAddressOwner(row txn.Scanner) (formOwner[cohort.AddressDetail], error) {
	var o formOwner[cohort.AddressDetail]
	err := scanAddressInto(row, &o.row.Address, &o.hasForm)
	return o, err
}

// scanAddressInto scans an address, and more columns after those of addressColumns.
func scanAddressInto(row txn.Scanner, a *cohort.Address, more ...any) error {
	return row.Scan(append([]any{
		&a.ID, &a.CustomerID, &a.FirstName, &a.LastName, &a.Company, &a.Street1, &a.Street2, &a.City, &a.State, &a.Zip,
		&a.Country, &a.CountryISO2, &a.Phone, &a.Type,
	}, more...)...)
}
