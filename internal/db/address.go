package db

import (
	"errors"
	"fmt"
	"strconv"

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
	return t.Later("INSERT INTO customer_addresses (store_hash, "+addressColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		append([]any{storeKey}, addressValues(a)...)...)
}

// Address returns an address of a customer, or of any customer of the store
// when customerID is 0. It returns KindNotFound.
func (t *Tx) Address(storeKey string, customerID, id int64) (cohort.Address, error) {
	return t.address(storeKey, customerID, id, "")
}

// AddressForUpdate is Address with a row lock: no other transaction writes the
// row until this one ends.
func (t *Tx) AddressForUpdate(storeKey string, customerID, id int64) (cohort.Address, error) {
	return t.address(storeKey, customerID, id, t.SQL().ForUpdate)
}

func (t *Tx) address(storeKey string, customerID, id int64, lock string) (cohort.Address, error) {
	w := whereStore(storeKey)
	w.and("id = ?", id)
	if customerID != 0 {
		w.and("customer_id = ?", customerID)
	}
	a, err := scanAddress(t.Lookup("SELECT "+addressColumns+" FROM customer_addresses"+w.text.String()+lock, w.args...))
	if errors.Is(err, txn.ErrNoRows) {
		return a, cohort.NotFound(addressName(id))
	}
	return a, err
}

// ReadAddresses calls fn with the addresses of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadAddresses(storeKey string, f cohort.AddressFilter, p cohort.Page, fn func(cohort.Address) (more bool)) error {
	return addressList(storeKey, f).each(t, p, p.Size, fn)
}

func addressList(storeKey string, f cohort.AddressFilter) listing[cohort.Address] {
	keys := byID
	if len(f.CustomerIDs) > 1 {
		keys = byUnindexedID
	}
	return listing[cohort.Address]{
		columns: addressColumns, table: "customer_addresses", where: func() *where { return whereAddresses(storeKey, f) },
		keys: keys, scan: scanAddress,
	}
}

// addressBatch is how many addresses of a list get their form fields with one statement.
const addressBatch = 50

// ReadAddressDetails is ReadAddresses with the form fields of the addresses.
func (t *Tx) ReadAddressDetails(storeKey string, f cohort.AddressFilter, p cohort.Page, fn func(cohort.AddressDetail) (more bool)) error {
	list := addressList(storeKey, f)
	p, err := list.forwards(t, p)
	for err == nil && p.Size > 0 {
		var batch []cohort.Address
		batch, err = all(func(fn func(cohort.Address) bool) error { return list.each(t, p, addressBatch, fn) })
		if err != nil {
			return err
		}
		ids := make([]int64, len(batch))
		for i, a := range batch {
			ids[i] = a.ID
		}
		fields, err := t.FormFieldsOfAddresses(storeKey, ids)
		if err != nil {
			return err
		}
		for _, a := range batch {
			if !fn(cohort.AddressDetail{Address: a, FormFields: fields[a.ID]}) {
				return nil
			}
		}
		if len(batch) < addressBatch {
			return nil
		}
		p = p.Rest(strconv.FormatInt(batch[len(batch)-1].ID, 10), len(batch))
	}
	return err
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

// UpdateAddress overwrites the address with the same id, or returns KindNotFound.
func (t *Tx) UpdateAddress(storeKey string, a cohort.Address) error {
	n, err := t.Exec(`UPDATE customer_addresses SET first_name = $3, last_name = $4, company = $5, street_1 = $6,
		street_2 = $7, city = $8, state = $9, zip = $10, country = $11, country_iso2 = $12, phone = $13, address_type = $14
		WHERE store_hash = $1 AND id = $2`,
		storeKey, a.ID, a.FirstName, a.LastName, a.Company, a.Street1,
		a.Street2, a.City, a.State, a.Zip, a.Country, a.CountryISO2, a.Phone, a.Type)
	return requireRow(n, err, addressName(a.ID))
}

// DeleteAddress deletes an address of a customer, or returns KindNotFound.
func (t *Tx) DeleteAddress(storeKey string, customerID, id int64) error {
	n, err := t.Exec("DELETE FROM customer_addresses WHERE store_hash = $1 AND customer_id = $2 AND id = $3", storeKey, customerID, id)
	return requireRow(n, err, addressName(id))
}

// DeleteAddresses deletes every address of a customer.
func (t *Tx) DeleteAddresses(storeKey string, customerID int64) error {
	_, err := t.Exec("DELETE FROM customer_addresses WHERE store_hash = $1 AND customer_id = $2", storeKey, customerID)
	return err
}

func addressName(id int64) string { return fmt.Sprintf("address %d", id) }

func scanAddress(row txn.Scanner) (cohort.Address, error) {
	var a cohort.Address
	err := row.Scan(&a.ID, &a.CustomerID, &a.FirstName, &a.LastName, &a.Company, &a.Street1, &a.Street2, &a.City, &a.State, &a.Zip,
		&a.Country, &a.CountryISO2, &a.Phone, &a.Type)
	return a, err
}
