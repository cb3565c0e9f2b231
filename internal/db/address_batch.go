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
	var query strings.Builder
	query.WriteString("INSERT INTO customer_addresses (store_hash, " + addressColumns + ") VALUES ")
	args := []any{storeKey}
	for i := range created {
		created[i].ID = first + int64(i)
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString("($1")
		for _, v := range addressValues(created[i]) {
			args = append(args, v)
			query.WriteString(", $" + strconv.Itoa(len(args)))
		}
		query.WriteByte(')')
	}
	return created, t.Later(query.String(), args...)
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
