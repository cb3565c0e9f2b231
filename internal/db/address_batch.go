package db

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// CreateAddresses adds addresses with the next ids of the store, in one statement. It
// returns them with their ids, which are in the order of the slice. The commit returns
// KindNotFound if a customer does not exist. A caller keeps a batch small: an address
// has 14 arguments, and an engine accepts 32 766.
func (t *Tx) CreateAddresses(storeKey string, addresses []cohort.Address) ([]cohort.Address, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	first, err := t.ReserveIDs(storeKey, "customer_address", 0, int64(len(addresses)))
	if err != nil {
		return nil, err
	}
	created := slices.Clone(addresses)
	for i := range created {
		created[i].ID = first + int64(i)
	}
	query, args := insertAddresses(storeKey, created)
	if err := t.Later(query, args...); err != nil {
		return nil, err
	}
	return created, t.recordNewAddresses(storeKey, created...)
}

// UpdateAddresses overwrites the addresses with the same ids, in one statement. All must
// exist and be locked; before has them as AddressesForUpdate read them. An address stays
// with its customer.
func (t *Tx) UpdateAddresses(storeKey string, before map[int64]cohort.Address, addresses []cohort.Address) error {
	if len(addresses) == 0 {
		return nil
	}
	query, args := insertAddresses(storeKey, addresses)
	err := t.Later(query+` ON CONFLICT (store_hash, id) DO UPDATE SET
		first_name = excluded.first_name, last_name = excluded.last_name, company = excluded.company,
		street_1 = excluded.street_1, street_2 = excluded.street_2, city = excluded.city, state = excluded.state,
		zip = excluded.zip, country = excluded.country, country_iso2 = excluded.country_iso2, phone = excluded.phone,
		address_type = excluded.address_type`, args...)
	if err != nil {
		return err
	}
	return t.recordChangedAddresses(storeKey, before, addresses...)
}

func insertAddresses(storeKey string, addresses []cohort.Address) (query string, args []any) {
	var b strings.Builder
	b.WriteString("INSERT INTO customer_addresses (store_hash, " + addressColumns + ") VALUES ")
	args = []any{storeKey}
	for i, a := range addresses {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("($1")
		for _, v := range addressValues(a) {
			args = append(args, v)
			b.WriteString(", $" + strconv.Itoa(len(args)))
		}
		b.WriteByte(')')
	}
	return b.String(), args
}

// addressValues returns the values of addressColumns.
func addressValues(a cohort.Address) []any {
	return []any{
		a.ID, a.CustomerID, a.FirstName, a.LastName, a.Company, a.Street1, a.Street2, a.City, a.State, a.Zip,
		a.Country, a.CountryISO2, a.Phone, a.Type,
	}
}

// AddressesOfCustomers returns the first most addresses of each customer, by id. A
// customer without addresses is not in the map. The query reads no further addresses,
// however many a customer has.
func (t *Tx) AddressesOfCustomers(storeKey string, customerIDs []int64, most int) (map[int64][]cohort.Address, error) {
	// The sub-query finds the last id that is wanted. It is NULL if the customer has
	// fewer addresses.
	query := t.rowsOf(txn.LookupBy{
		Columns: strings.Join(strings.Fields(addressColumns), " "), Table: "customer_addresses", Column: "customer_id",
		Condition: ` AND x.id <= COALESCE((SELECT last.id FROM customer_addresses AS last
			WHERE last.store_hash = $1 AND last.customer_id = ids.wanted
			ORDER BY last.id LIMIT 1 OFFSET CAST($3 AS BIGINT)), ` + strconv.Itoa(math.MaxInt64) + ")",
	})
	rows, err := t.Query(query+" ORDER BY customer_id, id", storeKey, idText(customerIDs), most-1)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanAddress)
	of := make(map[int64][]cohort.Address, len(customerIDs))
	for _, a := range list {
		of[a.CustomerID] = append(of[a.CustomerID], a)
	}
	return of, err
}

// AddressCounts returns how many addresses each customer has, 0 for an unknown one.
func (t *Tx) AddressCounts(storeKey string, customerIDs []int64) (map[int64]int64, error) {
	rows, err := t.Query(`SELECT ids.wanted, (SELECT count(*) FROM customer_addresses AS x
			WHERE x.store_hash = $1 AND x.customer_id = ids.wanted)
		FROM `+t.SQL().IDTable, storeKey, idText(customerIDs))
	if err != nil {
		return nil, err
	}
	type count struct{ customer, addresses int64 }
	list, err := txn.Collect(rows, func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.customer, &c.addresses) })
	of := make(map[int64]int64, len(list))
	for _, c := range list {
		of[c.customer] = c.addresses
	}
	return of, err
}

// LockCustomers locks the rows of customers against changes until the transaction ends,
// lowest ids first. It returns the ids of those that exist.
func (t *Tx) LockCustomers(storeKey string, ids []int64) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT id FROM customers"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// LockCustomersOfAddresses is LockCustomers for the customers of those of the addresses
// that exist.
func (t *Tx) LockCustomersOfAddresses(storeKey string, addressIDs []int64) error {
	return t.lockOwners(storeKey, "customer_addresses", addressIDs)
}

// LockCustomersAnd is LockCustomers for customers, and for those of addresses. It returns
// the former.
func (t *Tx) LockCustomersAnd(storeKey string, ids, ofAddresses []int64) (found []int64, err error) {
	if len(ofAddresses) == 0 {
		return t.LockCustomers(storeKey, ids)
	}
	if len(ids) == 0 {
		return nil, t.LockCustomersOfAddresses(storeKey, ofAddresses)
	}
	// An address never moves to another customer, so its customer needs no lock yet.
	rows, err := t.Query(t.rowsOf(txn.LookupBy{Columns: "customer_id", Table: "customer_addresses", Column: "id"}), storeKey, idText(ofAddresses))
	if err != nil {
		return nil, err
	}
	owners, err := txn.Collect(rows, scanID)
	if err != nil {
		return nil, err
	}
	// All in one statement, which locks them in the order of their ids.
	found, err = t.LockCustomers(storeKey, slices.Concat(ids, owners))
	return slices.DeleteFunc(found, func(id int64) bool { return !slices.Contains(ids, id) }), err
}

// lockOwners is LockCustomers for the customers of those rows of a table that exist. Every
// transaction locks customers before rows that belong to them: a deletion of customers
// deletes these rows in an order of its own.
func (t *Tx) lockOwners(storeKey, table string, ids []int64) error {
	lock := t.SQL().ForUpdate
	if lock == "" {
		return nil
	}
	owned := t.rowsOf(txn.LookupBy{Columns: "customer_id", Table: table, Column: "id"})
	return t.Later("SELECT id FROM customers WHERE store_hash = $1 AND id IN (SELECT customer_id FROM ("+owned+") AS owned) ORDER BY id"+lock,
		storeKey, idText(ids))
}

// AddressesForUpdate returns those of the addresses that exist, by id, and locks their
// rows against changes until the transaction ends, lowest ids first.
func (t *Tx) AddressesForUpdate(storeKey string, ids []int64) (map[int64]cohort.Address, error) {
	w := whereAddresses(storeKey, cohort.AddressFilter{IDs: ids})
	rows, err := t.Query("SELECT "+addressColumns+" FROM customer_addresses"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanAddress)
	found := make(map[int64]cohort.Address, len(list))
	for _, a := range list {
		found[a.ID] = a
	}
	return found, err
}

// maxCompared is how many addresses of a customer, newest first, are compared with a new
// one. It bounds the work for a customer with very many.
const maxCompared = 1000

// AddressesExist reports for each address whether its customer has another one with the
// same core; see cohort.Address.Core. It compares only the newest maxCompared addresses of
// a customer, and not those with the ids in apart.
func (t *Tx) AddressesExist(storeKey string, addresses []cohort.Address, apart []int64) ([]bool, error) {
	exists := make([]bool, len(addresses))
	if len(addresses) == 0 {
		return exists, nil
	}
	query, args := sameAddresses(storeKey, addresses, apart)
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	found, err := txn.Collect(rows, scanID)
	for _, i := range found {
		exists[i] = true
	}
	return exists, err
}

// sameAddresses is a query for the indexes of the addresses that exist.
func sameAddresses(storeKey string, addresses []cohort.Address, apart []int64) (query string, args []any) {
	w := &where{}
	store := w.arg(storeKey)
	others := w.others(apart)
	for i, a := range addresses {
		if i > 0 {
			w.text.WriteString(" UNION ALL ")
		}
		w.text.WriteString("SELECT " + strconv.Itoa(i) + " AS n WHERE EXISTS (SELECT 1 FROM (SELECT " + addressColumns +
			" FROM customer_addresses WHERE store_hash = " + store)
		w.and("customer_id = ?", a.CustomerID)
		w.text.WriteString(others + " ORDER BY id DESC LIMIT " + strconv.Itoa(maxCompared) + ") AS newest WHERE ")
		for _, c := range []struct{ column, value string }{
			{"first_name", a.FirstName}, {"last_name", a.LastName}, {"company", a.Company}, {"street_1", a.Street1},
			{"street_2", a.Street2}, {"city", a.City}, {"state", a.State}, {"zip", a.Zip}, {"country_iso2", a.CountryISO2},
			{"phone", a.Phone},
		} {
			w.text.WriteString(c.column + " = " + w.arg(c.value) + " AND ")
		}
		w.text.WriteString("address_type = " + w.arg(a.Type) + ")")
	}
	return w.text.String(), w.args
}

// others returns the condition that a row has none of the ids. The condition can be
// written several times.
func (w *where) others(ids []int64) string {
	if len(ids) == 0 {
		return ""
	}
	condition := &where{args: w.args}
	in(condition, "id NOT", ids)
	w.args = condition.args
	return condition.text.String()
}

// DeleteAddressesByID deletes those of the addresses that exist. It locks their customers
// and them first, lowest ids first.
func (t *Tx) DeleteAddressesByID(storeKey string, ids []int64) error {
	if err := t.LockCustomersOfAddresses(storeKey, ids); err != nil {
		return err
	}
	w := whereAddresses(storeKey, cohort.AddressFilter{IDs: ids})
	rows, err := t.Query("SELECT id FROM customer_addresses"+w.text.String()+" ORDER BY id"+t.SQL().ForDelete, w.args...)
	if err != nil {
		return err
	}
	found, err := txn.Collect(rows, scanID)
	if err != nil || len(found) == 0 {
		return err
	}
	w = whereAddresses(storeKey, cohort.AddressFilter{IDs: found})
	_, err = t.deleteAddresses(storeKey, w)
	return err
}
